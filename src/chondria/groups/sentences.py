"""What a comparison says, in sentences for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from chondria.groups.comparison import Contrast
from chondria.groups.measure import MeasureComparison

__all__ = ["effect_name", "number", "p_text", "sentences"]

SIGNIFICANT = 0.05
MANY = {"animal": "animals", "cell": "cells", "image": "images", "object": "objects"}


def sentences(found: MeasureComparison) -> list[str]:
    """Say what differs, by how much, how sure that is and what it rests on.

    Parameters
    ----------
    found : MeasureComparison
        One measure.

    Returns
    -------
    list of str
        One sentence for two conditions; for more, one over all and one for each pair. A further
        one for animals without values.
    """
    said = []
    if len(found.sample.conditions) > 2:
        said.append(_overall(found))
    said += [_pair(found, contrast) for contrast in found.comparison.contrasts]
    if found.lost_animals:
        where = " in some condition" if found.sample.paired else ""
        lost = ", ".join(found.lost_animals)
        left_out = " (left out)" if found.sample.paired else ""
        said.append(f"No value of {found.measured.name}{where}: animal {lost}{left_out}.")
    return said


def p_text(p: float) -> str:
    """Write a p-value."""
    if not math.isfinite(p):
        return "no p-value"
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}" if p < 0.095 else f"p = {p:.2f}"


def number(value: float) -> str:
    """Write three digits."""
    return "-" if not math.isfinite(value) else f"{value:.3g}"


def _overall(found: MeasureComparison) -> str:
    name, model = found.measured.name, found.comparison.model
    count = len(found.sample.conditions)
    counts = _counts(found, range(count))
    if model is None:
        rest = count - np.count_nonzero(found.comparison.means.animals < 2)
        advice = "; take it out of the design to compare the others" if rest > 1 else ""
        why = f"{_lonely(found)}{advice}; {counts}"
        return f"{name}: no test of {count} conditions is possible, {why}."
    p = model.omnibus_p
    told = "differs" if p < SIGNIFICANT else "shows no evidence of a difference"
    return f"{name} {told} between {count} conditions: {p_text(p)} ({model.method}); {counts}."


def _pair(found: MeasureComparison, contrast: Contrast) -> str:
    a, b = (found.sample.conditions[i] for i in (contrast.a, contrast.b))
    name, difference = found.measured.name, contrast.difference
    counts = f"; {_counts(found, (contrast.a, contrast.b))}" if _is_only(found) else ""
    if found.comparison.model is None:
        return (
            f"{name}: no test is possible between {a} and {b}, {_lonely(found)}; their "
            f"{_kind(found)}s are {_mean(found, contrast.a)} and {_mean(found, contrast.b)} "
            f"({_size(found, difference.value)}), and other animals may show anything else{counts}."
        )
    if not math.isfinite(difference.p_value):
        return f"{name} does not vary between animals of {a} and {b}, so nothing can be tested."
    told = f"{_size(found, difference.value)}, {_figures(found, contrast)}{counts}"
    if contrast.p_holm < SIGNIFICANT:
        than = "larger" if difference.value > 0 else "smaller"
        return f"{name} is {than} in {b} than in {a}: {told}."
    return (
        f"No evidence that {name} differs between {a} and {b}: {told}; such an experiment finds a "
        f"{_size(found, contrast.detectable)} four times out of five."
    )


def _figures(found: MeasureComparison, contrast: Contrast) -> str:
    difference, effect, model = contrast.difference, contrast.effect, found.comparison.model
    assert model is not None
    low, high = (number(found.shown(x)) for x in (difference.low, difference.high))
    test = f"{p_text(difference.p_value)} ({model.method}, "
    test += f"{difference.freedom:.3g} degrees of freedom)"
    if not _is_only(found):
        test = f"{p_text(difference.p_value)}, {p_text(contrast.p_holm)} among all pairs (Holm)"
    said = f"95 % interval {low} to {high}, {test}"
    if not math.isfinite(effect.value):  # of two pairs there is none
        return said
    bounds = f"({effect.low:.2f} to {effect.high:.2f})"
    return f"{said}, {effect_name(found)} {effect.value:.2f} {bounds}"


def effect_name(found: MeasureComparison) -> str:
    """Say what the difference was divided by: it is not the same in a paired design."""
    return "Hedges' g of the differences" if found.sample.paired else "Hedges' g"


def _is_only(found: MeasureComparison) -> bool:
    return len(found.comparison.contrasts) == 1


def _size(found: MeasureComparison, difference: float) -> str:
    if found.scale == "log":
        return f"ratio of geometric means {number(math.exp(difference))}"
    return f"difference of means {number(difference)}"


def _kind(found: MeasureComparison) -> str:
    return "geometric mean" if found.scale == "log" else "mean"


def _mean(found: MeasureComparison, condition: int) -> str:
    return number(found.shown_mean(condition)[0])


def _counts(found: MeasureComparison, conditions: Iterable[int]) -> str:
    def of(condition: int) -> str:
        counted = [(found.sample.count(level, condition), level) for level in found.levels]
        told = ", ".join(f"{n} {level if n == 1 else MANY[level]}" for n, level in counted)
        return f"{told} of {found.sample.conditions[condition]}"

    told = "; ".join(of(condition) for condition in conditions)
    return f"n = {told}{'; the same animals' if found.sample.paired else ''}"


def _lonely(found: MeasureComparison) -> str:
    """Name the conditions with one animal."""
    counts = found.comparison.means.animals
    names = [name for name, n in zip(found.sample.conditions, counts, strict=True) if n < 2]
    return f"as {_listed(names)} {'has' if len(names) == 1 else 'have'} one animal only"


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
