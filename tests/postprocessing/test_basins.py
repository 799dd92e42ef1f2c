"""Passes between basins, and which of them are joined."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.postprocessing.basins import join_basins, passes_between


def ridge(*heights: float) -> np.ndarray:
    return np.array(heights, np.float32)[None, None]


def joined(heights: np.ndarray, basins: list[int], ratio: float, smallest: float = 0) -> list[int]:
    """Part of every point of a ridge, each point a voxel."""
    numbers = np.array(basins)[None, None]
    voxels = np.ones(heights.shape, np.float32)
    return join_basins(numbers, heights, voxels, ratio, smallest)[numbers].ravel().tolist()


def test_a_pass_is_the_best_way_over() -> None:
    basins = np.array([[[1, 1, 2], [1, 2, 2], [0, 3, 3]]])
    heights = np.array([[[5, 4, 3], [2, 1, 6], [9, 7, 2]]], np.float32)
    found = passes_between(basins, heights)
    # Over corners too: 4 and 6 of the first two basins, 1 and 7 or 6 and 7 of the last.
    assert found.pairs.tolist() == [[1, 2], [1, 3], [2, 3]]
    assert found.heights.tolist() == [4, 2, 6]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**20), shape=st.tuples(*[st.integers(1, 5)] * 3))
def test_passes_agree_with_a_loop(seed: int, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    basins, heights = rng.integers(0, 4, shape), rng.random(shape, np.float32)
    expected: dict[tuple[int, int], float] = {}
    for here in np.ndindex(shape):
        for step in np.ndindex(3, 3, 3):
            there = tuple(np.add(here, step) - 1)
            if min(there) < 0 or any(t >= n for t, n in zip(there, shape, strict=True)):
                continue
            one, other = int(basins[here]), int(basins[there])
            if 0 < one < other:
                lower = float(min(heights[here], heights[there]))
                expected[one, other] = max(lower, expected.get((one, other), 0.0))
    found = passes_between(basins, heights)
    pairs = [tuple(pair) for pair in found.pairs.tolist()]
    assert dict(zip(pairs, found.heights.tolist(), strict=True)) == expected


def test_the_lower_peak_decides() -> None:
    heights, basins = ridge(9, 3, 2, 4), [1, 1, 2, 2]
    assert joined(heights, basins, 0.5) == [1, 1, 1, 1]  # 2 of 4
    assert joined(heights, basins, 0.51) == [1, 1, 2, 2]


def test_joined_basins_are_as_high_as_the_higher() -> None:
    # 6 and 5 become one over 5; its neighbour's pass of 3 is a share of 4, not of 5.
    heights, basins = ridge(6, 5, 5, 3, 4, 4), [1, 1, 2, 2, 3, 3]
    assert joined(heights, basins, 0.8) == [1, 1, 1, 1, 2, 2]
    assert joined(heights, basins, 0.75) == [1] * 6


def test_a_chain_of_equal_beads_stays_or_goes_as_one() -> None:
    heights = ridge(4, 3, 3, 4, 3, 3, 4, 3, 3, 4)
    basins = [1, 1, 2, 2, 2, 3, 3, 3, 4, 4]
    assert len(set(joined(heights, basins, 0.75))) == 1
    assert len(set(joined(heights, basins, 0.76))) == 4


def test_small_basins_go_to_their_best_neighbour() -> None:
    heights, basins = ridge(9, 9, 1, 3, 4, 2, 9, 9), [1, 1, 1, 2, 2, 3, 3, 3]
    assert joined(heights, basins, 0.9, smallest=2) == [1, 1, 1, 2, 2, 3, 3, 3]
    assert joined(heights, basins, 0.9, smallest=3) == [1, 1, 1, 2, 2, 2, 2, 2]


def test_one_basin_and_no_heights() -> None:
    assert joined(ridge(1, 2), [1, 1], 0.5) == [1, 1]
    assert joined(ridge(0, 0), [1, 2], 0.5) == [1, 1]
