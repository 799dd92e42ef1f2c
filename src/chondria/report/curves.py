"""Training curves as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw_curves"]


def draw_curves(history: Sequence[Mapping[str, float]], path: str | Path) -> Path:
    """Draw losses and validation IoU against steps.

    Parameters
    ----------
    history : sequence of mapping
        Rows as history.csv has them; keys that start with ``iou_`` are one volume each.
    path : str or Path
        The PNG to write.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in history]
    for key, label in (("train_loss", "training"), ("validation_loss", "validation")):
        if key in history[-1]:
            left.plot(steps, [row[key] for row in history], label=label)
    left.set(xlabel="step", ylabel="loss")
    left.legend(frameon=False)
    for key in (key for key in history[-1] if key.startswith("iou_")):
        label = key.removeprefix("iou_")
        right.plot(steps, [row[key] for row in history], label=label, linewidth=1)
    if "validation_iou" in history[-1]:
        mean = [row["validation_iou"] for row in history]
        right.plot(steps, mean, label="mean", color="black", linewidth=2)
        right.legend(frameon=False, loc="lower right")
    right.set(xlabel="step", ylabel="validation IoU", ylim=(0, 1))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    return Path(path)
