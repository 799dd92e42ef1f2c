"""Reliability diagrams as a picture: what was said against what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw_reliability"]

BEFORE, AFTER = "#b0653a", "#2f6f9f"


def draw_reliability(
    panels: Sequence[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]],
    path: str | Path,
) -> Path:
    """Draw a panel for pixels, objects or the like, before and after calibration.

    Parameters
    ----------
    panels : sequence of (title, before, after)
        Reliabilities as JSON has them (`chondria.trust.reliability.Reliability`): `bins` of
        `mean_probability`, `frequency`, `frequency_low`, `frequency_high` and `count`,
        `expected_calibration_error`. None where there is none.
    path : str or Path
        The PNG to write.

    Returns
    -------
    Path
        The picture. Area of a dot follows the logarithm of the count; bars are 95 % intervals.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * len(panels), 4.6), layout="constrained")
    for axes, (title, before, after) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
        for said, record, colour in (("before", before, BEFORE), ("after", after, AFTER)):
            if record is not None and record["bins"]:
                _draw(axes, said, record, colour)
        axes.set(title=title, xlabel="probability said", ylabel="share that is true")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=110)
    return Path(path)


def _draw(axes: Any, said: str, record: Mapping[str, Any], colour: str) -> None:
    from math import log1p

    bins = record["bins"]
    x = [entry["mean_probability"] for entry in bins]
    y = [entry["frequency"] for entry in bins]
    down = [max(0.0, entry["frequency"] - entry["frequency_low"]) for entry in bins]
    up = [max(0.0, entry["frequency_high"] - entry["frequency"]) for entry in bins]
    label = f"{said}: ECE {record['expected_calibration_error']:.4f}"
    axes.errorbar(x, y, yerr=[down, up], color=colour, linewidth=1, label=label)
    sizes = [6 + 8 * log1p(entry["count"]) for entry in bins]
    axes.scatter(x, y, s=sizes, color=colour, zorder=3)
