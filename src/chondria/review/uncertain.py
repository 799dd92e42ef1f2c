"""Uncertain objects: even where the network should be sure of a mitochondrion, it is not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.boxes import Box
from chondria.review.suspicion import Suspicion

__all__ = ["core_probability", "find_uncertain", "middle_voxel"]

LEVELS: Final = 256
# The upper quarter of an object's voxels is its inside, however small it is: outlines are always
# in doubt.
CORE_SHARE: Final = 0.25


def core_probability(labels: NDArray[Any], probability: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give the upper quartile of each object's probabilities.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map; identifiers are used as indices.
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.

    Returns
    -------
    ndarray of float64, (largest identifier + 1,)
        0 to 1, by identifier; that of the background too, and 0 for those that do not occur.
    """
    counts = np.zeros((int(labels.max(initial=0)) + 1) * LEVELS, np.int64)
    for plane, values in zip(labels, probability, strict=True):
        places = plane.astype(np.int64) * LEVELS + values
        counts += np.bincount(places.ravel(), minlength=counts.size)
    above = counts.reshape(-1, LEVELS)[:, ::-1].cumsum(axis=1)
    totals = above[:, -1:]
    level = LEVELS - 1 - np.argmax(above >= np.ceil(CORE_SHARE * totals), axis=1)
    return np.where(totals[:, 0] > 0, level / (LEVELS - 1), 0.0)


def find_uncertain(
    labels: NDArray[Any], boxes: dict[int, Box], core: NDArray[np.float64]
) -> list[Suspicion]:
    """Suspect every object as far as the network doubts its inside.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map.
    boxes : dict
        See `chondria.review.boxes.object_boxes`.
    core : ndarray, (largest identifier + 1,)
        See `core_probability`.

    Returns
    -------
    list of Suspicion
        One for each object; evidence: `doubt`, 1 less the core probability.
    """
    found = []
    for number, box in boxes.items():
        doubt = 1 - float(core[number])
        reason = f"The network gives the inside of the object a probability of {1 - doubt:.2f}."
        place = middle_voxel(labels[box] == number, box)
        found.append(Suspicion("uncertain", (number,), place, {"doubt": doubt}, reason))
    return found


def middle_voxel(inside: NDArray[np.bool_], box: Box) -> tuple[int, int, int]:
    """Find the voxel of a part that is nearest to its mean, in the volume's indices (z, y, x)."""
    places = np.argwhere(inside)
    nearest = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    z, y, x = (int(i) + side.start for i, side in zip(nearest, box, strict=True))
    return z, y, x
