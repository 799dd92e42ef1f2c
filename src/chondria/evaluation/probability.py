"""How good probabilities are, before any threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError
from chondria.evaluation.objects import as_mask, same_grid

__all__ = ["cross_entropy"]

LEVELS = 256


def cross_entropy(probability: NDArray[np.uint8], truth: NDArray[Any]) -> float:
    """Average the binary cross-entropy of an 8-bit probability map over its voxels (thesis 2.5).

    Level ``v`` stands for the probability ``v / 255``, and the outermost two for a quarter of a
    level inside: certainty that is wrong costs 6.9, as it would be infinite otherwise.

    Parameters
    ----------
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty of foreground.
    truth : ndarray, (Z, Y, X)
        A mask or a label map; 0 is background.

    Returns
    -------
    float
        In nats for each voxel; 0 is perfect.

    Raises
    ------
    ShapeError, PixelValueError
        If the two are of different shapes, the truth is no mask, or the map is not of 8 bits.
    """
    if probability.dtype != np.uint8:
        raise PixelValueError(
            f"Found probabilities of type {probability.dtype}; allowed are 8-bit integers from 0 "
            "to 255: give round(255 p)."
        )
    mask = as_mask(truth, "the truth")
    same_grid(probability, mask)
    levels = np.clip(np.arange(LEVELS), 0.25, LEVELS - 1.25) / (LEVELS - 1)
    every = np.bincount(probability.ravel(), minlength=LEVELS)
    foreground = np.bincount(probability[mask], minlength=LEVELS)
    total = foreground @ np.log(levels) + (every - foreground) @ np.log1p(-levels)
    return float(-total / probability.size)
