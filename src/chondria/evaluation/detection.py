"""DET, the detection accuracy of the Cell Tracking Challenge.

A true object counts as detected when one predicted object covers more than half of it. What is
wrong is priced by the operations that would mend it: a predicted object that covers k true ones
must be split k - 1 times (weight 5), a missed one added (10), a spurious one deleted (1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.evaluation.objects import connected_profiles, same_grid
from chondria.evaluation.overlap import ContingencyTable, contingency_table

__all__ = ["DetectionScore", "detection_per_slice", "detection_score"]

SPLIT_WEIGHT, MISSING_WEIGHT, SPURIOUS_WEIGHT = 5, 10, 1


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Operations that turn the predicted objects into the true ones, and DET.

    Scores of separate images add up, as the challenge adds up its time points: operations are
    summed and DET is taken of the sums.

    Parameters
    ----------
    detected : int
        True objects of which a predicted one covers more than half.
    splits : int
        NS: further true objects that a predicted object covers beside its first.
    false_negatives : int
        FN: true objects that none covers.
    false_positives : int
        FP: predicted objects that cover none.
    """

    detected: int
    splits: int
    false_negatives: int
    false_positives: int

    def __add__(self, other: DetectionScore) -> DetectionScore:
        """Add up the operations of two images."""
        return DetectionScore(
            self.detected + other.detected,
            self.splits + other.splits,
            self.false_negatives + other.false_negatives,
            self.false_positives + other.false_positives,
        )

    @property
    def true_objects(self) -> int:
        """Number of true objects."""
        return self.detected + self.false_negatives

    @property
    def aogm_d(self) -> int:
        """AOGM-D, the price of mending the prediction: 5 NS + 10 FN + FP."""
        missing = MISSING_WEIGHT * self.false_negatives
        return SPLIT_WEIGHT * self.splits + missing + SPURIOUS_WEIGHT * self.false_positives

    @property
    def det(self) -> float:
        """DET = 1 - min(AOGM-D, AOGM-D0) / AOGM-D0; AOGM-D0 is the price of adding every object.

        Without a true object it is 1 if nothing was predicted and 0 otherwise.
        """
        from_nothing = MISSING_WEIGHT * self.true_objects
        if not from_nothing:
            return 0.0 if self.false_positives else 1.0
        return 1.0 - min(self.aogm_d, from_nothing) / from_nothing


def detection_score(table: ContingencyTable) -> DetectionScore:
    """Count the operations between two label maps, each object as a whole.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps; for a volume its objects are 3-D.

    Returns
    -------
    DetectionScore
        Matula et al. 2015, PLoS ONE 10:e0144959, with the challenge's weights for detection.
    """
    pairs = table.pairs
    # Integers: no rounding at exactly one half, which does not count.
    covers = 2 * pairs.voxels > table.true_sizes[pairs.true]
    detected = int(np.count_nonzero(covers))
    covering = np.unique(pairs.predicted[covers]).size
    return DetectionScore(
        detected=detected,
        splits=detected - covering,
        false_negatives=table.true_objects.size - detected,
        false_positives=table.predicted_objects.size - covering,
    )


def detection_per_slice(prediction: NDArray[Any], truth: NDArray[Any]) -> DetectionScore:
    """Count the operations slice by slice, as the challenge counts its frames.

    The objects are the profiles of each slice: connected in 2-D with 8 neighbours and of one value.
    Every profile counts, so one that appears in 50 slices counts 50 times.

    Parameters
    ----------
    prediction, truth : ndarray of bool or int, (Z, Y, X) or (Y, X)
        Masks or label maps on one grid.

    Returns
    -------
    DetectionScore
        The sum over all slices.

    Raises
    ------
    ShapeError
        If the two differ in shape.
    """
    prediction, truth = same_grid(prediction, truth)
    total = DetectionScore(0, 0, 0, 0)
    for p, t in zip(prediction, truth, strict=True):
        total += detection_score(contingency_table(connected_profiles(p), connected_profiles(t)))
    return total
