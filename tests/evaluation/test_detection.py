"""DET by hand: weights, the half that does not count, and many objects."""

import numpy as np
import pytest

from chondria.evaluation.detection import DetectionScore, detection_per_slice, detection_score
from chondria.evaluation.overlap import contingency_table


def det_of(prediction: np.ndarray, truth: np.ndarray) -> DetectionScore:
    return detection_score(contingency_table(prediction, truth))


def test_weights_of_the_challenge() -> None:
    # One prediction covers two objects (a split), one object is missed, one is spurious.
    truth = np.array([[1, 1, 2, 2, 0, 3, 3, 0, 0]])
    prediction = np.array([[7, 7, 7, 7, 0, 0, 0, 0, 8]])
    score = det_of(prediction, truth)
    assert score == DetectionScore(detected=2, splits=1, false_negatives=1, false_positives=1)
    assert score.aogm_d == 5 + 10 + 1
    assert score.det == 1 - 16 / 30


def test_exactly_half_is_not_detected() -> None:
    truth = np.array([[1, 1, 1, 1]])
    assert det_of(np.array([[1, 1, 0, 0]]), truth).detected == 0
    assert det_of(np.array([[1, 1, 1, 0]]), truth).detected == 1


def test_det_is_never_below_zero() -> None:
    prediction = np.arange(1, 41).reshape(1, 40)
    truth = np.zeros((1, 40), int)
    truth[0, :3] = 1
    assert det_of(prediction, truth).aogm_d == 50
    assert det_of(prediction, truth).det == 0.0


@pytest.mark.parametrize(("predicted", "expected"), [(0, 1.0), (1, 0.0)])
def test_without_true_objects(predicted: int, expected: float) -> None:
    truth = np.zeros((2, 3), int)
    assert det_of(np.full((2, 3), predicted), truth).det == expected
    assert detection_per_slice(np.full((2, 3), predicted), truth).det == expected


def test_identifiers_above_255_do_not_wrap() -> None:
    truth = np.zeros((1, 40, 40), np.uint16)
    truth[0, ::2, ::2] = np.arange(1, 401).reshape(20, 20)
    assert det_of(truth, truth) == DetectionScore(400, 0, 0, 0)
    assert detection_per_slice(truth > 0, truth > 0) == DetectionScore(400, 0, 0, 0)
    missing = np.where(truth == 256, 0, truth)
    assert det_of(missing, truth).det == 1 - 1 / 400


def test_per_slice_counts_every_profile() -> None:
    truth = np.zeros((3, 5, 5), bool)
    truth[:, 0, :] = truth[:, 4, :] = True
    truth[2, :, 0] = True  # the arms of one object meet in the last slice
    prediction = truth.copy()
    prediction[0] = False
    assert det_of(prediction.astype(int), truth.astype(int)).true_objects == 1
    score = detection_per_slice(prediction, truth)
    assert score == DetectionScore(detected=3, splits=0, false_negatives=2, false_positives=0)
