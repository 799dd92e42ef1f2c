"""Pixels by the level of an 8-bit probability map: all that calibration needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, ShapeError
from chondria.volume import as_zyx

__all__ = ["BLOCKS", "LEVELS", "LevelCounts", "block_level_counts", "level_counts", "level_logits"]

LEVELS: Final = 256
# Blocks of the plane, each way; neighbouring pixels are near copies, blocks are nearly not.
BLOCKS: Final = 4


@dataclass(frozen=True, eq=False, slots=True)
class LevelCounts:
    """How many pixels have each level of probability, and how many of them are foreground.

    Attributes
    ----------
    every, foreground : ndarray of int64, (256,)
        Level ``v`` stands for the probability ``v / 255``.
    """

    every: NDArray[np.int64]
    foreground: NDArray[np.int64]

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return int(self.every.sum())

    def __add__(self, other: LevelCounts) -> LevelCounts:
        """Put pixels together."""
        return LevelCounts(self.every + other.every, self.foreground + other.foreground)


def level_counts(probability: NDArray[np.uint8], truth: NDArray[Any]) -> LevelCounts:
    """Count the pixels of a probability map by level.

    Parameters
    ----------
    probability : ndarray of uint8, (Z, Y, X) or (Y, X)
        255 is certainty of foreground.
    truth : ndarray, same shape
        A mask or label map; what is not 0 is foreground.

    Returns
    -------
    LevelCounts
        Of all pixels.

    Raises
    ------
    ShapeError, PixelValueError
        If the shapes differ, or the map is not of 8 bits.
    """
    _check(probability, truth)
    every, foreground = np.zeros((2, LEVELS), np.int64)
    for levels, true in zip(as_zyx(probability), as_zyx(truth), strict=True):
        every += np.bincount(levels.ravel(), minlength=LEVELS)
        foreground += np.bincount(levels[true != 0], minlength=LEVELS)
    return LevelCounts(every, foreground)


def block_level_counts(
    probability: NDArray[np.uint8], truth: NDArray[Any], blocks: int = BLOCKS
) -> Sequence[LevelCounts]:
    """Count the pixels of each block: the plane in so many parts each way, through all slices.

    Parameters
    ----------
    probability, truth
        As `level_counts`.
    blocks : int
        Parts of each axis of the plane.

    Returns
    -------
    sequence of LevelCounts
        Those of blocks that have a pixel.
    """
    _check(probability, truth)
    probability, truth = as_zyx(probability), as_zyx(truth)
    rows, columns = (
        np.linspace(0, size, blocks + 1).round().astype(int) for size in probability.shape[1:]
    )
    boxes = [
        np.s_[:, top:bottom, left:right]
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
        if bottom > top and right > left
    ]
    return [level_counts(probability[box], truth[box]) for box in boxes]


def level_logits() -> NDArray[np.float64]:
    """Logit of every level, (256,); the outermost two stand for a quarter of a level inside.

    A map of 8 bits does not say how sure the network was beyond that, and infinite it was not.
    """
    levels = np.clip(np.arange(LEVELS), 0.25, LEVELS - 1.25) / (LEVELS - 1)
    logits: NDArray[np.float64] = np.log(levels / (1 - levels))
    return logits


def _check(probability: NDArray[Any], truth: NDArray[Any]) -> None:
    if probability.shape != truth.shape:
        raise ShapeError(
            f"Found probabilities of shape {probability.shape} and a truth of shape {truth.shape}; "
            "both must be of one volume: crop or resample one of them."
        )
    if probability.dtype != np.uint8:
        raise PixelValueError(
            f"Found probabilities of type {probability.dtype}; allowed are 8-bit integers from 0 "
            "to 255: give round(255 p)."
        )
