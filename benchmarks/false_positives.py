"""How often `chondria stats` finds a difference where there is none, and where there is one.

Experiments are drawn in which mitochondria are nested in cells and animals
(chondria.groups.simulation), and compared at the 5 % level: by the default of `chondria stats`, by
its other methods, and by what is often done instead: a t-test over all objects or over cells, a
mixed model with Wald's z-test, and percentiles of a nested bootstrap. Prints for each design the
share of experiments with p < 0.05 and how often the 95 % interval holds the truth, and one line of
JSON. In paired designs each animal has both conditions and reacts in its own way; beside the
default, signs are flipped, and pairs are forgotten.

    python benchmarks/false_positives.py [--repeats 2000] [--mixed 500] [--bootstrap 500]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from chondria.groups.animal_means import animal_means, parents, unit_means
from chondria.groups.comparison import fit_conditions
from chondria.groups.linear_model import ConditionModel, equal_variances
from chondria.groups.nested import NestedSample
from chondria.groups.permutation import flip_signs, permute_animals
from chondria.groups.simulation import NestedDesign, simulate

__all__ = ["main"]

UNEVEN = {"cells": (1, 6), "objects": (3, 60)}
DESIGNS = {
    "5 + 5 animals, 3 cells, 20 objects": NestedDesign(),
    "3 + 3 animals, 3 cells, 20 objects": NestedDesign((3, 3)),
    "6 + 6 animals, 4 cells, 30 objects, animals vary more": NestedDesign(
        (6, 6), (4, 4), (30, 30), (0.2, 0.1, 0.7)
    ),
    "5 + 5 animals, 3 cells, 20 objects, animals vary little": NestedDesign(
        variances=(0.02, 0.08, 0.9)
    ),
    "5 + 5 animals, 1-6 cells, 3-60 objects": NestedDesign(**UNEVEN),
    "3 + 6 animals, 1-6 cells, 3-60 objects": NestedDesign((3, 6), **UNEVEN),
    "5 + 5 animals, the first twice as spread": NestedDesign(spreads=(2.0, 1.0)),
    "3 + 6 animals, the first twice as spread": NestedDesign((3, 6), spreads=(2.0, 1.0)),
    "4 + 4 + 4 animals, 3 cells, 20 objects": NestedDesign((4, 4, 4), spreads=(1.0, 1.0, 1.0)),
    "effect 0.6: 5 + 5 animals, 3 cells, 20 objects": NestedDesign(effect=0.6),
    "effect 0.6: 5 + 5 animals, 1-6 cells, 3-60 objects": NestedDesign(effect=0.6, **UNEVEN),
    "effect 1.0: 5 + 5 animals, 3 cells, 20 objects": NestedDesign(effect=1.0),
    "effect 1.0: 3 + 3 animals, 3 cells, 20 objects": NestedDesign((3, 3), effect=1.0),
    "paired: 6 animals, 3 cells, 20 objects": NestedDesign((6, 6), reactions=0.05),
    "paired: 3 animals, 3 cells, 20 objects": NestedDesign((3, 3), reactions=0.05),
    "paired: 5 animals that vary much and react alike": NestedDesign(
        variances=(0.3, 0.1, 0.6), reactions=0.01
    ),
    "paired: 5 animals that react each in its own way": NestedDesign(
        variances=(0.1, 0.1, 0.6), reactions=0.2
    ),
    "paired: 6 animals, 1-6 cells, 3-60 objects": NestedDesign((6, 6), reactions=0.05, **UNEVEN),
    "paired: 5 animals, reactions to the first twice as spread": NestedDesign(
        spreads=(2.0, 1.0), reactions=0.1
    ),
    "paired: 6 animals, 3 conditions": NestedDesign(
        (6, 6, 6), spreads=(1.0, 1.0, 2.0), reactions=0.05
    ),
    "effect 0.6, paired: 5 animals, 3 cells, 20 objects": NestedDesign(
        variances=(0.05, 0.1, 0.8), effect=0.6, reactions=0.05
    ),
    "effect 0.6, paired: 5 animals that react alike": NestedDesign(
        variances=(0.09, 0.1, 0.8), effect=0.6, reactions=0.01
    ),
}
Test = Callable[[NestedSample, float], tuple[float, bool | None]]
REPORTED = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000, help="experiments of each design")
    parser.add_argument(
        "--seeds", type=int, default=10, help="times 500 experiments, reported singly"
    )
    parser.add_argument("--mixed", type=int, default=500, help="experiments with mixed models")
    parser.add_argument("--bootstrap", type=int, default=500, help="experiments with a bootstrap")
    parser.add_argument("--only", default="", help="designs whose name holds this")
    options = parser.parse_args()
    naive = {"t-test over cells": _cells, "t-test over objects": _objects}
    record: dict[str, object] = {"options": vars(options)}
    for place, (name, design) in enumerate(DESIGNS.items()):
        if options.only not in name:
            continue
        print(f"\n{name}", flush=True)
        quick = {"default": _by("auto")} | (UNPAIRED if design.reactions is None else PAIRED)
        found = _rates(design, quick | naive, options.repeats, (place, 0))
        if len(design.animals) == 2:
            mixed = {"mixed": _by("mixed"), "mixed, Wald z": _wald}
            found |= _rates(design, mixed, options.mixed, (place, 1))
        if len(design.animals) == 2 and design.reactions is None:
            found |= _rates(design, {"bootstrap": _bootstrap}, options.bootstrap, (place, 2))
        for method, row in found.items():
            covered = "-" if row["covered"] is None else f"{row['covered']:.2%}"
            rates = f"p < 0.05: {row['rejected']:6.2%}  coverage: {covered:>6}"
            print(f"  {method:<20} {rates}  n = {row['n']}")
        default = {"default": quick["default"]}
        blocks = [
            _rates(design, default, REPORTED, (place, 3, seed))["default"]["rejected"]
            for seed in range(options.seeds)
        ]
        told = f"{np.mean(blocks):.2%} = mean of {', '.join(map('{:.1%}'.format, blocks))}"
        print(f"  default, {REPORTED} experiments each: {told}", flush=True)
        record[name] = found | {"blocks": blocks}
    print(json.dumps(record))


def _rates(
    design: NestedDesign, tests: dict[str, Test], repeats: int, seed: Sequence[int]
) -> dict[str, dict[str, float | None]]:
    """Share of experiments with p < 0.05, and of intervals that hold the truth."""
    rng = np.random.default_rng(seed)
    outcomes = defaultdict(list)
    for _ in range(repeats):
        sample = simulate(design, rng)
        for name, test in tests.items():
            outcomes[name].append(test(sample, design.effect))
    return {
        name: {
            "rejected": float(np.mean([p < 0.05 for p, _ in rows])),
            "covered": None if rows[0][1] is None else float(np.mean([held for _, held in rows])),
            "n": len(rows),
        }
        for name, rows in outcomes.items()
    }


# Methods are tried one after the other on the same sample.
@lru_cache(maxsize=8)
def _fitted(sample: NestedSample, method: str) -> ConditionModel:
    model = fit_conditions(sample, method)
    assert model is not None
    return model


def _by(method: str) -> Test:
    def test(sample: NestedSample, effect: float) -> tuple[float, bool]:
        model = _fitted(sample, method)
        difference = model.difference(0, 1)
        return model.omnibus_p, difference.low <= effect <= difference.high

    return test


def _permutation(sample: NestedSample, effect: float) -> tuple[float, None]:
    means = animal_means(sample)
    return permute_animals(means.of(0), means.of(1)).p_value, None


def _flipped(sample: NestedSample, effect: float) -> tuple[float, None]:
    means = animal_means(sample)
    return flip_signs(means.of(1) - means.of(0)).p_value, None


def _forgotten(sample: NestedSample, effect: float) -> tuple[float, bool]:
    """Student's t-test as if the animals of the two conditions were others."""
    model = equal_variances(animal_means(sample))
    difference = model.difference(0, 1)
    return model.omnibus_p, difference.low <= effect <= difference.high


def _objects(sample: NestedSample, effect: float) -> tuple[float, bool]:
    return _student(sample.values, sample.condition, effect)


def _cells(sample: NestedSample, effect: float) -> tuple[float, bool]:
    of_cell = parents(sample.units[1], sample.condition)
    return _student(unit_means(sample.values, sample.units[1]), of_cell, effect)


def _student(
    values: NDArray[np.float64], condition: NDArray[np.intp], effect: float
) -> tuple[float, bool]:
    found = stats.ttest_ind(values[condition == 1], values[condition == 0])
    interval = found.confidence_interval()
    return float(found.pvalue), bool(interval.low <= effect <= interval.high)


def _wald(sample: NestedSample, effect: float) -> tuple[float, bool]:
    """What statsmodels prints: the estimate by its standard error, taken for normal."""
    difference = _fitted(sample, "mixed").difference(0, 1)
    z = abs(difference.value) / difference.standard_error
    off = abs(difference.value - effect) / difference.standard_error
    return 2 * float(stats.norm.sf(z)), bool(off <= stats.norm.isf(0.025))


def _bootstrap(sample: NestedSample, effect: float, draws: int = 500) -> tuple[float, bool]:
    """Draw animals with replacement, and cells within each: percentiles of the difference."""
    rng = np.random.default_rng(0)
    cells = unit_means(sample.values, sample.units[1])
    of_cell = parents(sample.units[1], sample.units[0])
    by_animal = [cells[of_cell == animal] for animal in range(len(sample.animals))]
    drawn = []
    for condition in (0, 1):
        here = [by_animal[i] for i in np.flatnonzero(sample.condition_of_animal == condition)]
        picks = rng.integers(0, len(here), (draws, len(here)))
        values = np.empty(picks.shape)
        for i, own in enumerate(here):
            at = picks == i
            values[at] = own[rng.integers(0, len(own), (np.count_nonzero(at), len(own)))].mean(1)
        drawn.append(values.mean(1))
    differences = drawn[1] - drawn[0]
    low, high = np.quantile(differences, (0.025, 0.975))
    below = np.mean(differences <= 0)
    return 2 * float(min(below, 1 - below)), bool(low <= effect <= high)


UNPAIRED: dict[str, Test] = {
    "Student": _by("student"),
    "Welch": _by("welch"),
    "permutation": _permutation,
}
PAIRED: dict[str, Test] = {"signs flipped": _flipped, "pairs forgotten": _forgotten}

if __name__ == "__main__":
    main()
