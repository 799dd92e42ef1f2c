"""Distances of shifted boxes, in the units of the volume."""

import numpy as np
import pytest

from chondria.errors import VoxelSizeError
from chondria.evaluation.boundary import BoundaryDistances, boundary_distances


def test_parallel_walls_are_as_far_apart_as_their_shift() -> None:
    truth, prediction = np.zeros((2, 4, 5, 20), bool)
    truth[..., :8] = True
    prediction[..., :11] = True
    assert boundary_distances(prediction, truth, (30, 4, 6)) == BoundaryDistances(18.0, 18.0)
    assert boundary_distances(truth, truth, (30, 4, 6)) == BoundaryDistances(0.0, 0.0)


def test_an_absent_boundary_has_no_distance() -> None:
    nothing, something = np.zeros((1, 3, 3)), np.zeros((1, 3, 3))
    something[0, 1, 1] = 1
    assert boundary_distances(nothing, something, (5, 5, 5)) == BoundaryDistances(None, None)
    assert boundary_distances(something, nothing, (5, 5, 5)) == BoundaryDistances(None, None)
    assert boundary_distances(nothing, nothing, (5, 5, 5)) == BoundaryDistances(0.0, 0.0)


def test_the_voxel_size_is_checked() -> None:
    something = np.eye(3)
    with pytest.raises(VoxelSizeError):
        boundary_distances(something, 1 - something, (5, 5, 0))
