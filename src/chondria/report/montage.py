"""One slice of every test set under every model's outlines: the cells of a matrix to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.report.overview import outlined

__all__ = ["SeenSlice", "draw_montage"]

# Edge of a cell in pixels of the image: outlines of single mitochondria can still be seen. A cell
# of the picture is about as large, so that no line of one pixel is lost.
CELL_PX = 512
INCHES = 4.9


@dataclass(frozen=True, slots=True)
class SeenSlice:
    """A slice of a test set.

    Attributes
    ----------
    image : ndarray, (Y, X)
        Grey levels.
    truth : ndarray of bool, (Y, X)
        True mask.
    predicted : mapping of str to ndarray of bool, (Y, X)
        Masks by what the model learned from.
    """

    image: NDArray[Any]
    truth: NDArray[np.bool_]
    predicted: Mapping[str, NDArray[np.bool_]]


def draw_montage(
    rows: Mapping[str, SeenSlice], columns: Sequence[str], path: str | Path, title: str = ""
) -> Path:
    """Draw a slice of every test set once for every model; the truth in green, predictions in pink.

    Parameters
    ----------
    rows : mapping of str to SeenSlice
        By test set.
    columns : sequence of str
        What models learned from; a cell without a mask stays empty.
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

    size = (INCHES * len(columns), INCHES * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for places, (test, seen) in zip(axes, rows.items(), strict=True):
        for place, train in zip(places, columns, strict=True):
            place.set(xticks=[], yticks=[], title=f"model of {train} on {test}")
            place.spines[:].set_visible(False)
            if train in seen.predicted:
                place.imshow(_cell(seen, seen.predicted[train]), interpolation="nearest")
    figure.suptitle(f"{title}\ntruth green, prediction pink".strip())
    figure.savefig(path, dpi=110)
    return Path(path)


def _cell(seen: SeenSlice, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Cut the middle of a slice."""
    height, width = seen.image.shape
    y, x = (max(0, (n - CELL_PX) // 2) for n in (height, width))
    part = np.s_[y : y + CELL_PX, x : x + CELL_PX]
    return outlined(seen.image[part], mask[part].astype(np.uint8), seen.truth[part])
