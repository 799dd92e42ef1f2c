"""Counts of blocks add up to the volume's, and intervals hold what they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import SettingsError, ShapeError
from chondria.evaluation.blocks import block_counts, iou_interval, iou_of_counts


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20)),
    st.integers(1, 25),
    st.integers(0, 2**32 - 1),
)
def test_blocks_partition_the_volume(shape, edge_px, seed) -> None:
    found, true = np.random.default_rng(seed).integers(0, 2, (2, *shape)).astype(bool)
    counts = block_counts(found, true, edge_px)
    assert len(counts) == -(-shape[1] // edge_px) * -(-shape[2] // edge_px)
    expected = [(found & true).sum(), (found & ~true).sum(), (~found & true).sum()]
    assert counts.sum(0).tolist() == expected


def test_a_block_goes_through_all_slices() -> None:
    found, true = np.zeros((2, 3, 4, 6), np.uint8)
    found[:, 0, 0] = 1
    true[:, 3, 5] = 7
    found[1, 3, 5] = true[1, 0, 0] = 1
    counts = block_counts(found, true, 3)
    assert counts.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 0], [1, 0, 2]]


def test_what_is_empty_is_perfect() -> None:
    assert iou_of_counts(np.array([[0, 0, 0], [1, 1, 2], [0, 0, 3]])).tolist() == [1, 0.25, 0]


def test_an_interval_holds_the_mean_and_narrows_with_blocks() -> None:
    rng = np.random.default_rng(0)

    def counts(blocks: int) -> np.ndarray:
        return rng.integers(50, 100, (4, blocks, 3))

    few, many = counts(5), counts(100)
    widths = []
    for some in (few, many):
        low, high = iou_interval(some)
        assert low <= iou_of_counts(some.sum(1)).mean() <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
    assert iou_interval(few) == iou_interval(few)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Blocks of independent voxels with a true IoU of one half."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        hits = rng.binomial(200, rng.beta(20, 20, (1, 30)))
        counts = np.stack([hits, 200 - hits, np.zeros_like(hits)], -1)
        low, high = iou_interval(counts)
        held += low <= 0.5 <= high
    assert 86 <= held <= 100


def test_bad_input_says_what_is_needed() -> None:
    with pytest.raises(SettingsError, match="blocks of 0 px"):
        block_counts(np.zeros((2, 2)), np.zeros((2, 2)), 0)
    with pytest.raises(ShapeError):
        block_counts(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"\(runs, blocks, 3\)"):
        iou_interval(np.zeros((3, 3), np.int64))
