"""Counts by level of probability, whole and in blocks."""

import numpy as np
import pytest

from chondria.errors import PixelValueError, ShapeError
from chondria.trust.level_counts import block_level_counts, level_counts


@pytest.mark.parametrize("shape", [(3, 37, 50), (1, 2, 3), (2, 4, 1)])
def test_blocks_add_up_to_the_whole(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, shape, dtype=np.uint8)
    truth = rng.integers(0, 3, shape)
    whole = level_counts(levels, truth)
    blocks = block_level_counts(levels, truth)
    total = sum(blocks[1:], blocks[0])
    np.testing.assert_array_equal(total.every, whole.every)
    np.testing.assert_array_equal(total.foreground, whole.foreground)
    np.testing.assert_array_equal(whole.every, np.bincount(levels.ravel(), minlength=256))
    assert whole.foreground.sum() == np.count_nonzero(truth)
    assert whole.pixels == levels.size


def test_what_is_no_map_of_8_bits_is_refused() -> None:
    with pytest.raises(PixelValueError, match="float64"):
        level_counts(np.zeros((1, 2, 2)), np.zeros((1, 2, 2)))
    with pytest.raises(ShapeError):
        level_counts(np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 3)))
