"""Better only where it is: a permutation test against its exact distribution and by simulation."""

import numpy as np
import pytest

from chondria.errors import ShapeError
from chondria.evaluation.comparison import compare_counts


def runs(seed: int, n: int, blocks: int = 12, gain: float = 0.0, spread: float = 0.0):
    """Counts of runs whose IoU is about 0.8 plus the gain, with a deviation between the runs."""
    rng = np.random.default_rng(seed)
    share = 0.8 + gain + spread * rng.normal(size=(n, 1)) + 0.01 * rng.normal(size=(n, blocks))
    hits = (1000 * share.clip(0, 1)).astype(np.int64)
    return np.stack([hits, (1000 - hits) // 2, 1000 - hits - (1000 - hits) // 2], -1)


def test_the_same_models_scored_in_a_better_way_are_better() -> None:
    before = runs(0, 2)
    after = before + np.array([10, -5, -5])
    found = compare_counts(after, before, paired=True)
    assert found.verdict == "better"
    assert found.p_value == pytest.approx(2 / 2**12)
    assert found.low <= found.difference <= found.high
    assert found.difference == pytest.approx(0.01)
    assert found.sentence("A", "B").startswith("A is better than B: difference of IoU +0.0100")
    assert compare_counts(before, after, paired=True).verdict == "worse"


def test_two_runs_each_are_never_enough_to_tell() -> None:
    found = compare_counts(runs(0, 2, gain=0.05), runs(1, 2), paired=False)
    assert found.verdict == "no evidence"
    assert found.smallest_p == pytest.approx(1 / 3)
    said = found.sentence("A", "B")
    assert said.startswith("No evidence that A and B differ")
    assert "no p below 0.33: add runs" in said


def test_enough_runs_tell_a_gain_from_chance() -> None:
    better = compare_counts(runs(0, 5, gain=0.05), runs(1, 5), paired=False)
    assert better.verdict == "better"
    assert better.p_value == pytest.approx(2 / 252)
    alike = compare_counts(runs(2, 5, spread=0.01), runs(3, 5, spread=0.01), paired=False)
    assert alike.verdict == "no evidence"


def test_chance_is_called_a_difference_as_seldom_as_it_should() -> None:
    """Runs of one recipe with a deviation between runs that all blocks share."""
    called = sum(
        compare_counts(
            runs(2 * seed, 4, spread=0.01), runs(2 * seed + 1, 4, spread=0.01), paired=False
        ).verdict
        != "no evidence"
        for seed in range(100)
    )
    assert called <= 10


def test_identical_runs_do_not_differ() -> None:
    same = runs(0, 3)
    for paired in (True, False):
        found = compare_counts(same, same, paired=paired)
        assert (found.difference, found.p_value) == (0, 1)
        assert found.verdict == "no evidence"


def test_many_blocks_are_sampled() -> None:
    before = runs(0, 2, blocks=40)
    found = compare_counts(before + np.array([10, -5, -5]), before, paired=True)
    assert found.p_value < 0.01


def test_other_blocks_cannot_be_compared() -> None:
    with pytest.raises(ShapeError, match="same blocks"):
        compare_counts(runs(0, 2, blocks=3), runs(0, 2, blocks=4), paired=False)
    with pytest.raises(ShapeError, match="as many runs"):
        compare_counts(runs(0, 2), runs(0, 3), paired=True)
