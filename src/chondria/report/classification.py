"""Pictures of a classification: the confusion matrix, and what was taken for something else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_confusion", "draw_mistakes"]

MOST_MISTAKES = 40


def draw_confusion(matrix: NDArray[np.int64], names: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix; rows are the truth, shades the share of a row."""
    from matplotlib.figure import Figure

    n = len(names)
    figure = Figure(figsize=(1.8 + 0.5 * n, 1.4 + 0.5 * n), layout="constrained")
    axes = figure.add_subplot()
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(matrix.shape):
        if matrix[row, column]:
            colour = "white" if share[row, column] > 0.5 else "black"
            place = {"ha": "center", "va": "center", "color": colour, "fontsize": 7}
            axes.text(column, row, str(matrix[row, column]), **place)  # type: ignore[arg-type]
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    figure.savefig(path, dpi=120)


def draw_mistakes(
    images: NDArray[Any],
    truth: NDArray[Any],
    predicted: NDArray[Any],
    names: Sequence[str],
    path: Path,
) -> None:
    """Draw the first images (N, Y, X[, C]) that were taken for another class, with both names."""
    from matplotlib.figure import Figure

    wrong = np.flatnonzero(truth != predicted)[:MOST_MISTAKES]
    rows = max(1, -(-len(wrong) // 10))
    figure = Figure(figsize=(10, 1.35 * rows), layout="constrained")
    cells = figure.subplots(rows, 10, squeeze=False).ravel()
    for cell in cells:
        cell.axis("off")
    for cell, index in zip(cells, wrong, strict=False):
        cell.imshow(images[index], cmap="gray")
        said = f"{names[truth[index]]} as {names[predicted[index]]}"
        cell.set_title(said, fontsize=8)
    figure.savefig(path, dpi=120)
