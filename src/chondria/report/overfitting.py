"""Pictures of an overfitting study: curves against training time, and losses against losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_learning_curves", "draw_loss_correlation"]

# A colour for each role, told apart by those who see red and green alike.
COLOURS = {"training": "#0072b2", "validation": "#d55e00", "test": "#009e73"}
BAND = 0.2

Rows = Sequence[Mapping[str, float]]


def draw_learning_curves(
    curves: Sequence[Rows],
    ends: Mapping[float, Rows],
    columns: Mapping[str, Mapping[str, str]],
    path: str | Path,
    *,
    unit: str = "step",
    title: str = "",
) -> Path:
    """Draw figures against training time: lines along runs, points where shorter ones ended.

    Parameters
    ----------
    curves : sequence of sequence of mapping
        Histories of runs of one length; the mean over runs is a line, mean +- standard deviation
        a band.
    ends : mapping of float to sequence of mapping
        By length, the last row of the history of each run: points with a bar.
    columns : mapping of str to mapping of str to str
        A panel each: for training, validation and test the name of a history's column.
    path : str or Path
        The PNG to write.
    unit : str
        What time is counted in; histories have a column of that name.
    title : str
        Above the panels.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(columns), 3.8), layout="constrained")
    panels = figure.subplots(1, len(columns), squeeze=False)[0]
    for axes, (label, roles) in zip(panels, columns.items(), strict=True):
        for role, column in roles.items():
            _curve(axes, curves, unit, column, role)
            _points(axes, ends, column, role)
        axes.set(xlabel=unit, ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    return Path(path)


def draw_loss_correlation(
    losses: Mapping[str, Sequence[float]],
    said: Mapping[str, str],
    path: str | Path,
    *,
    published: Mapping[str, Sequence[float]] | None = None,
    title: str = "",
) -> Path:
    """Draw the test loss of runs against their training and validation losses (Figure 6.11).

    Parameters
    ----------
    losses : mapping of str to sequence of float
        ``training``, ``validation`` and ``test``: one loss for each run.
    said : mapping of str to str
        What is said of the correlation of ``training`` and ``validation`` with ``test``.
    path : str or Path
        The PNG to write.
    published : mapping, optional
        Like `losses`; drawn hollow.
    title : str
        Above the panels.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.9), layout="constrained")
    for axes, role in zip(figure.subplots(1, 2), ("training", "validation"), strict=True):
        _scatter(axes, losses[role], losses["test"], COLOURS[role], "our runs")
        if published:
            _scatter(axes, published[role], published["test"], "none", "published")
        axes.set(xlabel=f"{role} loss", ylabel="test loss", title=said[role])
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
    return Path(path)


def _curve(axes: Any, curves: Sequence[Rows], unit: str, column: str, role: str) -> None:
    time = [row[unit] for row in curves[0]]
    values = np.array([[row[column] for row in rows] for rows in curves])
    mean, sd = values.mean(axis=0), _deviation(values)
    axes.plot(time, mean, color=COLOURS[role], label=role)
    axes.fill_between(time, mean - sd, mean + sd, color=COLOURS[role], alpha=BAND, linewidth=0)


def _points(axes: Any, ends: Mapping[float, Rows], column: str, role: str) -> None:
    values = [np.array([row[column] for row in rows]) for rows in ends.values()]
    means = [value.mean() for value in values]
    bars = [float(_deviation(value[:, None])[0]) for value in values]
    axes.errorbar(
        list(ends), means, bars, fmt="o", markersize=4, capsize=2, color=COLOURS[role], alpha=0.8
    )


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over the first axis; zero of a single run."""
    if len(values) < 2:
        return np.zeros(values.shape[1:])
    deviation: NDArray[np.float64] = values.std(axis=0, ddof=1)
    return deviation


def _scatter(axes: Any, x: Sequence[float], y: Sequence[float], fill: str, label: str) -> None:
    """Draw points and the line of least squares through them."""
    edge = "grey" if fill == "none" else fill
    axes.scatter(x, y, s=22, facecolors=fill, edgecolors=edge, label=label)
    if len(x) > 1 and min(x) < max(x):
        slope, offset = np.polyfit(x, y, 1)
        ends = np.array([min(x), max(x)])
        axes.plot(ends, slope * ends + offset, color=edge, linewidth=1)
