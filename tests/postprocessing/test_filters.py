"""Thresholds and median filters, against NumPy's median of padded windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.lib.stride_tricks import sliding_window_view

from chondria.errors import PixelValueError, SettingsError, ShapeError
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median, zy_median

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=9)
MASKS = arrays(np.bool_, SHAPES)
PROBABILITIES = arrays(np.uint8, SHAPES, elements=st.integers(0, 255))
EXTENTS = st.sampled_from([1, 3, 5, 9, 21])


# ---------------------------------------------------------------- threshold


def test_the_threshold_must_be_exceeded() -> None:
    assert threshold(np.array([0.0, 0.5, 0.51, 1.0]), 0.5).tolist() == [False, False, True, True]
    assert threshold(np.array([0, 51, 52], np.uint8), 0.2).tolist() == [False, False, True]


@given(share=st.integers(0, 255) | st.floats(0, 255))
def test_8_bit_values_are_parts_of_255(share: float) -> None:
    values = np.arange(256, dtype=np.uint8)
    exceeds = threshold(values, share / 255)
    assert exceeds.dtype == np.bool_
    assert exceeds.sum() == 255 - int(np.floor(share + 1e-6))


@pytest.mark.parametrize(
    "values", [np.array([0.0, 1.1]), np.array([-0.1, 0.5]), np.array([0.2, np.nan])]
)
def test_what_is_no_probability_is_refused(values: np.ndarray) -> None:
    with pytest.raises(PixelValueError, match="must lie between 0 and 1"):
        threshold(values, 0.5)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint16, np.int64])
def test_other_types_are_refused(dtype: type) -> None:
    with pytest.raises(PixelValueError, match="8-bit integers"):
        threshold(np.zeros(3, dtype), 0.5)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_thresholds_out_of_bounds_are_refused(value: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        threshold(np.zeros(3), value)


# ---------------------------------------------------------------- extent


@pytest.mark.parametrize(
    ("extent_nm", "voxel_nm", "slices"),
    [(45, 5, 9), (45, 4, 11), (40, 5, 7), (45, 30, 1), (45, 45, 1), (45, 50, 1), (0.9, 0.1, 9)],
)
def test_the_extent_is_an_odd_number_of_slices(
    extent_nm: float, voxel_nm: float, slices: int
) -> None:
    assert z_extent_slices(extent_nm, voxel_nm) == slices


@given(extent_nm=st.floats(0.1, 1000), voxel_nm=st.floats(0.1, 1000))
def test_the_filter_never_exceeds_the_extent(extent_nm: float, voxel_nm: float) -> None:
    slices = z_extent_slices(extent_nm, voxel_nm)
    assert slices % 2 == 1
    assert slices == 1 or slices * voxel_nm <= extent_nm * (1 + 1e-5)
    assert (slices + 2) * voxel_nm > extent_nm


@pytest.mark.parametrize(("extent_nm", "voxel_nm"), [(0, 5), (-45, 5), (45, 0), (45, float("nan"))])
def test_lengths_must_be_positive(extent_nm: float, voxel_nm: float) -> None:
    with pytest.raises(SettingsError, match="above zero"):
        z_extent_slices(extent_nm, voxel_nm)


# ---------------------------------------------------------------- medians


def median_of_windows(array: np.ndarray, size: tuple[int, int, int], mode: str) -> np.ndarray:
    """The definition, one window per voxel."""
    padded = np.pad(array, [(extent // 2, extent // 2) for extent in size], mode=mode)
    return np.median(sliding_window_view(padded, size), axis=(3, 4, 5))


@settings(deadline=None)
@given(array=MASKS | PROBABILITIES, extent=EXTENTS)
def test_z_median_follows_its_definition(array: np.ndarray, extent: int) -> None:
    expected = median_of_windows(array, (extent, 1, 1), "symmetric")
    np.testing.assert_array_equal(z_median(array, extent), expected)


@settings(deadline=None)
@given(array=MASKS | PROBABILITIES, extent=st.sampled_from([1, 3, 5]))
def test_zy_median_follows_its_definition(array: np.ndarray, extent: int) -> None:
    expected = median_of_windows(array, (extent, extent, 1), "edge")
    np.testing.assert_array_equal(zy_median(array, extent), expected)


def test_masks_of_0_and_255_stay_so() -> None:
    mask = np.zeros((5, 6, 7), np.uint8)
    mask[1:4, 1:5] = 255
    for median in (z_median, zy_median):
        np.testing.assert_array_equal(median(mask, 3) > 0, median(mask > 0, 3))
        assert np.unique(median(mask, 3)).tolist() == [0, 255]


@settings(deadline=None)
@given(probability=PROBABILITIES, extent=EXTENTS, cut=st.floats(0, 1))
def test_threshold_and_median_may_be_exchanged(
    probability: np.ndarray, extent: int, cut: float
) -> None:
    first = z_median(threshold(probability, cut), extent)
    np.testing.assert_array_equal(first, threshold(z_median(probability, extent), cut))


@settings(deadline=None)
@given(probability=PROBABILITIES, cut=st.floats(0, 1))
def test_threshold_and_zy_median_may_be_exchanged(probability: np.ndarray, cut: float) -> None:
    first = zy_median(threshold(probability, cut))
    np.testing.assert_array_equal(first, threshold(zy_median(probability), cut))


def test_nine_slices_bridge_four_bad_ones() -> None:
    mask = np.ones((13, 2, 2), bool)
    mask[4:8] = False
    assert z_median(mask, 9).all()
    mask[8] = False
    assert not z_median(mask, 9).all()


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.float16, np.float32, np.float64])
def test_the_type_stays_and_the_input_too(dtype: type) -> None:
    rng = np.random.default_rng(0)
    array = (rng.random((5, 4, 4)) * (255 if dtype == np.uint8 else 1)).astype(dtype)
    if dtype == np.bool_:
        array = rng.random((5, 4, 4)) > 0.5
    before = array.copy()
    for filtered in (z_median(array, 3), zy_median(array, 3)):
        assert filtered.dtype == dtype
        assert not np.array_equal(filtered, array)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("median", [z_median, zy_median])
def test_unusable_input_is_refused(median: object) -> None:
    with pytest.raises(PixelValueError, match="label it"):
        median(np.arange(8, dtype=np.uint16).reshape(2, 2, 2), 3)
    with pytest.raises(ShapeError):
        median(np.zeros(4, bool), 3)
    for extent in (0, 2, -3):
        with pytest.raises(SettingsError, match="odd"):
            median(np.zeros((2, 2, 2), bool), extent)
