"""Slices unlike their neighbours, judged by what was found in them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.suspicion import Suspicion

__all__ = ["find_odd_slices", "neighbour_overlap"]

# Fewer slices have nothing that is typical of them.
FEWEST_SLICES: Final = 4


def neighbour_overlap(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Compare the foreground of each slice with that of the next: the Dice coefficient.

    Parameters
    ----------
    labels : ndarray, (Z, Y, X)
        Label map or mask.

    Returns
    -------
    ndarray of float64, (Z - 1,)
        1 where two slices agree; NaN where neither holds anything.
    """
    overlaps = np.full(max(0, len(labels) - 1), np.nan)
    here = labels[0] != 0
    for z, plane in enumerate(labels[1:]):
        there = plane != 0
        total = np.count_nonzero(here) + np.count_nonzero(there)
        if total:
            overlaps[z] = 2 * np.count_nonzero(here & there) / total
        here = there
    return overlaps


def find_odd_slices(labels: NDArray[Any], unlike: dict[int, str] | None = None) -> list[Suspicion]:
    """Suspect slices that agree with neither neighbour, and cuts between slices that do not fit.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map.
    unlike : dict of int to str, optional
        Slices of which the image itself says so, each with the reason, one sentence.

    Returns
    -------
    list of Suspicion
        Evidence: `lack`, how far the overlap lies below the volume's typical one, as a part of
        it; `image`, 1 where the image says so.
    """
    said = dict(unlike or {})
    overlaps = neighbour_overlap(labels)
    known = overlaps[np.isfinite(overlaps)]
    typical = float(np.median(known)) if known.size >= FEWEST_SLICES - 1 else 0.0
    lacks = _lacks(overlaps, typical) if typical else {}
    middle = tuple(size // 2 for size in labels.shape[1:])
    found = []
    for z in sorted(lacks.keys() | said.keys()):
        lack = lacks.get(z, 0.0)
        reason = said.get(z) or (
            f"What was found in slice {z} overlaps with a neighbour by {typical * (1 - lack):.2f} "
            f"only, where {typical:.2f} is typical here."
        )
        evidence = {"lack": lack, "image": float(z in said)}
        found.append(Suspicion("slice", (), (z, *middle), evidence, reason))
    return found


def _lacks(overlaps: NDArray[np.float64], typical: float) -> dict[int, float]:
    """Lack of each slice that is locally the worst: by the better of its two neighbours."""
    lack = np.clip(1 - np.nan_to_num(overlaps, nan=typical) / typical, 0, 1)
    # A slice is odd as far as it lacks both neighbours; the first and the last have one.
    single = np.minimum(np.append(lack[0], lack), np.append(lack, lack[-1]))
    single[[0, -1]] /= 2
    # A jump between two slices, each of which fits on its other side, is half as odd.
    jump = np.append(lack, 0.0) / 2
    worst = np.maximum(single, jump)
    return {int(z): float(worst[z]) for z in np.flatnonzero(worst > 0.1)}
