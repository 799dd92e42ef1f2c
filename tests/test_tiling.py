"""Tiles partition the slice, sit on the grid and keep their halos."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chondria.errors import SettingsError, ShapeError
from chondria.tiling import even_spans, mirror_indices, read_mirrored, tile_grid

shapes = st.tuples(st.integers(1, 700), st.integers(1, 700))


@st.composite
def layouts(draw) -> tuple[tuple[int, int], dict[str, int]]:
    stride = draw(st.sampled_from([1, 2, 8, 16]))
    halo = draw(st.integers(0, 60))
    smallest = 2 * -(-halo // stride) * stride + stride
    tile = draw(st.integers(smallest, smallest + 300))
    margin = draw(st.integers(0, 70))
    shape = draw(shapes)
    # A grid of single pixels over a large slice is right too, but slow to count.
    assume(max(shape) / max(1, tile - smallest + stride) < 50)
    settings = {"tile_px": tile, "halo_px": halo, "stride_px": stride, "margin_px": margin}
    return shape, settings


@given(layouts())
def test_the_writes_partition_the_slice(layout) -> None:
    shape, settings = layout
    count = np.zeros(shape, int)
    for tile in tile_grid(shape, **settings):
        count[tile.write] += 1
    assert (count == 1).all()


@given(layouts())
def test_every_tile_obeys_the_rules(layout) -> None:
    shape, settings = layout
    stride, halo, margin = settings["stride_px"], settings["halo_px"], settings["margin_px"]
    tiles = tile_grid(shape, **settings)
    assert len({tile.read_shape for tile in tiles}) == 1
    for tile in tiles:
        for n, read, crop, write in zip(shape, tile.read, tile.crop, tile.write, strict=True):
            first = -margin
            last = first - (-(n + 2 * margin) // stride) * stride
            assert margin <= last - n < margin + stride
            assert first <= read.start < read.stop <= last
            assert (read.start - first) % stride == (read.stop - first) % stride == 0
            assert read.stop - read.start <= settings["tile_px"]
            # Either the read ends with the canvas, or it keeps the halo.
            assert read.start == first or write.start - read.start >= halo
            assert read.stop == last or read.stop - write.stop >= halo
            # Kept is a block on the grid, as far as the slice goes.
            assert write.start == 0 or (write.start - first) % stride == 0
            assert write.stop == n or (write.stop - first) % stride == 0
            assert (crop.start, crop.stop) == (write.start - read.start, write.stop - read.start)


def test_a_slice_that_fits_is_one_tile_with_its_margin() -> None:
    (tile,) = tile_grid((768, 1000), tile_px=1040, halo_px=112, margin_px=8)
    assert tile.read == (slice(-8, 776), slice(-8, 1016))
    assert tile.crop == (slice(8, 776), slice(8, 1008))
    assert tile.write == (slice(0, 768), slice(0, 1000))


def test_known_tiles() -> None:
    tiles = tile_grid((100, 640), tile_px=256, halo_px=50, stride_px=16, margin_px=0)
    # 256 px hold 128 px between two halos of 64: (640 - 256) / 128 + 1 tiles.
    assert [tile.read[1] for tile in tiles] == [slice(s, s + 256) for s in (0, 128, 256, 384)]
    assert [tile.write[1].stop for tile in tiles] == [192, 320, 448, 640]
    assert all(tile.read[0] == slice(0, 112) for tile in tiles)


def test_no_more_tiles_than_needed() -> None:
    # Canvas 784 x 1040; n tiles of 512 that share 224 cover 512 n - 224 (n - 1).
    assert len(tile_grid((768, 1024), tile_px=512, halo_px=112, margin_px=8)) == 2 * 3
    assert len(tile_grid((785, 1024), tile_px=512, halo_px=112, margin_px=8)) == 3 * 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tile_px": 239, "halo_px": 100}, "at least 240 px"),
        ({"tile_px": 0, "halo_px": 0}, "at least 16 px"),
        ({"tile_px": 512, "halo_px": -1}, "halo of -1"),
        ({"tile_px": 512, "halo_px": 1, "stride_px": 0}, "stride of 0"),
        ({"tile_px": 512, "halo_px": 1, "margin_px": -16}, "margin of -16"),
    ],
)
def test_impossible_settings_say_what_would_do(settings, said) -> None:
    with pytest.raises(SettingsError, match=said):
        tile_grid((1000, 1000), **settings)


def test_an_empty_slice_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(0, 9\)"):
        tile_grid((0, 9), 256, 16)


@given(n=st.integers(1, 12), before=st.integers(0, 40), after=st.integers(0, 40))
def test_mirrored_as_numpy_pads(n: int, before: int, after: int) -> None:
    expected = np.pad(np.arange(n), (before, after), mode="reflect")
    np.testing.assert_array_equal(mirror_indices(-before, n + after, n), expected)


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_any_part_of_the_mirrored_slice(data, y: int, x: int) -> None:
    image = np.arange(2 * y * x).reshape(2, y, x)
    padded = np.pad(image[1], 20, mode="reflect")
    y0, x0 = data.draw(st.integers(-20, y + 19)), data.draw(st.integers(-20, x + 19))
    y1, x1 = data.draw(st.integers(y0 + 1, y + 20)), data.draw(st.integers(x0 + 1, x + 20))
    part = read_mirrored(image, 1, (slice(y0, y1), slice(x0, x1)))
    np.testing.assert_array_equal(part, padded[y0 + 20 : y1 + 20, x0 + 20 : x1 + 20])


# --- spans along one axis ---


@given(
    n=st.integers(1, 300),
    length=st.integers(1, 80),
    stride=st.sampled_from([1, 2, 8]),
    share=st.floats(0, 0.9),
)
def test_spans_cover_the_axis_share_enough_and_are_few(n, length, stride, share) -> None:
    shared = int(share * length)
    spans = even_spans(n, length, shared, stride)
    sizes = {span.stop - span.start for span in spans}
    assert len(sizes) == 1
    (size,) = sizes
    assert size <= max(length, stride)
    assert spans[0].start == 0
    assert n <= spans[-1].stop < n + stride
    assert all(edge % stride == 0 for span in spans for edge in (span.start, span.stop))
    steps = [b.start - a.start for a, b in pairwise(spans)]
    # On the grid neighbours cannot share all but less than a step of it.
    assert all(0 < step <= max(size - shared, stride) for step in steps)
    if steps:
        assert max(steps) - min(steps) <= stride


def test_spans_of_a_volume_that_fits_are_one() -> None:
    assert even_spans(13, 20, 10, 4) == [slice(0, 16)]
    assert even_spans(165, 20, 10)[:2] == [slice(0, 20), slice(9, 29)]
    assert len(even_spans(165, 20, 10)) == 16
