"""Corrections of counts and sizes: exact where errors are, and intervals that hold the truth."""

import numpy as np
import pytest

from chondria.errors import SettingsError
from chondria.trust.error_units import ErrorUnits
from chondria.trust.propagation import MEASURES, correction_factor, propagate

MEASURED = {"count": 90.0, "number_density": 9.0, "total_volume": 50.0, "mean_volume": 5 / 9}


def units(true: list[list[float]], predicted: list[list[float]], length: bool = True) -> ErrorUnits:
    """Units of (count, volume, length), each in a block of its own; all begin inside."""
    wide = [
        np.insert(np.array(side, float), 1, np.array(side)[:, 0], axis=1)
        for side in (true, predicted)
    ]
    return ErrorUnits(*wide, np.arange(len(true)), length)


def simulated(n: float, rng: np.random.Generator, swelling: float = 0.1) -> ErrorUnits:
    """Objects of which some are missed, split, merged or made up, in 16 blocks."""
    true, predicted = [], []
    for kind in rng.choice(5, rng.poisson(n), p=(0.75, 0.07, 0.06, 0.05, 0.07)):
        volume = rng.lognormal(0, 0.8, 2 if kind == 3 else 1)
        found = volume.sum() * rng.lognormal(swelling, 0.15)
        t = [len(volume), volume.sum(), volume.sum()]
        p = [1, found, found]
        match kind:
            case 1:
                p = [0, 0, 0]
            case 2:
                p = [2, found, found]
            case 4:
                t, p = [0, 0, 0], [1, 0.3 * found, 0.3 * found]
        true.append(t)
        predicted.append(p)
    made = units(true, predicted)
    return ErrorUnits(made.true, made.predicted, rng.integers(0, 16, len(true)), True)


def measured(of: ErrorUnits, side: str) -> dict[str, float]:
    n, counted, volume, length = getattr(of, side).sum(0)
    sums = {
        "count": n,
        "number_density": counted,
        "total_volume": volume,
        "mean_volume": volume / n,
        "volume_fraction": volume,
        "total_length": length,
        "mean_length": length / n,
    }
    return sums | {"total_area": volume, "mean_area": volume / n, "area_fraction": volume}


def test_nine_of_ten_intervals_hold_the_true_value_of_a_new_volume() -> None:
    rng = np.random.default_rng(0)
    held = dict.fromkeys(MEASURES, 0)
    simulations = 200
    for seed in range(simulations):
        validation, new = simulated(30, rng), simulated(rng.choice([15, 60, 120]), rng)
        true = measured(new, "true")
        for c in propagate(validation, measured(new, "predicted"), draws=500, seed=seed):
            held[c.measure] += c.low <= true[c.measure] <= c.high
    assert min(held.values()) >= 0.9 * simulations, held
    # Intervals that hold everything would say nothing.
    width = np.mean([c.high / c.low for c in propagate(simulated(30, rng), MEASURED)])
    assert width < 2.5


def test_corrected_is_nearer_to_the_truth_on_average() -> None:
    rng = np.random.default_rng(1)
    before, after = [], []
    for _ in range(40):
        validation, new = simulated(60, rng, 0.3), simulated(200, rng, 0.3)
        true = new.true[:, 2].sum()
        found = measured(new, "predicted")
        corrected = {c.measure: c for c in propagate(validation, found, draws=100)}
        before.append(abs(found["total_volume"] / true - 1))
        after.append(abs(corrected["total_volume"].corrected / true - 1))
    assert np.mean(after) < 0.7 * np.mean(before)


def test_without_errors_nothing_is_corrected_and_counts_stay_in_doubt() -> None:
    same = [[1.0, 2.0, 3.0]] * 20
    found = {c.measure: c for c in propagate(units(same, same), MEASURED)}
    assert [c.factor for c in found.values()] == [1] * len(found)
    # Twenty objects without a miss do not show that none is ever missed.
    assert found["count"].low < 90 < found["count"].high
    assert found["total_volume"].low < 50 < found["total_volume"].high


def test_the_sentence_says_both_numbers() -> None:
    twice = units([[1.0, 1.0, 1.0]] * 40, [[2.0, 1.0, 1.0]] * 40)
    (count,) = propagate(twice, {"count": 80.0})
    assert count.factor == 0.5
    assert count.is_clear
    assert count.sentence().startswith(
        "Count: 80 measured; the errors on 40 objects let 40 be expected, "
    )
    same = [[1.0, 1.0, 1.0]] * 8
    (count,) = propagate(units(same, same), {"count": 10.0})
    assert not count.is_clear
    assert "no clear bias, the true value lies in" in count.sentence()


def test_lengths_only_where_they_were_measured() -> None:
    plain = units([[1.0, 1.0, 0.0]] * 5, [[1.0, 1.0, 0.0]] * 5, length=False)
    found = propagate(plain, {"count": 5.0, "total_length": 3.0})
    assert [c.measure for c in found] == ["count"]


def test_nothing_found_gives_no_correction() -> None:
    missed = units([[1.0, 1.0, 1.0]] * 5, [[0.0, 0.0, 0.0]] * 5)
    assert propagate(missed, MEASURED) == []
    assert np.isnan(correction_factor(missed, "count"))
    good = units([[1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]])
    assert propagate(good, {"count": 0.0}) == []


def test_a_seed_is_enough() -> None:
    validation = simulated(20, np.random.default_rng(2))
    assert propagate(validation, MEASURED) == propagate(validation, MEASURED)
    assert propagate(validation, MEASURED) != propagate(validation, MEASURED, seed=1)


@pytest.mark.parametrize("wrong", [{}, {"total_volume": 1.0}, {"count": 1.0, "area": 2.0}])
def test_unknown_measures_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="count is needed"):
        propagate(units([[1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]]), wrong)
