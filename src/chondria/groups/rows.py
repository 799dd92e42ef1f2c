"""The tables of a comparison, as rows of plain values for CSV files."""

from __future__ import annotations

from collections.abc import Sequence

from chondria.groups.comparison import holm
from chondria.groups.measure import MeasureComparison

__all__ = ["animal_rows", "condition_rows", "contrast_rows", "variance_rows"]

Row = dict[str, str | int | float]


def contrast_rows(found: Sequence[MeasureComparison]) -> list[Row]:
    """One row for each measure and pair of conditions.

    Parameters
    ----------
    found : sequence of MeasureComparison
        All measures that were compared.

    Returns
    -------
    list of dict
        `estimate` is the ratio of the geometric mean of `condition` to that of `against` (`scale`
        is log), or the difference of their means; `p` and the interval are of the pair alone,
        `p_holm` is corrected for the pairs of its measure, `p_holm_all` for all rows.
    """
    pairs = [(one, contrast) for one in found for contrast in one.comparison.contrasts]
    corrected = holm([contrast.difference.p_value for _, contrast in pairs])
    rows = []
    for (one, contrast), p_all in zip(pairs, corrected, strict=True):
        a, b, difference = contrast.a, contrast.b, contrast.difference
        model = one.comparison.model
        rows.append(
            _named(one, b)
            | {"against": one.sample.conditions[a]}
            | {
                "scale": one.scale,
                "estimate": one.shown(difference.value),
                "low": one.shown(difference.low),
                "high": one.shown(difference.high),
                "method": model.method if model else "none",
                "freedom": difference.freedom,
                "p": difference.p_value,
                "p_holm": contrast.p_holm,
                "p_holm_all": p_all,
                "p_omnibus": model.omnibus_p if model else float("nan"),
                "p_permutation": contrast.permutation.p_value,
                "smallest_p_permutation": contrast.permutation.smallest_p,
                "hedges_g_of": "differences" if one.sample.paired else "animals",
                "hedges_g": contrast.effect.value,
                "hedges_g_low": contrast.effect.low,
                "hedges_g_high": contrast.effect.high,
                "detectable": one.shown(contrast.detectable),
            }
        )
    return rows


def condition_rows(found: Sequence[MeasureComparison]) -> list[Row]:
    """One row for each measure and condition: mean, interval and what it rests on."""
    rows = []
    for one in found:
        for i, _ in enumerate(one.sample.conditions):
            mean, low, high = one.shown_mean(i)
            counts = {f"{level}s": one.sample.count(level, i) for level in one.levels}
            kind = "geometric mean" if one.scale == "log" else "mean"
            figures: Row = {"kind": kind, "mean": mean, "low": low, "high": high}
            rows.append(_named(one, i) | figures | counts)
    return rows


def animal_rows(found: Sequence[MeasureComparison]) -> list[Row]:
    """One row for each measure and animal: the values that were compared."""
    rows = []
    for one in found:
        means = one.comparison.means
        for i, name in enumerate(one.sample.animals):
            here = one.sample.units[0] == i
            row = _named(one, int(means.condition[i]))
            mean = one.shown(float(means.values[i]))
            rows.append(
                row | {"animal": name, "mean": mean, f"{one.measured.unit}s": int(here.sum())}
            )
    return rows


def variance_rows(found: Sequence[MeasureComparison]) -> list[Row]:
    """One row for each measure and level: how much of the variance lies there."""
    return [
        {
            "measure": one.measured.name,
            "scale": one.scale,
            "level": share.level,
            "units": share.units,
            "variance": share.variance,
            "share": share.share,
            "icc": share.icc,
        }
        for one in found
        for share in one.variances
    ]


def _named(one: MeasureComparison, condition: int) -> Row:
    return {"measure": one.measured.name, "condition": one.sample.conditions[condition]}
