"""Superplots: objects as dots, animals as large markers, conditions as a mean with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VECTOR_STYLE", "Superplot", "draw_superplot", "save_vector"]

# Okabe & Ito's palette: told apart by those who see red and green alike; no yellow on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5d5d5d", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
# Dots of an animal that are drawn; more only make a blot and a large file.
MOST_DOTS = 200
HALF_WIDTH = 0.34
# Where the mean and its interval stand, right of the dots.
BAR = 0.47

# Text stays text, so that a journal's fonts and search find it; the same data give the same bytes.
VECTOR_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "chondria", "font.size": 9}


@dataclass(frozen=True, eq=False, slots=True)
class Superplot:
    """One measure of several conditions, in the unit that is drawn.

    Attributes
    ----------
    label : str
        Of the axis.
    conditions : tuple of str
        From left to right.
    values, condition, animal : ndarray, (objects,)
        Values, index into `conditions`, number of the animal.
    animal_means, animal_condition : ndarray, (animals,)
        The large markers.
    means : list of tuple of float
        Mean, lower and upper end of its interval, for each condition; no interval where the ends
        are not finite.
    logarithmic : bool
        Whether the axis is.
    said : str
        Above the picture.
    pair : ndarray of int, (animals,), optional
        Markers of one number are the same animal: of one colour, and joined by a line.
    """

    label: str
    conditions: tuple[str, ...]
    values: NDArray[np.float64]
    condition: NDArray[np.intp]
    animal: NDArray[np.intp]
    animal_means: NDArray[np.float64]
    animal_condition: NDArray[np.intp]
    means: list[tuple[float, float, float]]
    logarithmic: bool = False
    said: str = ""
    pair: NDArray[np.intp] | None = None


def draw_superplot(plot: Superplot, path: str | Path) -> Path:
    """Draw a superplot (Lord et al. 2020, J Cell Biol 219, e202001064).

    Parameters
    ----------
    plot : Superplot
        What to draw. Each animal has its colour and marker within its condition (in all of them,
        where animals are paired, and a line joins its means); of an animal with
        more than 200 objects, 200 are drawn, spread evenly over its sorted values.
    path : str or Path
        The file; its ending says the format.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(VECTOR_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(1.3 + 1.15 * len(plot.conditions), 3.4), layout="constrained")
        axes = figure.add_subplot()
        if plot.logarithmic:
            axes.set_yscale("log")
            _plain_numbers(axes)
        for number, style in enumerate(_styles(plot).tolist()):
            _dots(axes, plot, number, style)
        _lines(axes, plot)
        for i, mean in enumerate(plot.means):
            _bar(axes, i, mean)
        axes.set_xticks(range(len(plot.conditions)), plot.conditions)
        axes.set(xlim=(-0.5, len(plot.conditions) - 0.3), ylabel=plot.label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(plot.said, fontsize=8)
        return save_vector(figure, path)


def save_vector(figure: Any, path: str | Path) -> Path:
    """Write a figure without a date, so that the same data give the same file."""
    metadata = {"Date": None} if Path(path).suffix == ".svg" else None
    figure.savefig(path, dpi=200, metadata=metadata)
    return Path(path)


def _dots(axes: Any, plot: Superplot, animal: int, style: int) -> None:
    """Draw the objects of an animal, and its mean above them."""
    colour, marker = COLOURS[style % len(COLOURS)], MARKERS[style % len(MARKERS)]
    values = np.sort(plot.values[plot.animal == animal])
    if len(values) > MOST_DOTS:
        values = values[np.linspace(0, len(values) - 1, MOST_DOTS).astype(int)]
    place = int(plot.animal_condition[animal])
    # Wide where a condition has many values, narrow in its tails.
    all_of_them = np.sort(plot.values[plot.condition == place])
    shift = _spread(values, all_of_them, plot.logarithmic) * _scatter(len(values), style)
    axes.scatter(place + shift, values, s=6, color=colour, alpha=0.45, linewidths=0)
    axes.scatter(
        _marker_place(plot, animal),
        plot.animal_means[animal],
        s=55,
        color=colour,
        marker=marker,
        edgecolors="black",
        linewidths=0.9,
        zorder=3,
    )


def _styles(plot: Superplot) -> NDArray[np.intp]:
    """Number of each animal within its condition, or of its pair, (animals,)."""
    if plot.pair is not None:
        return plot.pair
    same = plot.animal_condition[:, None] == plot.animal_condition
    earlier: NDArray[np.intp] = np.count_nonzero(np.tril(same, -1), axis=1)
    return earlier


def _marker_place(plot: Superplot, animal: int) -> float:
    """Markers of a condition stand side by side, in the order of their styles."""
    place = int(plot.animal_condition[animal])
    others = _styles(plot)[plot.animal_condition == place]
    rank = np.count_nonzero(others < _styles(plot)[animal])
    return place + 1.2 * HALF_WIDTH * float((rank + 0.5) / len(others) - 0.5)


def _lines(axes: Any, plot: Superplot) -> None:
    """Join the means of each animal from condition to condition."""
    for pair in np.unique(plot.pair) if plot.pair is not None else ():
        own = np.flatnonzero(plot.pair == pair)
        own = own[np.argsort(plot.animal_condition[own])]
        places = [_marker_place(plot, int(animal)) for animal in own]
        axes.plot(places, plot.animal_means[own], color="#5d5d5d", linewidth=0.9, zorder=2.5)


def _bar(axes: Any, place: int, mean: tuple[float, float, float]) -> None:
    """Draw a mean right of the dots, and its interval where there is one."""
    centre, low, high = mean
    middle, line = place + BAR, {"color": "black", "linewidth": 1.4}
    axes.plot([middle - 0.09, middle + 0.09], [centre, centre], **line | {"linewidth": 2.4})
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([middle, middle], [low, high], **line)
        for end in (low, high):
            axes.plot([middle - 0.05, middle + 0.05], [end, end], **line)


def _plain_numbers(axes: Any) -> None:
    """Write 0.1 and 0.2 beside a logarithmic axis, not powers."""
    from matplotlib.ticker import LogLocator

    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")


def _spread(
    values: NDArray[np.float64], all_of_them: NDArray[np.float64], logarithmic: bool
) -> NDArray[np.float64]:
    """Half width at each value, by the density of the condition's values there."""
    if len(all_of_them) < 3:
        return np.zeros(len(values))
    scale = np.log if logarithmic else np.asarray
    counts, edges = np.histogram(scale(all_of_them), bins=15)
    density = np.interp(scale(values), (edges[:-1] + edges[1:]) / 2, counts / counts.max())
    widths: NDArray[np.float64] = np.maximum(density, 0.1) * HALF_WIDTH
    return widths


def _scatter(count: int, style: int) -> NDArray[np.float64]:
    """Spread from -1 to 1 without clumps: multiples of the golden ratio."""
    turns: NDArray[np.float64] = (
        np.arange(count, dtype=np.float64) * 0.6180339887 + style * 0.137
    ) % 1.0
    return turns * 2 - 1
