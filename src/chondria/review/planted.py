"""A label map with planted errors, and where each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box
from chondria.review.suspicion import Kind

__all__ = ["Planted", "PlantedError", "box_of"]


@dataclass(frozen=True, eq=False, slots=True)
class PlantedError:
    """An error whose place is known.

    Attributes
    ----------
    kind : {"merge", "split", "miss"}
        What was done.
    ids : tuple of int
        Objects of the new label map: the joined one, the two halves, none for a miss.
    box : tuple of slice
        What is to be found lies in this box (z, y, x).
    how : str
        The variant.
    """

    kind: Kind
    ids: tuple[int, ...]
    box: Box
    how: str


@dataclass(slots=True)
class Planted:
    """A label map and its probabilities with errors planted in both.

    Attributes
    ----------
    labels : ndarray of int32, (Z, Y, X)
        With errors.
    probability : ndarray of float32, (Z, Y, X)
        0 to 1, as a network that makes these errors would have it.
    errors : list of PlantedError
        What was planted.
    """

    labels: NDArray[np.int32]
    probability: NDArray[np.float32]
    errors: list[PlantedError] = field(default_factory=list)


def box_of(mask: NDArray[np.bool_], box: Box) -> Box:
    """Bound what is marked within a box, (z, y, x) in the volume."""
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    z, y, x = (
        slice(part.start + side.start, part.stop + side.start)
        for part, side in zip(found, box, strict=True)
    )
    return z, y, x
