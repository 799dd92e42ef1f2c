"""Slices as text: exact runs of labels, pictures that can be opened, squares that stay in place."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from chondria.report.encoding import (
    averaged,
    decode_runs,
    encode_picture,
    encode_runs,
    find_runs,
    sampled,
    to_bytes,
)

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)


@given(
    arrays(
        np.uint32, SHAPES, elements=st.sampled_from([0, 0, 1, 127, 128, 16384, 2**31, 2**32 - 1])
    )
)
def test_runs_give_the_plane_back(plane: np.ndarray) -> None:
    np.testing.assert_array_equal(decode_runs(encode_runs(find_runs(plane)), plane.shape), plane)


def test_runs_are_few_bytes() -> None:
    plane = np.zeros((1000, 1000), np.uint16)
    plane[400:500, 300:700] = 7
    assert len(encode_runs(find_runs(plane))) < 100 * 8


def test_an_empty_plane_is_an_empty_text() -> None:
    assert encode_runs(find_runs(np.zeros((5, 6), np.uint8))) == ""


@given(arrays(np.uint8, SHAPES), st.integers(1, 4))
def test_squares_are_averaged_and_sampled_in_one_grid(plane: np.ndarray, step: int) -> None:
    means, middles = averaged(plane, step), sampled(plane, step)
    assert means.shape == middles.shape == tuple(-(-length // step) for length in plane.shape)
    for y, x in np.ndindex(means.shape):
        square = plane[y * step : (y + 1) * step, x * step : (x + 1) * step]
        assert middles[y, x] in square
        if square.shape == (step, step):
            assert means[y, x] == pytest.approx(square.mean(), rel=1e-5)


def test_grey_levels_fill_their_window() -> None:
    plane = np.array([[-5, 10, 20, 30, np.nan, np.inf]], np.float32)
    np.testing.assert_array_equal(to_bytes(plane, (10, 30)), [[0, 0, 128, 255, 0, 255]])
    assert to_bytes(np.full((2, 2), 7, np.float32), (7, 7)).max() == 0


def test_pictures_can_be_opened() -> None:
    y, x = np.mgrid[:40, :50]
    plane = (2 * x + 2 * y).astype(np.uint8)
    with Image.open(BytesIO(b64decode(encode_picture(plane, 85)))) as picture:
        assert picture.format == "JPEG"
        assert np.abs(np.asarray(picture).astype(int) - plane).max() < 12
