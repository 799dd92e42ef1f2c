"""How large an object of so many voxels is."""

import math

import numpy as np
import pytest

from chondria.volume import ball_voxels


@pytest.mark.parametrize("size", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (4.0, 1.5, 1.0)])
def test_a_ball_has_the_voxels_that_lie_in_it(size: tuple[float, float, float]) -> None:
    edges = [np.arange(-30, 30 + edge, edge) for edge in size]
    z, y, x = np.meshgrid(*edges, indexing="ij", sparse=True)
    counted = np.count_nonzero(z**2 + y**2 + x**2 <= 25**2)
    assert ball_voxels(50, size) == pytest.approx(counted, rel=0.01)
    disc = np.count_nonzero(y[0] ** 2 + x[0] ** 2 <= 25**2)
    assert ball_voxels(50, size, flat=True) == pytest.approx(disc, rel=0.02)


def test_a_disc_does_not_ask_how_thick_it_is() -> None:
    assert ball_voxels(2, (50, 1, 1), flat=True) == ball_voxels(2, (1, 1, 1), flat=True) == math.pi
