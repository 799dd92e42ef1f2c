"""Training and validation never share a slice, nor neighbours within the gap."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chondria.data.splits import Split, block_split, split_volume, window_starts
from chondria.errors import SettingsError


def test_the_last_block_validates_behind_a_gap() -> None:
    assert block_split(100, 10, 5) == Split(range(85), range(90, 100))
    assert block_split(100, 10, 5, every=4) == Split(range(85), range(90, 100, 4))


def test_without_validation_all_slices_train_and_the_gap_is_void() -> None:
    assert block_split(7, 0, 3).train == range(7)
    assert len(block_split(7, 0, 3).validation) == 0


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60), st.integers(1, 9))
def test_the_two_sides_are_apart_by_the_gap(n, n_validation, gap, every) -> None:
    assume(n > n_validation + gap)
    split = block_split(n, n_validation, gap, every)
    assert len(split.train) == (n - n_validation - gap if n_validation else n)
    assert len(split.validation) == -(-n_validation // every)
    assert {*split.train, *split.validation} <= {*range(n)}
    if n_validation:
        assert min(split.validation) - max(split.train) == gap + 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((10, -1, 0), "neither may be negative"),
        ((10, 2, -1), "neither may be negative"),
        ((10, 10, 0), "at least one must be left to learn from"),
        ((10, 5, 5), "10 slices for 5 of validation and a gap of 5"),
        ((10, 2, 1, 0), "every 0th slice; give at least 1"),
        ((10, 2, 1, -2), "give at least 1"),
    ],
)
def test_impossible_splits_are_refused(arguments, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        block_split(*arguments)


def test_along_z_both_sides_share_one_part() -> None:
    (part,) = split_volume((20, 8, 9), "z", 4, 2, every=2)
    assert part.box == (slice(0, 20), slice(0, 8), slice(0, 9))
    assert part.split == block_split(20, 4, 2, every=2)


@pytest.mark.parametrize("axis", ["y", "x"])
def test_in_the_plane_each_side_is_a_part_with_all_slices(axis: str) -> None:
    shape = (20, 30, 40)
    learned, chosen = split_volume(shape, axis, 10, 3, every=6)
    index = "zyx".index(axis)
    seen = np.zeros(shape, int)
    seen[learned.box] += 1
    seen[chosen.box] += 1
    along = np.moveaxis(seen, index, 0).reshape(shape[index], -1)
    n = shape[index]
    assert (along[: n - 13] == 1).all()
    assert (along[n - 13 : n - 10] == 0).all()
    assert (along[n - 10 :] == 1).all()
    assert learned.split == Split(range(20), range(0))
    assert chosen.split == Split(range(0), range(0, 20, 6))
    with pytest.raises(SettingsError, match="at least one must be left"):
        split_volume(shape, axis, 50, 3)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_without_validation_there_is_one_part(axis: str) -> None:
    (part,) = split_volume((20, 30, 40), axis, 0, 3)
    assert np.ones((20, 30, 40))[part.box].size == 20 * 30 * 40
    assert (list(part.split.train), len(part.split.validation)) == (list(range(20)), 0)


# --- windows of neighbouring slices ---


@given(
    slices=st.sets(st.integers(0, 40), min_size=1).map(sorted),
    depth=st.integers(1, 12),
)
def test_windows_stay_in_their_run_and_hold_their_slice(slices, depth) -> None:
    runs = np.split(slices, np.flatnonzero(np.diff(slices) > 1) + 1)
    fitting = [z for run in runs if len(run) >= depth for z in run]
    if not fitting:
        with pytest.raises(SettingsError, match="'v' for patches of"):
            window_starts(slices, depth, "v")
        return
    starts = window_starts(slices, depth, "v")
    assert len(starts) == len(fitting)
    for z, start in zip(fitting, starts, strict=True):
        assert start <= z < start + depth
        assert set(range(start, start + depth)) <= set(slices)


def test_a_window_of_one_slice_is_the_slice() -> None:
    assert window_starts([3, 4, 9], 1, "v") == [3, 4, 9]
    assert window_starts(range(6), 4, "v") == [0, 0, 0, 1, 2, 2]


def test_too_few_slices_are_named() -> None:
    with pytest.raises(SettingsError, match="a single slice to learn from in 'v' for patches of 8"):
        window_starts(range(1), 8, "v")
    with pytest.raises(SettingsError, match=r"at most 3 neighbouring slices .* at most 3"):
        window_starts([0, 1, 2, 5, 6], 4, "v")
    assert window_starts(range(0), 4, "v") == []
