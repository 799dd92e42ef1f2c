"""How sure a network is of each object that it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError

__all__ = ["ObjectConfidence", "object_confidence"]

# Half a grey level of a probability in bytes: less is rounding.
SMALLEST_DOUBT: Final = 1 / 510


@dataclass(frozen=True, eq=False, slots=True)
class ObjectConfidence:
    """How sure the network is of each object, by identifier; 0 for those that do not occur.

    Attributes
    ----------
    mean_probability : ndarray of float64, (largest identifier + 1,)
        Mean over the object's voxels, 0 to 1.
    doubt : ndarray of float64, (largest identifier + 1,)
        ``1 - mean_probability``, as a multiple of the same over all objects' voxels together: 1 is
        as sure as the average voxel, 3 three times less sure. Unlike the probability itself it
        hardly depends on how sure the network is of the image as a whole.
    """

    mean_probability: NDArray[np.float64]
    doubt: NDArray[np.float64]


def object_confidence(labels: NDArray[Any], probability: NDArray[Any]) -> ObjectConfidence:
    """Average the probability over the voxels of each object.

    What a network takes for a mitochondrion by mistake, it seldom takes for one everywhere.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map, numbered as `connected_instances` does.
    probability : ndarray, (Z, Y, X)
        Floats 0 to 1, or uint8, where 255 is certainty.

    Returns
    -------
    ObjectConfidence
        Mean probability and doubt of each object.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if labels.shape != probability.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and probabilities of shape "
            f"{probability.shape}; both must be of one volume."
        )
    counts, sums = (np.zeros(int(labels.max()) + 1) for _ in range(2))
    for plane, values in zip(labels, probability, strict=True):
        inside = plane != 0
        ids = plane[inside].astype(np.intp)
        in_plane = np.bincount(ids)
        counts[: in_plane.size] += in_plane
        sums[: in_plane.size] += np.bincount(ids, weights=values[inside])
    if probability.dtype == np.uint8:
        sums /= 255
    mean = sums / np.maximum(counts, 1)
    overall = 1 - sums.sum() / max(counts.sum(), 1)
    doubt = np.where(counts > 0, (1 - mean) / max(overall, SMALLEST_DOUBT), 0.0)
    return ObjectConfidence(mean, doubt)
