"""One measure, from its values in every table to the comparison of conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.errors import DesignError
from chondria.groups.comparison import Comparison, compare_conditions
from chondria.groups.nested import NestedSample, nested_sample
from chondria.groups.place import LEVELS, Place, is_paired
from chondria.groups.scale import choose_scale
from chondria.groups.variance import VarianceShare, variance_shares

__all__ = ["MeasureComparison", "MeasuredValues", "compare_measure"]


@dataclass(frozen=True, eq=False, slots=True)
class MeasuredValues:
    """A measure as the tables hold it.

    Attributes
    ----------
    name : str
        The column.
    unit : str
        What has one value: ``object`` or ``image``.
    values : tuple of ndarray, (objects of the table,)
        One array for each table.
    places : tuple of Place
        Of each table.
    at_border, missing : int
        Objects that were left out, as they touch the border of their volume or have no value.
    """

    name: str
    unit: str
    values: tuple[NDArray[np.float64], ...]
    places: tuple[Place, ...]
    at_border: int = 0
    missing: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class MeasureComparison:
    """What was found of one measure.

    Attributes
    ----------
    measured : MeasuredValues
        What it rests on.
    scale : str
        ``log``: means are geometric and differences are ratios; or ``linear``.
    sample : NestedSample
        Values on that scale.
    comparison : Comparison
        Of the conditions, on that scale.
    variances : tuple of VarianceShare
        By level; none where no condition has two animals.
    """

    measured: MeasuredValues
    scale: str
    sample: NestedSample
    comparison: Comparison
    variances: tuple[VarianceShare, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that the design tells apart, and what has values."""
        told = [level for level in LEVELS if any(getattr(p, level) for p in self.measured.places)]
        return (*told, *(("object",) if self.measured.unit == "object" else ()))

    @property
    def lost_animals(self) -> tuple[str, ...]:
        """Animals of the design that have no value, in one of their conditions or in all."""
        all_of_them = dict.fromkeys(place.animal for place in self.measured.places)
        return tuple(name for name in all_of_them if name not in self.sample.animals)

    def shown(self, value: float) -> float:
        """Bring a mean back to the unit of the column."""
        return math.exp(value) if self.scale == "log" else value

    def shown_mean(self, condition: int) -> tuple[float, float, float]:
        """Mean of a condition and its 95 % interval, in the unit of the column."""
        model = self.comparison.model
        if model is None:
            mean = self.shown(float(self.comparison.means.of(condition).mean()))
            return mean, math.nan, math.nan
        low, high = model.interval(condition)
        return self.shown(float(model.means[condition])), self.shown(low), self.shown(high)


def compare_measure(
    measured: MeasuredValues, conditions: Sequence[str], scale: str = "auto", method: str = "auto"
) -> MeasureComparison:
    """Compare a measure between conditions.

    Parameters
    ----------
    measured : MeasuredValues
        The measure.
    conditions : sequence of str
        Two or more, the reference first.
    scale : str
        See `chondria.groups.scale.choose_scale`.
    method : str
        See `chondria.groups.comparison.compare_conditions`.

    Returns
    -------
    MeasureComparison
        Without a test where a condition has fewer than two animals.

    Raises
    ------
    DesignError
        If there are fewer than two conditions, or one has no value.
    SettingsError
        If scale or method cannot be had.
    """
    if len(conditions) < 2:
        raise DesignError(
            f"Found one condition only, '{conditions[0]}'; a comparison needs two or more."
        )
    chosen = choose_scale(measured.name, measured.values, scale)
    values = [np.log(array) if chosen == "log" else array for array in measured.values]
    sample = nested_sample(values, measured.places, conditions)
    if is_paired(measured.places) and not sample.animals:
        raise DesignError(
            f"Found no animal with a value of '{measured.name}' in each condition "
            f"({measured.at_border} objects at borders were left out in all); measure more images, "
            "or compare without it."
        )
    for i, name in enumerate(conditions):
        if not np.any(sample.condition_of_animal == i):
            raise DesignError(
                f"Found no value of '{measured.name}' in the condition '{name}' "
                f"({measured.at_border} objects at borders were left out in all); measure more "
                "images, or compare without it."
            )
    comparison = compare_conditions(sample, method)
    repeated = len(sample.animals) > len(conditions)
    shares = variance_shares(sample) if repeated else []
    return MeasureComparison(measured, chosen, sample, comparison, tuple(shares))
