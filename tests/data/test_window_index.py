"""Windows by their foreground: every one of them, none else, and each as often."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chondria.data.normalize import Normalisation
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.data.window_index import WindowIndex, WindowPool, window_sums


def masks(*shape: int, seed: int = 0, share: float = 0.4) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)


def volume(mask, train, weight=1.0, name="v") -> TrainingVolume:
    split = Split(train, [])
    images = np.zeros_like(mask)
    return TrainingVolume.from_arrays(
        name, images, mask > 0, Normalisation(0.0, 1.0), split, weight
    )


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    side=st.integers(1, 13),
    seed=st.integers(0, 9),
)
def test_sums_are_counts_of_every_window(shape, side, seed) -> None:
    mask = masks(*shape, seed=seed)
    sums = window_sums(mask, side)
    if side > min(shape):
        assert not sums.size
        return
    windows = np.lib.stride_tricks.sliding_window_view(mask, (side, side))
    np.testing.assert_array_equal(sums, windows.sum((2, 3)))


@given(
    side=st.integers(1, 5),
    bounds=st.tuples(st.integers(0, 25), st.integers(0, 25)),
    seed=st.integers(0, 5),
)
def test_the_index_lists_the_admitted_windows_of_its_slices(side, bounds, seed) -> None:
    stack, slices = masks(4, 7, 9, seed=seed), [0, 2, 3]
    index = WindowIndex(stack, slices, side, *bounds)
    expected = {
        (z, y + side // 2, x + side // 2)
        for z, y, x in product(slices, range(8 - side), range(10 - side))
        if bounds[0] <= stack[z, y : y + side, x : x + side].sum() <= bounds[1]
    }
    found = [index.centre(k) for k in range(len(index))]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_a_pool_draws_volumes_by_weight_and_windows_evenly() -> None:
    first, second = np.zeros((1, 6, 6), np.uint8), np.zeros((3, 6, 6), np.uint8)
    first[0, 1, 1] = second[0, 2, 2] = second[1, 3, 3] = 1
    second[2] = 1  # no slice to learn from
    empty = volume(first * 0, [0], weight=50.0, name="empty")
    pool = WindowPool(
        [volume(first, [0], 1.0, "a"), volume(second, [0, 1], 3.0, "b"), empty], 1, 1, 1
    )
    assert len(pool) == 3
    drawn = pool.draw(4000, torch.Generator().manual_seed(0))
    places = [(v.name, at) for v, at in drawn]
    for place, share in {
        ("a", (0, 1, 1)): 1 / 4,
        ("b", (0, 2, 2)): 3 / 8,
        ("b", (1, 3, 3)): 3 / 8,
    }.items():
        assert places.count(place) / 4000 == pytest.approx(share, abs=0.03)
    assert pool.draw(0, torch.Generator()) == []
