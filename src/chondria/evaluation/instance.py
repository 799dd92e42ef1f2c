"""Instance metrics: how many objects were found, and how well each was outlined.

Objects are matched one to one by their intersection over union (IoU). If there is neither a
predicted nor a true object every score is 1; if only one side is empty every score is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError
from chondria.evaluation.overlap import ContingencyTable

__all__ = [
    "AP_THRESHOLDS",
    "InstanceScores",
    "instance_scores",
    "mean_average_precision",
    "panoptic_quality",
]

# Written out: steps of np.arange(0.5, 1, 0.05) land just above 0.6 and 0.8 and lose exact matches.
AP_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
# Panoptic quality asks for more than one half, the smallest number that is.
ABOVE_HALF = math.nextafter(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class InstanceScores:
    """Matched and unmatched objects at one threshold of IoU.

    Parameters
    ----------
    iou_threshold : float
        Smallest IoU at which a predicted and a true object match.
    true_positives : int
        Matched pairs.
    false_positives, false_negatives : int
        Predicted and true objects without a partner.
    matched_iou : float
        Sum of the IoU of the matched pairs.
    """

    iou_threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    matched_iou: float

    @property
    def precision(self) -> float:
        """Share of predicted objects that match: TP / (TP + FP)."""
        return self._share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of true objects that match: TP / (TP + FN)."""
        return self._share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall: TP / (TP + FP / 2 + FN / 2)."""
        return self._share(self.true_positives, self._half_weighted())

    @property
    def average_precision(self) -> float:
        """TP / (TP + FP + FN), as StarDist and the 2018 Data Science Bowl define it.

        Schmidt et al. 2018, MICCAI, doi:10.1007/978-3-030-00934-2_30. Without a confidence for
        each object there is no precision-recall curve to take an area of.
        """
        unmatched = self.false_positives + self.false_negatives
        return self._share(self.true_positives, self.true_positives + unmatched)

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the matched pairs (SQ)."""
        return self._share(self.matched_iou, self.true_positives)

    @property
    def recognition_quality(self) -> float:
        """The F1 score under its name in panoptic segmentation (RQ)."""
        return self.f1

    @property
    def panoptic_quality(self) -> float:
        """SQ times RQ: sum of matched IoU / (TP + FP / 2 + FN / 2)."""
        return self._share(self.matched_iou, self._half_weighted())

    def _half_weighted(self) -> float:
        return self.true_positives + (self.false_positives + self.false_negatives) / 2

    def _share(self, part: float, whole: float) -> float:
        """Divide; 0/0 is 1 only where there is no object at all."""
        return part / whole if whole else float(self._half_weighted() == 0)


def instance_scores(table: ContingencyTable, iou_threshold: float = 0.5) -> InstanceScores:
    """Match objects one to one at a threshold of IoU and count.

    As many pairs as possible are matched and, among such matchings, the one of the largest summed
    IoU is taken. Above 0.5 no object has two candidates, so nothing is left to choose.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.
    iou_threshold : float
        Smallest IoU that matches, above 0 and at most 1.

    Returns
    -------
    InstanceScores
        The counts, from which precision, recall, F1, AP and PQ follow.

    Raises
    ------
    SettingsError
        If the threshold is not above 0 and at most 1.
    """
    if not 0 < iou_threshold <= 1:
        raise SettingsError(
            f"Found the IoU threshold {iou_threshold:g}; it must be above 0 and at most 1."
        )
    pairs = table.pairs
    matches = pairs.iou >= iou_threshold
    ious = _one_to_one(pairs.predicted[matches], pairs.true[matches], pairs.iou[matches])
    return InstanceScores(
        iou_threshold=iou_threshold,
        true_positives=ious.size,
        false_positives=table.predicted_objects.size - ious.size,
        false_negatives=table.true_objects.size - ious.size,
        matched_iou=float(ious.sum()),
    )


def mean_average_precision(
    table: ContingencyTable, iou_thresholds: tuple[float, ...] = AP_THRESHOLDS
) -> float:
    """Mean of the average precision over thresholds of IoU, by default 0.5, 0.55 ... 0.95.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.
    iou_thresholds : tuple of float
        The thresholds, each above 0 and at most 1.

    Returns
    -------
    float
        The mean, 0 to 1.

    Raises
    ------
    SettingsError
        If a threshold is out of bounds or there is none.
    """
    if not iou_thresholds:
        raise SettingsError("Found no IoU threshold to average over; give at least one.")
    scores = [instance_scores(table, threshold).average_precision for threshold in iou_thresholds]
    return math.fsum(scores) / len(scores)


def panoptic_quality(table: ContingencyTable) -> InstanceScores:
    """Match at an IoU above 0.5, as panoptic quality is defined.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.

    Returns
    -------
    InstanceScores
        Read `.panoptic_quality`, `.segmentation_quality` and `.recognition_quality`: Kirillov et
        al. 2019, CVPR, arXiv:1801.00868, equation 1, for one class.
    """
    return instance_scores(table, ABOVE_HALF)


def _one_to_one(
    predicted: NDArray[np.int64], true: NDArray[np.int64], iou: NDArray[np.float64]
) -> NDArray[np.float64]:
    """IoU of the matched pairs; candidates without a rival are taken as they are."""
    contested = _repeated(predicted) | _repeated(true)
    if not contested.any():
        return iou
    solved = _assign(predicted[contested], true[contested], iou[contested])
    return np.concatenate([iou[~contested], solved])


def _repeated(indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the elements that occur more than once."""
    _, inverse, counts = np.unique(indices, return_inverse=True, return_counts=True)
    repeated: NDArray[np.bool_] = counts[inverse] > 1
    return repeated


def _assign(
    predicted: NDArray[np.int64], true: NDArray[np.int64], iou: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Match contested candidates by the Hungarian method: most pairs first, then largest IoU."""
    from scipy.optimize import linear_sum_assignment

    rows, row = np.unique(predicted, return_inverse=True)
    columns, column = np.unique(true, return_inverse=True)
    ious = np.zeros((rows.size, columns.size))
    ious[row, column] = iou
    # One more pair outweighs every gain of IoU: all IoU together stay below the shorter side.
    score = np.where(ious > 0, min(ious.shape) + ious, 0)
    chosen: NDArray[np.float64] = ious[linear_sum_assignment(score, maximize=True)]
    return chosen[chosen > 0]
