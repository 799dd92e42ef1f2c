"""Reliability diagrams as a picture: what was said against what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p
from pathlib import Path
from typing import Any

__all__ = ["draw_reliability"]

COLOURS = {"before": "#b0653a", "after": "#2f6f9f"}


def draw_reliability(curves: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Draw a panel for voxels, objects or the like, before and after calibration.

    Parameters
    ----------
    curves : sequence of mapping
        As calibration.json has them: ``name`` (a panel each, in the order of the first), ``stage``
        ("before", "after"), ``expected_calibration_error``, and ``bins`` of ``mean_probability``,
        ``frequency``, ``frequency_low``, ``frequency_high`` and ``count``.
    path : str or Path
        The PNG to write.

    Returns
    -------
    Path
        The picture. Dots grow with the logarithm of the count; bars are 95 % intervals.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(curve["name"] for curve in curves))
    figure = Figure(figsize=(4.6 * len(names), 4.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
        for curve in curves:
            if curve["name"] == name and curve["bins"]:
                _draw(axes, curve)
        axes.set(title=name, xlabel="probability said", ylabel="share that is true")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=110)
    return Path(path)


def _draw(axes: Any, curve: Mapping[str, Any]) -> None:
    bins, colour = curve["bins"], COLOURS[curve["stage"]]
    x = [entry["mean_probability"] for entry in bins]
    y = [entry["frequency"] for entry in bins]
    down = [max(0.0, entry["frequency"] - entry["frequency_low"]) for entry in bins]
    up = [max(0.0, entry["frequency_high"] - entry["frequency"]) for entry in bins]
    label = f"{curve['stage']}: ECE {curve['expected_calibration_error']:.4f}"
    axes.errorbar(x, y, yerr=[down, up], color=colour, linewidth=1, label=label)
    sizes = [6 + 8 * log1p(entry["count"]) for entry in bins]
    axes.scatter(x, y, s=sizes, color=colour, zorder=3)
