import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from chondria.io import slabs
from chondria.io.slabs import SlabBuffer, iter_blocks, iter_slabs

SHAPE = (7, 4, 5)


class CountingSink:
    def __init__(self, fill: int = 0) -> None:
        self.values = np.full(SHAPE, fill, np.uint16)
        self.shape, self.dtype, self.writes = SHAPE, self.values.dtype, 0

    def __getitem__(self, key):
        parts = key if isinstance(key, tuple) else (key,)
        assert all((part.step or 1) > 0 for part in parts), "stores cannot go backward"
        return self.values[key]

    def __setitem__(self, key, values) -> None:
        self.writes += 1
        self.values[key] = values


class Chunked:
    def __init__(self, values: np.ndarray, chunks: tuple[int, int, int]) -> None:
        self.values, self.chunks = values, chunks
        self.shape, self.dtype = values.shape, values.dtype
        self.keys: list = []

    def __getitem__(self, key):
        self.keys.append(key)
        return self.values[key]


forward = basic_indices(SHAPE, allow_newaxis=False).filter(
    lambda key: all(
        not isinstance(part, slice) or part.step in (None, 1)
        for part in (key if isinstance(key, tuple) else (key,))
    )
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(forward, st.integers(0, 60000)), max_size=6), st.integers(1, 8))
def test_writes_in_any_order_equal_numpy(writes, depth) -> None:
    sink, expected = CountingSink(), np.zeros(SHAPE, np.uint16)
    buffer = SlabBuffer(sink, depth)
    for key, value in writes:
        values = np.full(np.shape(expected[key]), value)
        expected[key] = values
        buffer[key] = values
    np.testing.assert_array_equal(buffer[::-1, 2], expected[::-1, 2])
    buffer.close()
    np.testing.assert_array_equal(sink.values, expected)


def test_closing_writes_zeros_where_nothing_was_written() -> None:
    sink = CountingSink(fill=77)
    buffer = SlabBuffer(sink, 2)
    buffer[3, 1, 1] = 9
    buffer.close()
    assert sink.values.sum() == 9


def test_slices_in_order_write_each_slab_once() -> None:
    sink = CountingSink()
    buffer = SlabBuffer(sink, 3)
    for z in range(SHAPE[0]):
        for y in range(SHAPE[1]):
            buffer[z, y] = z
    buffer.close()
    assert sink.writes == 3
    np.testing.assert_array_equal(sink.values[:, 0, 0], np.arange(7))


def test_whole_slabs_pass_through() -> None:
    sink = CountingSink()
    buffer = SlabBuffer(sink, 7)
    buffer[:] = 5
    assert (sink.values == 5).all()
    buffer[2, 2, 2] = 6
    buffer[:] = 7  # replaces what is held
    buffer.close()
    assert (sink.values == 7).all()


@pytest.mark.parametrize("key", [np.s_[::2], np.s_[::-1], np.s_[:, ::-1], np.s_[9], [0, 1]])
def test_other_writes_are_refused(key) -> None:
    with pytest.raises(IndexError):
        SlabBuffer(CountingSink(), 3)[key] = 1


@pytest.mark.parametrize("limit", [1, 50, 100, 300, 10**6])
@pytest.mark.parametrize("chunks", [(1, 4, 5), (2, 2, 2), (3, 4, 5), (64, 64, 64)])
def test_slabs_and_blocks_cover_all_voxels_once(monkeypatch, limit, chunks) -> None:
    monkeypatch.setattr(slabs, "_SLAB_BYTES", limit)
    values = np.arange(140, dtype=np.uint16).reshape(SHAPE)
    source = Chunked(values, chunks)
    read = [(start, stop, slab) for start, stop, slab in iter_slabs(source, np.uint32)]
    assert [start for start, _, _ in read] == [0, *[stop for _, stop, _ in read]][:-1]
    joined = np.concatenate([slab for _, _, slab in read])
    assert joined.dtype == np.uint32
    np.testing.assert_array_equal(joined, values)
    out, count = np.zeros_like(values), np.zeros(SHAPE, int)
    for place, block in iter_blocks(source, out):
        out[place] = block
        count[place] += 1
    np.testing.assert_array_equal(out, values)
    assert (count == 1).all()


def test_blocks_follow_the_chunks_of_the_output(monkeypatch) -> None:
    monkeypatch.setattr(slabs, "_SLAB_BYTES", 1)
    source = np.zeros((10, 10, 10), np.uint8)
    places = [place for place, _ in iter_blocks(source, Chunked(source, (4, 5, 2)))]
    assert [(place[0].start, place[1].start) for place in places] == [
        (z, y) for z in (0, 4, 8) for y in (0, 5)
    ]
