import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from chondria.io.indexing import resolve_key
from chondria.io.recent import RecentArrays
from chondria.io.stack import SliceStack, natural_key
from chondria.io.view import ZyxView

SHAPE = (6, 4, 5)
VALUES = np.arange(120, dtype=np.uint16).reshape(SHAPE)
KEYS = basic_indices(SHAPE, allow_newaxis=False, allow_ellipsis=True)


def read_slice(z: int) -> np.ndarray:
    return VALUES[z].copy()


class Chunked:
    """A stored array of chunks that counts the voxels it decodes."""

    shape, dtype, chunks = SHAPE, VALUES.dtype, (4, 2, 2)
    read = 0

    def __getitem__(self, key):
        assert all(part.step is None or part.step > 0 for part in key), "stores cannot go backward"
        values = VALUES[key].copy()
        self.read += values.size
        return values


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**12), unique=True, min_size=2), st.randoms())
def test_numbers_in_names_sort_as_numbers(numbers, random) -> None:
    names = [f"slice{'0' * random.randint(0, 3)}{n}.tif" for n in numbers]
    ordered = sorted(names, key=natural_key)
    assert [int(name[5:-4]) for name in ordered] == sorted(numbers)


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), min_size=2))
def test_natural_order_is_total_and_does_not_depend_on_the_start(names) -> None:
    backward = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backward, key=natural_key)


def test_names_of_any_shape_compare() -> None:
    names = ["a10", "a9b2", "a", "9", "a9b10", "A9b1", ""]
    assert sorted(names, key=natural_key) == ["", "9", "a", "A9b1", "a9b2", "a9b10", "a10"]


@settings(deadline=None)
@given(KEYS)
def test_stack_indexes_like_numpy(key) -> None:
    stack = SliceStack(read_slice, SHAPE, VALUES.dtype)
    expected = VALUES[key]
    np.testing.assert_array_equal(stack[key], expected)
    assert np.shape(stack[key]) == np.shape(expected)


@settings(deadline=None)
@given(KEYS)
def test_view_of_chunks_indexes_like_numpy(key) -> None:
    view = ZyxView(Chunked(), (0, 1, 2), "x")
    expected = VALUES[key]
    for _ in range(2):  # the second time from what is kept
        np.testing.assert_array_equal(view[key], expected)
        assert np.shape(view[key]) == np.shape(expected)


@settings(deadline=None)
@given(KEYS)
def test_box_and_rest_give_the_index(key) -> None:
    box, rest = resolve_key(key, SHAPE)
    np.testing.assert_array_equal(VALUES[box][rest], VALUES[key])
    assert all(part.step > 0 and 0 <= part.start <= part.stop for part in box)


@settings(deadline=None)
@given(st.permutations([0, 1, 2]), KEYS)
def test_view_transposes(axes, key) -> None:
    stored = np.moveaxis(VALUES, [0, 1, 2], axes)
    np.testing.assert_array_equal(ZyxView(stored, tuple(axes), "x")[key], VALUES[key])


@pytest.mark.parametrize("key", [6, -7, (0, 0, 0, 0), (..., ...), [0, 1], True, None, "a", 1.0])
def test_other_indices_are_refused(key) -> None:
    for source in (SliceStack(read_slice, SHAPE, "u2"), ZyxView(VALUES, (0, 1, 2), "x")):
        with pytest.raises(IndexError):
            source[key]


def test_slices_are_read_once_and_only_when_asked() -> None:
    asked: list[int] = []
    stack = SliceStack(lambda z: asked.append(z) or VALUES[z], SHAPE, "u2")
    assert asked == []
    stack[2, 1:3]
    stack[2:4]
    assert asked == [2, 3]
    given_away = stack[2]
    given_away[:] = 0
    np.testing.assert_array_equal(stack[2], VALUES[2])
    assert stack[0:0].shape == (0, 4, 5)
    assert asked == [2, 3]


def test_whole_chunks_are_kept_for_the_next_slice() -> None:
    stored = Chunked()
    view = ZyxView(stored, (0, 1, 2), "x")
    first = view[0]
    first[:] = 0
    np.testing.assert_array_equal(view[1:4], VALUES[1:4])
    np.testing.assert_array_equal(view[0], VALUES[0])
    assert stored.read == 4 * 4 * 5


def test_pickled_stack_reads_anew() -> None:
    stack = SliceStack(read_slice, SHAPE, "u2")
    stack[:]
    assert len(pickle.dumps(stack)) < 600
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stack))[:], VALUES)


def test_recent_arrays_keep_to_their_bytes() -> None:
    recent = RecentArrays(nbytes=100)
    reads: list[int] = []

    def fetch(key: int) -> None:
        recent.fetch(key, lambda: reads.append(key) or np.zeros(40, np.uint8))

    for key in (1, 2, 1, 3, 1, 2):  # 3 drives out 2, the one used longest ago
        fetch(key)
    assert reads == [1, 2, 3, 2]


def test_errors_of_a_slice_come_through() -> None:
    def broken(z: int) -> np.ndarray:
        raise ValueError(f"slice {z}")

    with pytest.raises(ValueError, match="slice 0"):
        SliceStack(broken, SHAPE, "u2")[:]
