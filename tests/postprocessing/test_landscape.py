"""Landscapes against SciPy, in nanometres, and their basins."""

import numpy as np
import pytest
from scipy import ndimage

from chondria.postprocessing.landscape import Landscape, basins_of, landscape_grid, landscape_of


@pytest.mark.parametrize(
    ("size", "factors"),
    [
        ((5.0, 5.0, 5.0), (2, 2, 2)),
        ((50.0, 4.6, 4.6), (1, 2, 2)),
        ((30.0, 8.0, 8.0), (1, 1, 1)),
        ((4.0, 2.0, 2.0), (2, 5, 5)),
        (None, (1, 1, 1)),
    ],
)
def test_points_lie_about_10_nm_apart(size, factors) -> None:
    assert landscape_grid(size).factors == factors


def test_thick_sections_are_not_smoothed_together() -> None:
    assert landscape_grid((60.0, 5.0, 5.0)).sigmas == (0, 1.5, 1.5)


@pytest.mark.parametrize("slices", [1, 7])
@pytest.mark.parametrize("size", [(5.0, 5.0, 5.0), (50.0, 4.6, 4.6), None])
def test_heights_are_distances_where_all_is_sure(size, slices: int) -> None:
    rng = np.random.default_rng(0)
    inside = ndimage.gaussian_filter(rng.random((slices, 31, 40)), 1) > 0.48
    grid = landscape_grid(size)
    found = landscape_of(inside, np.ones(inside.shape, np.float32), grid)
    distance = ndimage.distance_transform_edt(inside, size or (1, 1, 1))
    if slices == 1:
        distance = ndimage.distance_transform_edt(inside[0], (size or (1, 1, 1))[1:])[None]
    blocks = [-(-n // f) for n, f in zip(inside.shape, grid.factors, strict=True)]
    assert found.heights.shape == found.voxels.shape == tuple(blocks)
    assert found.voxels.sum() == inside.sum()
    np.testing.assert_array_equal(found.heights > 0, found.voxels > 0)
    mean = sum_by_loop(distance, grid.factors) / np.prod(grid.factors)
    np.testing.assert_allclose(found.heights, mean, rtol=1e-4, atol=1e-4)


def sum_by_loop(values: np.ndarray, factors: tuple[int, int, int]) -> np.ndarray:
    sums = np.zeros([-(-n // f) for n, f in zip(values.shape, factors, strict=True)])
    for at in np.ndindex(values.shape):
        sums[tuple(i // f for i, f in zip(at, factors, strict=True))] += values[at]
    return sums


def test_doubt_lowers_the_landscape() -> None:
    inside = np.zeros((1, 30, 60), bool)
    inside[:, 5:25, 5:55] = True
    sure = np.where(np.arange(60) < 30, 1, 0.5).astype(np.float32) * np.ones((1, 30, 1), np.float32)
    heights = landscape_of(inside, sure, landscape_grid(None)).heights
    assert heights[0, 15, 15] == pytest.approx(10, rel=0.01)
    assert heights[0, 15, 45] == pytest.approx(5, rel=0.01)


def test_every_peak_floods_a_basin() -> None:
    heights = np.array([[[0, 1, 3, 2, 1, 2, 4, 4, 1, 0]]], np.float32)
    basins = basins_of(Landscape(heights, (heights > 0).astype(np.float32)))
    assert np.unique(basins).tolist() == [0, 1, 2]
    assert basins[0, 0, [1, 2, 3]].tolist() == [1, 1, 1]
    assert basins[0, 0, [5, 6, 7, 8]].tolist() == [2, 2, 2, 2]
