"""What segmentation errors do to counts, volumes and lengths, and what is to be expected instead.

On validation slices truth and prediction are both known, so that their ratio says by which factor
a count or a volume is off. Applied to another volume it gives the number to expect there. Its
interval covers two kinds of chance: which errors the validation slices happened to hold, and
which the other volume holds. Both are drawn by bootstrap, once over objects (units of error) and
once over blocks of tissue, as errors may come in clusters; the interval that is stated covers
both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError
from chondria.trust.correction import Correction
from chondria.trust.error_units import COUNT, COUNTED, LENGTH, QUANTITIES, VOLUME, ErrorUnits

__all__ = ["MEASURES", "correction_factor", "propagate"]

Sums = NDArray[np.float64]

DRAWS: Final = 4000
LEVEL: Final = 0.95
# Of two units that the validation slices may happen not to hold, an object of median size missed
# and one made up, half each is added.
PSEUDO_WEIGHT: Final = 0.5

Ratio = Callable[[Sums, Sums], NDArray[np.float64]]


def _total(quantity: int) -> Ratio:
    return lambda true, predicted: _over(true[..., quantity], predicted[..., quantity])


def _mean(quantity: int) -> Ratio:
    def ratio(true: Sums, predicted: Sums) -> NDArray[np.float64]:
        means = [_over(side[..., quantity], side[..., COUNT]) for side in (true, predicted)]
        return _over(*means)

    return ratio


# Name, unit and factor of every measure. Of a single slice, areas of profiles are what volumes are.
MEASURES: Final[dict[str, tuple[str, Ratio]]] = {
    "count": ("", _total(COUNT)),
    "number_density": ("per um3", _total(COUNTED)),
    "total_volume": ("um3", _total(VOLUME)),
    "mean_volume": ("um3", _mean(VOLUME)),
    "volume_fraction": ("", _total(VOLUME)),
    "total_area": ("um2", _total(VOLUME)),
    "mean_area": ("um2", _mean(VOLUME)),
    "area_fraction": ("", _total(VOLUME)),
    "total_length": ("um", _total(LENGTH)),
    "mean_length": ("um", _mean(LENGTH)),
}


def propagate(
    units: ErrorUnits, measured: dict[str, float], *, draws: int = DRAWS, seed: int = 0
) -> list[Correction]:
    """Correct what was measured of a new volume by the errors on validation slices.

    Parameters
    ----------
    units : ErrorUnits
        Of the validation slices.
    measured : dict
        Some of `MEASURES`, of the new volume; `count` is needed, as it says how much tissue
        there is. Lengths are passed over where the units have none.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    list of Correction
        Without those whose factor the validation slices do not tell, where nothing was found
        there; none where nothing was found in the new volume, as 0 times a factor says nothing of
        what was missed.

    Raises
    ------
    SettingsError
        If a measure is unknown, or there is no count.
    """
    if "count" not in measured or not set(measured) <= set(MEASURES):
        raise SettingsError(
            f"Found the measures {', '.join(measured) or 'none'} to correct; allowed are "
            f"{', '.join(MEASURES)}, and count is needed."
        )
    if not measured["count"]:
        return []
    rng = np.random.default_rng(seed)
    sides = [_sums_by_object(units, measured["count"], draws, rng)]
    sides += [_sums_by_block(units, measured["count"], draws, rng)]
    found = []
    for name, value in measured.items():
        if "length" not in name or units.has_length:
            found.append(_correction(name, value, units, sides))
    return [correction for correction in found if correction is not None]


def correction_factor(units: ErrorUnits, measure: str) -> float:
    """Factor of a measure on the validation slices: truth over prediction; NaN for 0 / 0."""
    return float(MEASURES[measure][1](units.true.sum(0), units.predicted.sum(0)))


def _correction(
    name: str, value: float, units: ErrorUnits, sides: list[tuple[Sums, Sums]]
) -> Correction | None:
    unit, ratio = MEASURES[name]
    factor = correction_factor(units, name)
    sizes = (len(units), np.unique(units.block).size)
    by_objects, by_blocks = (
        _interval(ratio(*side), n) for side, n in zip(sides, sizes, strict=True)
    )
    if not np.isfinite(factor) or by_objects is None or by_blocks is None:
        return None
    objects, blocks = ((value * low, value * high) for low, high in (by_objects, by_blocks))
    low, high = min(objects[0], blocks[0]), max(objects[1], blocks[1])
    return Correction(
        name, unit, value, factor, value * factor, low, high, *objects, *blocks, len(units)
    )


def _interval(draws: NDArray[np.float64], n: int) -> tuple[float, float] | None:
    """Percentiles of draws of n things; None where most draws say nothing.

    Of few things percentiles are too narrow; they are expanded as much as Student's interval is
    wider than that of the normal distribution (Hesterberg 2015, doi:10.1080/00031305.2015.1089789).
    """
    from scipy.stats import norm, t

    known = draws[np.isfinite(draws)]
    if 2 * known.size < draws.size:
        return None
    degrees = max(n - 1, 1)
    reach = math.sqrt(n / degrees) * t.ppf((1 + LEVEL) / 2, degrees)
    low, high = np.quantile(known, norm.cdf((-reach, reach)))
    return float(low), float(high)


def _sums_by_object(
    units: ErrorUnits, count: float, draws: int, rng: np.random.Generator
) -> tuple[Sums, Sums]:
    """Draw whole volumes of units of error, with those that may exist though none was seen."""
    nothing = np.zeros(QUANTITIES)
    true = np.vstack([units.true, _typical(units.true), nothing])
    predicted = np.vstack([units.predicted, nothing, _typical(units.predicted)])
    prior = np.append(np.ones(len(units)), (PSEUDO_WEIGHT, PSEUDO_WEIGHT))
    return _drawn(true, predicted, prior, _scale(units, count), draws, rng)


def _typical(side: Sums) -> NDArray[np.float64]:
    """Quantities of one object of median size."""
    present = side[side[:, COUNT] > 0]
    if not len(present):
        return np.array([1.0, 1.0, 0.0, 0.0])
    median: NDArray[np.float64] = np.median(present / present[:, [COUNT]], axis=0)
    median[COUNTED] = 1.0
    return median


def _sums_by_block(
    units: ErrorUnits, count: float, draws: int, rng: np.random.Generator
) -> tuple[Sums, Sums]:
    """Draw whole volumes of blocks."""
    blocks, where = np.unique(units.block, return_inverse=True)
    true, predicted = np.zeros((2, max(blocks.size, 1), QUANTITIES))
    np.add.at(true, where, units.true)
    np.add.at(predicted, where, units.predicted)
    return _drawn(true, predicted, np.ones(len(true)), _scale(units, count), draws, rng)


def _scale(units: ErrorUnits, count: float) -> float:
    """How many times the tissue of the validation slices the new volume holds."""
    return count / max(float(units.predicted[:, COUNT].sum()), 1.0)


def _drawn(
    true: Sums,
    predicted: Sums,
    prior: NDArray[np.float64],
    scale: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Sums, Sums]:
    """Sums (draws, 4) of truth and prediction over new volumes.

    How frequent each unit is: a Dirichlet draw (the Bayesian bootstrap, Rubin 1981); which units a
    new volume holds: a multinomial draw from that.
    """
    n = max(1, round(scale * len(true)))
    held = rng.multinomial(n, rng.dirichlet(prior, draws))
    return held @ true, held @ predicted


def _over(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; NaN by zero."""
    quotient: NDArray[np.float64] = np.divide(
        a, b, out=np.full(np.shape(a), np.nan), where=np.asarray(b) > 0
    )
    return quotient
