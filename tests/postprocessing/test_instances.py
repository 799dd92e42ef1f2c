"""Connected instances, small objects and holes, against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from chondria.errors import PixelValueError, SettingsError, ShapeError
from chondria.postprocessing.instances import (
    connected_instances,
    fill_cavities,
    fill_holes,
    remove_small_objects,
)

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=8)
MASKS = arrays(np.bool_, SHAPES)
LABELS = arrays(np.uint16, SHAPES, elements=st.sampled_from([0, 0, 1, 2, 3, 900]))


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two label maps are equal but for the names of the objects."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    zero = (pairs == 0).any(axis=0)
    alone = all(np.unique(ids).size == ids.size for ids in pairs)
    return alone and bool((pairs[:, zero] == 0).all())


@pytest.mark.parametrize("connectivity", [None, 6, 18, 26])
@settings(deadline=None, max_examples=60)
@given(mask=MASKS)
def test_3d_instances_agree_with_scipy(mask: np.ndarray, connectivity: int | None) -> None:
    order = {6: 1, 18: 2, 26: 3, None: 3}[connectivity]
    expected, count = ndimage.label(mask, ndimage.generate_binary_structure(3, order))
    labels = connected_instances(mask, connectivity=connectivity)
    assert same_partition(labels, expected)
    assert np.unique(labels[labels > 0]).tolist() == list(range(1, count + 1))
    assert labels.dtype == np.uint16


@pytest.mark.parametrize("connectivity", [None, 4, 8])
@settings(deadline=None, max_examples=60)
@given(mask=MASKS)
def test_2d_instances_agree_with_scipy(mask: np.ndarray, connectivity: int | None) -> None:
    plane = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)
    structure = np.stack([np.zeros_like(plane), plane, np.zeros_like(plane)])
    expected, count = ndimage.label(mask, structure)
    labels = connected_instances(mask, dimensions=2, connectivity=connectivity)
    assert same_partition(labels, expected)
    assert np.unique(labels[labels > 0]).tolist() == list(range(1, count + 1))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(("objects", "dtype"), [(65535, np.uint16), (65536, np.uint32)])
def test_the_smallest_type_that_suffices(dimensions: int, objects: int, dtype: type) -> None:
    mask = np.zeros((2, 512, 512), np.uint8)
    mask[0, ::2, ::2] = 255  # 65536 dots
    if objects == 65535:
        mask[0, 0, 0] = 0
    labels = connected_instances(mask, dimensions=dimensions)
    assert (labels.max(), labels.dtype) == (objects, dtype)


def test_a_2d_image_is_one_slice() -> None:
    assert connected_instances(np.eye(3)).shape == (1, 3, 3)
    assert connected_instances(np.zeros((3, 3))).max() == 0


def test_numbers_run_on_over_16_bits_from_slice_to_slice() -> None:
    mask = np.zeros((2, 400, 400), bool)
    mask[:, ::2, ::2] = True  # 40000 dots in each
    labels = connected_instances(mask, dimensions=2)
    assert np.unique(labels).size == 80001
    assert labels[1].max() == 80000


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 9), (9, 1, 9), (9, 9, 1), (5, 5, 5)])
def test_volumes_full_of_dots(shape: tuple[int, ...]) -> None:
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    assert connected_instances(mask).max() == mask.sum()
    assert connected_instances(mask, dimensions=2).max() == mask.sum()


def test_other_connectivities_are_refused() -> None:
    mask = np.ones((2, 2, 2))
    with pytest.raises(SettingsError, match="6, 18, 26"):
        connected_instances(mask, connectivity=8)
    with pytest.raises(SettingsError, match="4, 8"):
        connected_instances(mask, dimensions=2, connectivity=26)
    with pytest.raises(SettingsError, match="in 2 or 3"):
        connected_instances(mask, dimensions=4)
    with pytest.raises(ShapeError):
        connected_instances(np.ones(3))


@settings(deadline=None)
@given(labels=LABELS, min_voxels=st.integers(0, 20), scale=st.sampled_from([1, 10**6]))
def test_small_objects_become_background(labels: np.ndarray, min_voxels: int, scale: int) -> None:
    labels = labels.astype(np.int64) * scale
    expected = labels.copy()
    for label in np.unique(labels[labels > 0]):
        if (labels == label).sum() < min_voxels:
            expected[labels == label] = 0
    cleaned = remove_small_objects(labels, min_voxels)
    assert cleaned.dtype == labels.dtype
    np.testing.assert_array_equal(cleaned, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_removing_keeps_type_and_input(dtype: type) -> None:
    labels = np.array([[[1, 1, 2]]], dtype)
    cleaned = remove_small_objects(labels, 2)
    assert (cleaned.dtype, cleaned.tolist()) == (dtype, [[[1, 1, 0]]])
    assert labels.tolist() == [[[1, 1, 2]]]


def test_objects_of_a_mask_are_its_components() -> None:
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 0]], bool)
    cleaned = remove_small_objects(mask, 2)
    assert cleaned.dtype == np.bool_
    assert cleaned.astype(int).tolist() == [[[1, 0, 0, 0], [0, 1, 0, 0]]]


def test_what_is_no_label_map_is_refused() -> None:
    with pytest.raises(PixelValueError, match="whole numbers"):
        remove_small_objects(np.zeros((1, 2, 2)), 1)
    with pytest.raises(PixelValueError, match="whole numbers"):
        remove_small_objects(np.full((1, 2, 2), -1), 1)
    with pytest.raises(SettingsError, match="0 or more"):
        remove_small_objects(np.zeros((1, 2, 2), int), -1)


@settings(deadline=None)
@given(mask=MASKS)
def test_holes_agree_with_scipy(mask: np.ndarray) -> None:
    expected = np.stack([ndimage.binary_fill_holes(plane) for plane in mask])
    np.testing.assert_array_equal(fill_holes(mask), expected)


def test_large_holes_may_stay() -> None:
    mask = np.ones((1, 5, 9), bool)
    mask[0, 2, 2] = mask[0, 2, 5:7] = False
    assert fill_holes(mask, max_hole_px=1).sum() == mask.sum() + 1
    assert fill_holes(mask, max_hole_px=2).all()
    assert fill_holes(mask, max_hole_px=0).sum() == mask.sum()
    with pytest.raises(SettingsError, match="0 or more"):
        fill_holes(mask, max_hole_px=-1)


@settings(deadline=None, max_examples=60)
@given(mask=MASKS)
def test_cavities_agree_with_scipy(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(fill_cavities(mask), ndimage.binary_fill_holes(mask))


def test_a_single_slice_has_no_cavity() -> None:
    ring = np.ones((5, 5), bool)
    ring[2, 2] = False
    np.testing.assert_array_equal(fill_cavities(ring), ring[None])
    assert fill_cavities(np.stack([np.ones((5, 5)), ring, np.ones((5, 5))])).all()
