"""Matrices of repeated experiments: what was tested down, what was learned from across."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.report.tables import TextTable, html_page, markdown_page

__all__ = ["Matrix", "draw_matrices", "matrix_table", "write_matrices"]

FIELDS = ("matrix", "metric", "test", "train", "n", "mean", "sd", "published")


@dataclass(frozen=True, slots=True)
class Matrix:
    """One metric of every model on every test set.

    Attributes
    ----------
    name, metric : str
        Which matrix it is, and of what.
    sets : tuple of str
        Of rows (tested on) and columns (learned from).
    n : ndarray of int, (S, S)
        Runs; 0 where there are none.
    mean, sd : ndarray, (S, S)
        Over the runs; not a number where there are none, or a single one has no deviation.
    published : ndarray, (S, S)
        What the thesis has; not a number where it has nothing.
    """

    name: str
    metric: str
    sets: tuple[str, ...]
    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    published: NDArray[np.float64]


def matrix_table(matrix: Matrix) -> TextTable:
    """Write a matrix for people; a published figure stands in brackets behind ours."""
    lines = [
        (name, *(_text(matrix, row, column) for column in range(len(matrix.sets))))
        for row, name in enumerate(matrix.sets)
    ]
    runs = sorted({int(n) for n in matrix.n.ravel() if n})
    said = f", n = {' or '.join(map(str, runs))}" if runs else ""
    brackets = "; [published]" if np.isfinite(matrix.published).any() else ""
    return TextTable(
        ("test \\ training", *matrix.sets),
        lines,
        caption=f"{matrix.metric}, {matrix.name} matching{said}{brackets}",
    )


def write_matrices(
    matrices: Sequence[Matrix],
    folder: Path,
    title: str,
    notes: str = "",
    reports: Sequence[str] = (),
) -> None:
    """Write matrix.csv (a line for each cell), matrix.md and matrix.html into a folder.

    Parameters
    ----------
    matrices : sequence of Matrix
        In the order of the tables.
    folder : Path
        Exists.
    title, notes : str
        Above and below the tables.
    reports : sequence of str
        Pages of the runs, as paths below the folder; the HTML leads there.
    """
    with (folder / "matrix.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(FIELDS)
        for matrix in matrices:
            writer.writerows(_csv_lines(matrix))
    texts = [matrix_table(matrix) for matrix in matrices]
    (folder / "matrix.md").write_text(markdown_page(title, texts, notes), encoding="utf-8")
    (folder / "matrix.html").write_text(
        html_page(title, texts, notes, links=reports), encoding="utf-8"
    )


def draw_matrices(matrices: Sequence[Matrix], path: str | Path, title: str = "") -> Path:
    """Draw matrices as heat maps: a row of pictures for each metric, a column for each name.

    Parameters
    ----------
    matrices : sequence of Matrix
        Scores from 0 to 1.
    path : str or Path
        The PNG to write.
    title : str
        Above the pictures.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    metrics = list(dict.fromkeys(matrix.metric for matrix in matrices))
    names = list(dict.fromkeys(matrix.name for matrix in matrices))
    side = 1.6 + 0.95 * len(matrices[0].sets)
    figure = Figure(figsize=(side * len(names), side * len(metrics)), layout="constrained")
    axes = figure.subplots(len(metrics), len(names), squeeze=False)
    for matrix in matrices:
        place = axes[metrics.index(matrix.metric), names.index(matrix.name)]
        _heat(place, matrix)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    return Path(path)


def _heat(axes: Any, matrix: Matrix) -> None:
    """Colour a matrix, and write each value in its cell."""
    axes.imshow(matrix.mean, vmin=0, vmax=1, cmap="viridis")
    places = range(len(matrix.sets))
    axes.set_xticks(places, matrix.sets)
    axes.set_yticks(places, matrix.sets)
    axes.set(xlabel="training", ylabel="test", title=f"{matrix.metric}, {matrix.name} matching")
    for row in places:
        for column in places:
            mean = matrix.mean[row, column]
            if np.isfinite(mean):
                colour = "black" if mean > 0.6 else "white"
                axes.text(column, row, f"{mean:.3f}", ha="center", va="center", color=colour)


def _text(matrix: Matrix, row: int, column: int) -> str:
    mean, sd, published = (
        float(values[row, column]) for values in (matrix.mean, matrix.sd, matrix.published)
    )
    said = "" if not matrix.n[row, column] else f"{mean:.4f}"
    said += f" ± {sd:.4f}" if np.isfinite(sd) else ""
    return f"{said} [{published:.4f}]".strip() if np.isfinite(published) else said


def _csv_lines(matrix: Matrix) -> Iterator[tuple[object, ...]]:
    for row, test in enumerate(matrix.sets):
        for column, train in enumerate(matrix.sets):
            place = row, column
            values = (matrix.mean[place], matrix.sd[place], matrix.published[place])
            numbers = [float(value) if np.isfinite(value) else None for value in values]
            yield matrix.name, matrix.metric, test, train, int(matrix.n[place]), *numbers
