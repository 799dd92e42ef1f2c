"""Confusion matrix of a classification, and what is read from it (thesis 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, ShapeError

__all__ = ["ClassScores", "class_scores", "confusion_matrix"]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What a confusion matrix says.

    Attributes
    ----------
    accuracy : float
        Share of right answers among all (thesis, equations 5.1 and 5.2).
    precision, recall : ndarray of float, (classes,)
        For each class, of what was called it the share that is, and of what is the share that was
        called it; 1 where there is nothing to divide by.
    """

    accuracy: float
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def confusion_matrix(
    truth: NDArray[Any], predicted: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """Count true against predicted classes.

    Parameters
    ----------
    truth, predicted : ndarray of int, (N,)
        Numbers of classes from 0 on.
    classes : int
        How many there are.

    Returns
    -------
    ndarray of int64, (classes, classes)
        Rows are the truth, columns the prediction (thesis, Table 5.1).

    Raises
    ------
    ShapeError, PixelValueError
        If the two are not of one length, or a number is no class.
    """
    if truth.ndim != 1 or truth.shape != predicted.shape:
        raise ShapeError(
            f"Found {truth.shape} true and {predicted.shape} predicted classes; give one of each "
            "for every image."
        )
    both = np.concatenate([truth, predicted]).astype(np.int64)
    if both.size and not 0 <= both.min() <= both.max() < classes:
        raise PixelValueError(
            f"Found the class {both[(both < 0) | (both >= classes)][0]}; there are {classes}, "
            "counted from 0."
        )
    pairs = truth.astype(np.int64) * classes + predicted
    counts: NDArray[np.int64] = np.bincount(pairs, minlength=classes**2)
    return counts.reshape(classes, classes)


def class_scores(matrix: NDArray[np.int64]) -> ClassScores:
    """Read scores from a confusion matrix (rows are the truth)."""
    right = np.diagonal(matrix).astype(np.float64)
    called, are = matrix.sum(0), matrix.sum(1)
    total = int(matrix.sum())
    return ClassScores(
        accuracy=float(right.sum() / total) if total else 1.0,
        precision=np.divide(right, called, out=np.ones_like(right), where=called > 0),
        recall=np.divide(right, are, out=np.ones_like(right), where=are > 0),
    )
