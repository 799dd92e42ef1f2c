"""Resampling: a part equals the whole, constants stay, nothing aliases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.data.resample import (
    ResampledSource,
    axis_weights,
    grid_shape,
    resample_mask,
    resample_slice,
    resample_slices,
)
from chondria.errors import ShapeError

sizes = st.integers(1, 40)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@given(n_in=sizes, n_out=sizes)
def test_every_output_pixel_is_a_weighted_mean(n_in: int, n_out: int) -> None:
    weights = axis_weights(n_in, n_out)
    assert weights.shape == (n_out, n_in)
    assert weights.dtype == np.float32
    assert weights.data.min() > 0
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)


def test_weights_known_by_hand() -> None:
    finer = axis_weights(2, 4).toarray()
    np.testing.assert_allclose(finer, [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    coarser = axis_weights(8, 4).toarray()
    np.testing.assert_allclose(coarser[1], [0, 1 / 8, 3 / 8, 3 / 8, 1 / 8, 0, 0, 0])


@pytest.mark.parametrize("shape", [(20, 31), (61, 47), (128, 9)])
def test_agrees_with_antialiased_bilinear_of_torch(shape: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    image = noise(37, 53).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(image)[None, None], size=shape, mode="bilinear", antialias=True
    )
    np.testing.assert_allclose(resample_slice(image, shape), theirs[0, 0].numpy(), atol=1e-3)


@settings(max_examples=60)
@given(st.data(), sizes, sizes, sizes, sizes)
def test_any_part_of_the_view_equals_the_whole(data, y, x, out_y, out_x) -> None:
    array = noise(3, y, x).astype(np.float32)
    whole = resample_slices(array, (out_y, out_x))
    y0, y1 = sorted(data.draw(st.tuples(st.integers(0, out_y), st.integers(0, out_y))))
    x0, x1 = sorted(data.draw(st.tuples(st.integers(0, out_x), st.integers(0, out_x))))
    z = data.draw(st.integers(-3, 2))
    view = ResampledSource(array, (out_y, out_x))
    np.testing.assert_array_equal(view[z, y0:y1, x0:x1], whole[z, y0:y1, x0:x1])
    np.testing.assert_array_equal(view[1:, y0:y1, x0:x1], whole[1:, y0:y1, x0:x1])


def test_the_view_reads_only_what_it_needs() -> None:
    class Recorder:
        shape, dtype = (5, 100, 100), np.dtype(np.uint8)
        read: tuple = ()

        def __getitem__(self, key):
            self.read = key
            return np.zeros(self.shape, self.dtype)[key]

    recorder = Recorder()
    ResampledSource(recorder, (50, 50))[2, 10:12, 40:50]
    assert recorder.read == (slice(2, 3, 1), slice(19, 25), slice(79, 100))


@pytest.mark.parametrize(
    "key", [0, slice(1, 2), (0, 3), (..., 3), slice(None), (0, 2, -1), (0, slice(4, None, -2))]
)
def test_the_view_slices_like_an_array(key) -> None:
    array = noise(2, 9, 7)
    whole = resample_slices(array, (5, 11))
    part = ResampledSource(array, (5, 11))[key]
    assert part.dtype == np.uint8
    np.testing.assert_array_equal(part, whole[key])


@pytest.mark.parametrize("key", [5, (0, 0, 0, 0), (0, 99)])
def test_the_view_refuses_what_it_cannot_do(key) -> None:
    with pytest.raises(IndexError):
        ResampledSource(noise(2, 9, 7), (5, 11))[key]


@given(value=st.integers(0, 255), y=sizes, x=sizes, out_y=sizes, out_x=sizes)
def test_a_constant_stays(value, y, x, out_y, out_x) -> None:
    out = resample_slices(np.full((1, y, x), value, np.uint8), (out_y, out_x))
    assert out.dtype == np.uint8
    assert (out == value).all()


def test_the_same_grid_costs_and_changes_nothing() -> None:
    array = noise(2, 9, 7)
    assert resample_slices(array, (9, 7)) is array
    np.testing.assert_array_equal(ResampledSource(array, (9, 7))[1, 2:5, 3:], array[1, 2:5, 3:])
    np.testing.assert_array_equal(resample_slice(array[0], (9, 7)), array[0])


@pytest.mark.parametrize("shape", [(50, 60), (33, 41), (230, 170)])
def test_the_mean_is_kept(shape: tuple[int, int]) -> None:
    image = noise(100, 120)
    assert resample_slice(image, shape).mean() == pytest.approx(image.mean(), rel=0.02)


def test_finer_and_back_gives_the_image() -> None:
    y, x = np.mgrid[:60, :80]
    image = (128 + 80 * np.sin(y / 9) * np.cos(x / 7)).astype(np.float32)
    back = resample_slice(resample_slice(image, (75, 100)), (60, 80))
    assert np.abs(back - image)[3:-3, 3:-3].max() < 2


def test_stripes_finer_than_the_grid_become_grey() -> None:
    stripes = np.tile([0.0, 255.0], (8, 64))
    assert np.ptp(resample_slice(stripes, (2, 32))[:, 2:-2]) < 1e-3


def test_a_mask_keeps_its_place_and_area() -> None:
    mask = np.zeros((1, 40, 40), np.uint8)
    mask[0, 8:20, 12:32] = 255
    out = resample_mask(mask, (20, 20))
    expected = np.zeros((1, 20, 20), bool)
    expected[0, 4:10, 6:16] = True
    assert out.dtype == np.bool_
    # The triangle filter rounds the four corners off.
    assert (out != expected).sum() <= 4
    np.testing.assert_array_equal(resample_mask(mask, (40, 40)), mask != 0)


def test_half_covered_is_foreground() -> None:
    mask = np.zeros((1, 4, 4), bool)
    mask[..., 2:] = True
    # Output column 1 of 3 is centred on the edge.
    np.testing.assert_array_equal(resample_mask(mask, (4, 3))[0, 0], [False, True, True])


def test_grid_shape_rounds_and_is_never_empty() -> None:
    assert grid_shape((1024, 1000), (4.6, 4.6), (5.0, 9.2)) == (942, 500)
    assert grid_shape((3, 3), (1, 1), (100, 6)) == (1, 1)


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(ShapeError, match="at least 1"):
        resample_slice(noise(4, 4), (0, 4))
