"""Line charts as SVG: values against steps; in a page, read under the pointer or by keys."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TypeGuard

from chondria.report.axis import Axis
from chondria.report.drawing import Drawing, figure
from chondria.report.markup import said

__all__ = ["LineChart", "chart_figure", "line_chart"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 270, 52, 24, 22, 42
FLOOR = HEIGHT - BOTTOM
# So many colours lines have; later ones begin again.
COLOURS = 5
# More points only make a line thicker.
MOST_DOTS = 40


@dataclass(frozen=True, eq=False, slots=True)
class LineChart:
    """Lines over one axis.

    Attributes
    ----------
    name : str
        What is drawn upwards; the chart's title.
    along : str
        What is drawn to the right.
    x : sequence of float
        Rising.
    lines : mapping of str to sequence of float or None
        One value for each x by the name of its line; None, or what is not finite, leaves a gap.
    mark : tuple of (float, str) or None
        A place along x that matters, and why.
    """

    name: str
    along: str
    x: Sequence[float]
    lines: Mapping[str, Sequence[float | None]]
    mark: tuple[float, str] | None = None

    @property
    def across(self) -> Axis:
        """The axis of x."""
        return Axis.of(self.x)

    @property
    def upwards(self) -> Axis:
        """The axis of the values, a little longer than they need."""
        axis = Axis.of([value for line in self.lines.values() for value in _known(line)])
        if axis.logarithmic:
            return Axis(axis.low / 1.1, axis.high * 1.1, logarithmic=True)
        spare = (axis.high - axis.low) / 20
        return Axis(axis.low - spare, axis.high + spare)


def line_chart(chart: LineChart) -> Drawing:
    """Draw a chart."""
    across, upwards = chart.across, chart.upwards
    drawn = "".join(
        _line(name, values, chart, place)
        for place, (name, values) in enumerate(chart.lines.items())
    )
    body = f"{_frame(chart, across, upwards)}{_mark(chart)}{drawn}"
    legend = [(_colour(place), escape(name)) for place, name in enumerate(chart.lines)]
    return Drawing("lines", WIDTH, HEIGHT, _spoken(chart), body, legend)


def chart_figure(chart: LineChart) -> str:
    """Put a chart into a figure of the page, where its values are read by pointer and keys."""
    rest = "" if chart.mark is None else f"{chart.mark[1]}: {_values(chart, chart.mark[0])}"
    data = {
        "x": [f"{chart.along} {said(x)}" for x in chart.x],
        "at": [_x(chart, x) for x in chart.x],
        "lines": [
            {"name": name, "values": [_said(value) for value in values]}
            for name, values in chart.lines.items()
        ],
        "rest": rest,
    }
    attributes = (
        f' class="chart" data-top="{TOP}" data-floor="{FLOOR}" '
        f'data-chart="{escape(json.dumps(data, ensure_ascii=False))}"'
    )
    readout = f'<p class="readout">{escape(rest)}</p>'
    return figure(chart.name, line_chart(chart), attributes, readout)


def _colour(place: int) -> str:
    return f"line-{place % COLOURS}"


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _known(values: Sequence[float | None]) -> list[float]:
    return [float(value) for value in values if _is_known(value)]


def _said(value: float | None) -> str:
    return said(float(value)) if _is_known(value) else "–"


def _values(chart: LineChart, at: float) -> str:
    """Say the values at a place of x, the nearest one that there is."""
    place = min(range(len(chart.x)), key=lambda i: abs(chart.x[i] - at))
    values = [f"{name} {_said(line[place])}" for name, line in chart.lines.items()]
    return " · ".join([f"{chart.along} {said(chart.x[place])}", *values])


def _spoken(chart: LineChart) -> str:
    ends = [
        f"{name} from {_said(line[0])} to {_said(line[-1])}" for name, line in chart.lines.items()
    ]
    mark = [] if chart.mark is None else [f"{chart.mark[1]}: {_values(chart, chart.mark[0])}"]
    return f"{chart.name}. {'; '.join([*ends, *mark])}."


def _x(chart: LineChart, value: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * chart.across.share(value), 1)


def _y(chart: LineChart, value: float) -> float:
    return round(FLOOR - (FLOOR - TOP) * chart.upwards.share(value), 1)


def _frame(chart: LineChart, across: Axis, upwards: Axis) -> str:
    parts = []
    for tick in upwards.ticks():
        y = _y(chart, tick)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{said(tick)}</text>')
    for tick in across.ticks():
        x = _x(chart, tick)
        parts.append(f'<path class="grid" d="M{x} {TOP}V{FLOOR}"/>')
        parts.append(f'<text x="{x}" y="{FLOOR + 16}" text-anchor="middle">{said(tick)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    name = escape(chart.along)
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>')
    return "".join(parts)


def _mark(chart: LineChart) -> str:
    if chart.mark is None:
        return ""
    x = _x(chart, chart.mark[0])
    anchor = "end" if x > WIDTH / 2 else "start"
    return (
        f'<path class="place" d="M{x} {TOP}V{FLOOR}"/>'
        f'<text x="{x}" y="{TOP - 8}" text-anchor="{anchor}">{escape(chart.mark[1])}</text>'
    )


def _line(name: str, values: Sequence[float | None], chart: LineChart, place: int) -> str:
    parts = list(_stretches(values, chart))
    path = "".join("M" + "L".join(f"{x} {y}" for x, y in part) for part in parts)
    points = [point for part in parts for point in part]
    # A line of a single point is seen by its dot only.
    dots = (
        points
        if len(points) <= MOST_DOTS
        else [p for part in parts if len(part) == 1 for p in part]
    )
    circles = "".join(f'<circle cx="{x}" cy="{y}" r="2.6"/>' for x, y in dots)
    return (
        f'<g class="{_colour(place)}"><title>{escape(name)}</title><path d="{path}"/>{circles}</g>'
    )


def _stretches(
    values: Sequence[float | None], chart: LineChart
) -> Iterator[list[tuple[float, float]]]:
    """Give the points of a line, in lists that end where a value is missing."""
    pairs = zip(chart.x, values, strict=True)
    for known, stretch in groupby(pairs, key=lambda pair: _is_known(pair[1])):
        if known:
            yield [(_x(chart, x), _y(chart, value)) for x, value in stretch if _is_known(value)]
