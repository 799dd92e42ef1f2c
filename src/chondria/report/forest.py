"""Forest plots: one line for each difference, with its interval and its figures beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chondria.report.superplot import VECTOR_STYLE, save_vector

__all__ = ["ForestLine", "draw_forest"]

# Of the axis, and of a letter beside it.
AXIS, INCH_PER_LETTER = 2.6, 0.078


@dataclass(frozen=True, slots=True)
class ForestLine:
    """One difference.

    Attributes
    ----------
    label : str
        Left of the line.
    value, low, high : float
        Drawn; nothing is where they are not finite.
    said : str
        Right of the line.
    """

    label: str
    value: float
    low: float
    high: float
    said: str = ""


def draw_forest(lines: Sequence[ForestLine], path: str | Path, label: str) -> Path:
    """Draw effect sizes of several differences on one axis, zero in the middle.

    Parameters
    ----------
    lines : sequence of ForestLine
        From top to bottom.
    path : str or Path
        The file; its ending says the format.
    label : str
        Of the axis.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(VECTOR_STYLE):  # type: ignore[arg-type]
        left, right = (
            INCH_PER_LETTER * max(map(len, texts)) + 0.2
            for texts in ([line.label for line in lines], [line.said for line in lines])
        )
        width, height = left + AXIS + right, 0.8 + 0.3 * len(lines)
        figure = Figure(figsize=(width, height))
        box = (left / width, 0.6 / height, AXIS / width, 1 - 0.7 / height)
        axes = figure.add_axes(box)
        axes.axvline(0, color="#777777", linewidth=0.8, linestyle="--")
        for place, line in enumerate(lines):
            _draw(axes, len(lines) - 1 - place, line)
        axes.set_yticks(range(len(lines)), [line.label for line in reversed(lines)])
        beside = axes.secondary_yaxis("right")
        beside.set_yticks(range(len(lines)), [line.said for line in reversed(lines)])
        for side in (axes, beside):
            side.tick_params(axis="y", length=0)
            side.spines[["right"]].set_visible(False)
        axes.spines[["left", "top"]].set_visible(False)
        reach = _reach(lines)
        axes.set(xlabel=label, ylim=(-0.6, len(lines) - 0.4), xlim=(-reach, reach))
        return save_vector(figure, path)


def _draw(axes: Any, place: int, line: ForestLine) -> None:
    if not math.isfinite(line.value):
        return
    axes.plot([line.low, line.high], [place, place], color="black", linewidth=1.4)
    axes.scatter(line.value, place, s=32, marker="s", color="#0072b2", zorder=3)


def _reach(lines: Sequence[ForestLine]) -> float:
    ends = [abs(end) for line in lines for end in (line.low, line.high) if math.isfinite(end)]
    return 1.08 * max(ends, default=1.0)
