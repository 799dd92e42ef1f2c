"""Feret diameters and solidity beside slow and simple computations of the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linprog

from chondria.morphometrics.hull import measure_hull

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=4)).filter(np.any)


def within_hull(point: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a point is a mean of others, by linear programming."""
    rows = np.vstack([corners.T, np.ones(len(corners))])
    found = linprog(np.zeros(len(corners)), A_eq=rows, b_eq=[*point, 1.0], method="highs")
    return bool(found.status == 0)


@settings(max_examples=12)
@given(mask=MASKS)
def test_solidity_is_the_share_of_grid_points_in_the_hull(mask) -> None:
    voxels = np.argwhere(mask)
    inside = sum(within_hull(point, voxels) for point in np.argwhere(np.ones(mask.shape, bool)))
    edges = (50.0, 4.6, 4.6)[: mask.ndim]
    assert measure_hull(mask, edges).solidity == pytest.approx(len(voxels) / inside)


@settings(max_examples=15)
@given(mask=MASKS, edges=st.lists(st.floats(1, 60), min_size=3, max_size=3))
def test_feret_diameters_bound_the_width_in_every_direction(mask, edges) -> None:
    edges = np.array(edges[: mask.ndim])
    found = measure_hull(mask, edges)
    halves = np.diag(edges) / 2
    centres = np.argwhere(mask) * edges
    points = np.concatenate([centres + sign * half for half in halves for sign in (-1, 1)])
    directions = np.random.default_rng(0).normal(size=(1000, mask.ndim))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    widths = np.ptp(points @ directions.T, axis=0)
    assert widths.max() <= found.feret_max_nm * (1 + 1e-9)
    assert widths.max() >= found.feret_max_nm * 0.95
    # Widths of bodies between two edges are not searched: they are hardly smaller.
    assert widths.min() >= found.feret_min_nm * 0.9


def test_a_box_and_a_corner() -> None:
    box = np.ones((4, 6, 8), bool)
    found = measure_hull(box, (10.0, 5.0, 5.0))
    assert found.feret_min_nm == pytest.approx(30)
    assert found.feret_max_nm == pytest.approx(np.linalg.norm([40, 30, 40]), abs=10)
    assert found.solidity == 1
    corner = np.zeros((1, 9, 9), bool)
    corner[0, 0], corner[0, :, 0] = True, True
    assert measure_hull(corner, (5.0, 5.0, 5.0)).solidity == pytest.approx(17 / 45)
