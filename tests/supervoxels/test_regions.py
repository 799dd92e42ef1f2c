"""Supervoxels fill a volume, keep to its edges and have one size in nanometres."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.supervoxels.regions import find_regions, slabs


@given(st.integers(1, 200), st.floats(1, 100), st.floats(1, 300))
def test_slabs_follow_each_other_and_are_alike(n, slice_nm, thickness_nm) -> None:
    found = slabs(n, slice_nm, thickness_nm)
    assert [z for slab in found for z in slab] == list(range(n))
    lengths = {len(slab) for slab in found}
    assert max(lengths) - min(lengths) <= 1


def halves(shape=(8, 40, 40), seed=0) -> np.ndarray:
    """A bright half beside a dark one, with a slanted border, in noise."""
    _, y, x = np.indices(shape)
    grey = np.where(x + y // 4 > shape[2] // 2, 1.0, -1.0)
    return (grey + np.random.default_rng(seed).normal(0, 0.2, shape)).astype(np.float32)


def test_every_voxel_has_a_region_and_none_is_empty() -> None:
    found = find_regions(halves(), (10, 10, 10), 40)
    assert found.labels.shape == (8, 40, 40)
    assert np.array_equal(np.unique(found.labels), np.arange(found.count))
    assert found.slabs == [range(4), range(4, 8)]


def test_regions_keep_to_the_edge() -> None:
    image = halves()
    found = find_regions(image, (10, 10, 10), 50, blur_nm=5)
    truth = find_truth(image.shape)
    size = np.bincount(found.labels.ravel())
    bright = np.bincount(found.labels[truth], minlength=found.count)
    majority = (2 * bright > size)[found.labels]
    assert np.mean(majority == truth) > 0.98
    # Squares of the same size do not.
    blocks = truth.reshape(8, 8, 5, 8, 5).mean(axis=(2, 4)).repeat(5, 1).repeat(5, 2) > 0.5
    assert np.mean(majority == truth) > np.mean(blocks == truth)


def find_truth(shape) -> np.ndarray:
    _, y, x = np.indices(shape)
    return x + y // 4 > shape[2] // 2


@pytest.mark.parametrize(("z_nm", "deep"), [(5, 8), (20, 2), (40, 1), (100, 1)])
def test_regions_are_as_thick_as_wide_or_one_slice(z_nm, deep) -> None:
    found = find_regions(halves(), (z_nm, 10, 10), 40)
    depths = [len(np.unique(np.nonzero(found.labels == i)[0])) for i in range(found.count)]
    assert max(depths) == deep
    assert all(len(slab) == deep for slab in found.slabs)


@pytest.mark.parametrize("pixel_nm", [5, 10])
def test_their_number_follows_from_their_size(pixel_nm) -> None:
    image = np.random.default_rng(1).normal(size=(1, 400 // pixel_nm, 800 // pixel_nm))
    found = find_regions(image.astype(np.float32), (50, pixel_nm, pixel_nm), 50, compactness=1)
    assert found.count == pytest.approx(400 * 800 / 50**2, rel=0.3)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 30), (3, 1, 20), (5, 7, 9)])
@pytest.mark.parametrize("constant", [True, False])
def test_any_shape_and_a_constant_image(shape, constant) -> None:
    image = np.zeros(shape) if constant else np.random.default_rng(2).normal(size=shape)
    found = find_regions(image.astype(np.float32), (10, 10, 10), 30)
    assert np.array_equal(np.unique(found.labels), np.arange(found.count))
