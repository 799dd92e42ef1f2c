"""The numbers that a network sees: mean 0 and deviation 1, or the thesis's unit range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.data.normalize import Normalisation, measure_normalisation
from chondria.errors import PixelValueError, SettingsError


def noise(shape=(5, 20, 20), seed: int = 0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_a_volume_gets_mean_zero_and_deviation_one(dtype) -> None:
    pixels = (100 + 20 * noise()).astype(dtype)
    normal = measure_normalisation(pixels)
    assert normal.mean == pytest.approx(pixels.astype(float).mean(), rel=1e-9)
    assert normal.deviation == pytest.approx(pixels.astype(float).std(), rel=1e-9)
    values = normal(pixels)
    assert values.dtype == np.float32
    assert values.shape == pixels.shape
    assert abs(values.mean()) < 1e-4
    assert values.std() == pytest.approx(1, abs=1e-4)


@given(st.floats(-10, 10), st.integers(-12, 12))
def test_any_unit_of_the_grey_levels_gives_the_same_numbers(offset, power) -> None:
    pixels = noise((2, 8, 8)) + offset
    scaled = pixels * 10.0**power
    np.testing.assert_allclose(
        measure_normalisation(scaled)(scaled), measure_normalisation(pixels)(pixels), atol=1e-4
    )


@pytest.mark.parametrize(
    ("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]
)
def test_unit_divides_by_the_types_largest_value(dtype, largest) -> None:
    pixels = np.array([[[0, 1]]], dtype)
    normal = measure_normalisation(pixels, "unit")
    assert normal == Normalisation(0.0, largest)
    np.testing.assert_allclose(normal(pixels), [[[0, 1 / largest]]])


class Counted:
    """A lazy source that notes which slices are read."""

    def __init__(self, pixels) -> None:
        self.pixels, self.read = pixels, []
        self.shape, self.dtype = pixels.shape, pixels.dtype

    def __getitem__(self, z):
        self.read.append(z)
        return self.pixels[z]


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (5, 5), (32, 32), (33, 32), (200, 32)])
def test_at_most_32_evenly_spaced_slices_are_read(n, expected) -> None:
    source = Counted(noise((n, 4, 4)))
    measure_normalisation(source)
    assert len(source.read) == len({*source.read}) == expected
    assert (min(source.read), max(source.read)) == (0, n - 1)
    assert max(np.diff([*source.read, n - 1])) <= -(-n // 31)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_counted_and_placed(bad) -> None:
    pixels = noise()
    pixels[3, 2, :2] = bad
    with pytest.raises(PixelValueError, match=r"2 NaN or infinite pixels in slice 3 of brain\.tif"):
        measure_normalisation(pixels, where="brain.tif")


@pytest.mark.parametrize("kind", ["volume", "unit"])
@pytest.mark.parametrize("value", [0, 7, 255, 1e-9, 1e9, -3.3])
def test_a_constant_image_is_refused(value, kind) -> None:
    with pytest.raises(PixelValueError, match=r"the same value .* in every pixel of the image"):
        measure_normalisation(np.full((3, 9, 9), value), kind)


def test_an_unknown_kind_names_the_known() -> None:
    with pytest.raises(SettingsError, match="'zscore'; allowed are volume and unit"):
        measure_normalisation(noise(), "zscore")
