"""Distributions side by side: every value a dot, median and quartiles over them, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import quantiles

from chondria.report.axis import Axis
from chondria.report.markup import said

__all__ = ["strip_plot"]

WIDTH, NAME, ROW, BOTTOM = 560, 150, 40, 26
MOST_DOTS = 400
# Steps of the golden ratio spread dots evenly over the height of a row, the same in every page.
GOLDEN = 0.6180339887


def strip_plot(values: Mapping[str, Sequence[float]], label: str) -> str:
    """Draw the values of each group in a row of their own, over one axis.

    Parameters
    ----------
    values : mapping of str to sequence of float
        Of each group by its name; finite.
    label : str
        What is measured, with its unit.

    Returns
    -------
    str
        SVG. The axis is logarithmic where most values would else stand at its one end.
    """
    axis = Axis.of([value for group in values.values() for value in group])
    height = ROW * len(values) + BOTTOM
    groups = enumerate(values.items())
    rows = "".join(_row(name, group, place, axis) for place, (name, group) in groups)
    ticks = "".join(
        f'<text x="{_x(axis, tick):.1f}" y="{height - 8}" text-anchor="middle">{said(tick)}</text>'
        f'<path class="grid" d="M{_x(axis, tick):.1f} 0V{height - BOTTOM}"/>'
        for tick in axis.ticks()
    )
    medians = "; ".join(f"{name}: {_spoken(group)}" for name, group in values.items())
    return (
        f'<svg class="strips" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(f"{label}. {medians}")}">{ticks}{rows}</svg>'
    )


def _x(axis: Axis, value: float) -> float:
    return NAME + 12 + axis.share(value) * (WIDTH - NAME - 40)


def _row(name: str, values: Sequence[float], place: int, axis: Axis) -> str:
    top, middle = ROW * place, ROW * (place + 0.5)
    ordered = sorted(values)
    step = max(1, -(-len(ordered) // MOST_DOTS))
    heights = [top + 7 + (i * GOLDEN % 1) * (ROW - 14) for i in range(len(ordered))]
    dots = "".join(
        f'<circle cx="{_x(axis, value):.1f}" cy="{y:.1f}" r="2.6"/>'
        for value, y in zip(ordered[step // 2 :: step], heights, strict=False)
    )
    box = ""
    if len(ordered) > 1:
        low, median, high = (_x(axis, q) for q in quantiles(ordered, n=4, method="inclusive"))
        box = (
            f'<path class="quartiles" d="M{low:.1f} {middle}H{high:.1f}"/>'
            f'<path class="median" d="M{median:.1f} {top + 6}V{top + ROW - 6}"/>'
        )
    short = name if len(name) <= 20 else f"…{name[-19:]}"
    text = (
        f'<text class="name" x="{NAME}" y="{middle + 4}" text-anchor="end">{escape(short)}</text>'
    )
    return f'<g class="run-{place % 5}">{text}{dots}{box}</g>'


def _spoken(values: Sequence[float]) -> str:
    if not values:
        return "no object"
    ordered = sorted(values)
    return f"{len(values)} objects, median {said(float(ordered[len(ordered) // 2]))}"
