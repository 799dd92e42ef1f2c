"""Reliability diagrams as SVG: what was said against what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from chondria.report.drawing import Drawing
from chondria.report.markup import said

__all__ = ["reliability_diagram", "reliability_diagrams"]

SIDE, LEFT, BOTTOM, TOP, BARS = 260, 44, 40, 10, 54
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def reliability_diagram(curves: Sequence[Mapping[str, Any]], name: str) -> Drawing:
    """Draw the curves of one kind of cases.

    Parameters
    ----------
    curves : sequence of mapping
        Each with ``stage`` (such as "before", "after") and ``bins``: each bin has
        ``mean_probability``, ``frequency``, ``count`` and, where known, ``frequency_low`` and
        ``frequency_high``, the interval of the frequency.
    name : str
        Of the cases.

    Returns
    -------
    Drawing
        Mean probability to the right, frequency upwards; below, the share of cases of each bin, of
        the last curve.
    """
    width, height = LEFT + SIDE + 14, TOP + SIDE + BARS + BOTTOM
    drawn = "".join(_curve(curve, curve is curves[-1]) for curve in curves)
    errors = "; ".join(_spoken(curve) for curve in curves)
    label = f"Reliability diagram of {name}. {errors}"
    legend = [
        (_kind(curve is curves[-1]), f"{escape(str(curve.get('stage', '')))}{_error(curve)}")
        for curve in curves
    ]
    body = f"{_frame()}{drawn}{_bars(curves[-1])}"
    return Drawing("reliability", width, height, label, body, legend)


def reliability_diagrams(curves: Sequence[Mapping[str, Any]]) -> dict[str, Drawing]:
    """Draw a diagram for each name of curves, ``before`` first, as calibration.json has them."""
    names = sorted({str(curve.get("name", "")) for curve in curves}, reverse=True)
    named = {name: [c for c in curves if str(c.get("name", "")) == name] for name in names}
    return {
        name: reliability_diagram(sorted(mine, key=lambda c: c.get("stage") != "before"), name)
        for name, mine in named.items()
    }


def _kind(latest: bool) -> str:
    return "curve latest" if latest else "curve earlier"


def _error(curve: Mapping[str, Any]) -> str:
    error = curve.get("expected_calibration_error")
    return "" if error is None else f' <span class="figure">ECE {said(float(error))}</span>'


def _spoken(curve: Mapping[str, Any]) -> str:
    error = curve.get("expected_calibration_error")
    said = "" if error is None else f": expected calibration error {error:.4f}"
    return f"{curve.get('stage', '')}{said}"


def _x(p: float) -> float:
    return round(LEFT + SIDE * p, 1)


def _y(p: float) -> float:
    return round(TOP + SIDE * (1 - p), 1)


def _frame() -> str:
    parts = [f'<path class="diagonal" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>']
    for p in TICKS:
        parts.append(f'<path class="grid" d="M{_x(p)} {_y(0)}V{_y(1)}M{_x(0)} {_y(p)}H{_x(1)}"/>')
        parts.append(f'<text class="tick" x="{_x(0) - 6}" y="{_y(p) + 4}" text-anchor="end">{p:g}')
        parts.append("</text>")
        low = TOP + SIDE + BARS + 14
        parts.append(f'<text class="tick" x="{_x(p)}" y="{low}" text-anchor="middle">{p:g}</text>')
    low = TOP + SIDE + BARS + 32
    parts.append(f'<text x="{_x(0.5)}" y="{low}" text-anchor="middle">stated probability</text>')
    parts.append(
        f'<text transform="translate(11 {_y(0.5)}) rotate(-90)" text-anchor="middle">'
        "share that is true</text>"
    )
    return "".join(parts)


def _curve(curve: Mapping[str, Any], latest: bool) -> str:
    bins = [b for b in curve["bins"] if b["count"]]
    points = [(_x(b["mean_probability"]), _y(b["frequency"])) for b in bins]
    lines = "".join(
        f'<path class="interval" d="M{_x(b["mean_probability"])} {_y(b["frequency_low"])}'
        f'V{_y(b["frequency_high"])}"/>'
        for b in bins
        if b.get("frequency_low") is not None and b.get("frequency_high") is not None
    )
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3.5"><title>said {b["mean_probability"]:.3f}, true '
        f"{b['frequency']:.3f}, {b['count']} cases</title></circle>"
        for b, (x, y) in zip(bins, points, strict=True)
    )
    path = "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""
    return f'<g class="{_kind(latest)}"><path class="line" d="{path}"/>{lines}{dots}</g>'


def _bars(curve: Mapping[str, Any]) -> str:
    most = max((b["count"] for b in curve["bins"]), default=0)
    floor, parts = TOP + SIDE + BARS, []
    for b in curve["bins"]:
        if not b["count"] or b.get("low") is None or b.get("high") is None:
            continue
        tall = round((BARS - 12) * b["count"] / most, 1)
        left, right = _x(b["low"]), _x(b["high"])
        parts.append(
            f'<rect class="share" x="{left + 1}" y="{floor - tall}" '
            f'width="{max(right - left - 2, 1):.1f}" height="{tall}"/>'
        )
    return "".join(parts)
