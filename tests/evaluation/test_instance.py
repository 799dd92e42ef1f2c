"""Instance scores by hand, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chondria.errors import SettingsError
from chondria.evaluation.association import associate
from chondria.evaluation.detection import detection_score
from chondria.evaluation.instance import (
    AP_THRESHOLDS,
    InstanceScores,
    instance_scores,
    mean_average_precision,
    panoptic_quality,
)
from chondria.evaluation.overlap import ContingencyTable, contingency_table
from chondria.evaluation.partition import adapted_rand, variation_of_information
from chondria.evaluation.semantic import semantic_scores

LABELS = arrays(np.int64, (2, 3, 8), elements=st.integers(0, 4), fill=st.just(0))


def test_a_worked_example() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3]])
    prediction = np.array([[5, 5, 5, 0, 0, 6, 0, 7, 0]])
    scores = instance_scores(contingency_table(prediction, truth), 0.5)
    assert scores == InstanceScores(0.5, 2, 1, 1, 0.75 + 0.5)
    assert (scores.precision, scores.recall, scores.f1) == (2 / 3, 2 / 3, 2 / 3)
    assert scores.average_precision == 2 / 4
    strict = instance_scores(contingency_table(prediction, truth), 0.75)
    assert (strict.true_positives, strict.average_precision) == (1, 1 / 5)
    panoptic = panoptic_quality(contingency_table(prediction, truth))
    assert panoptic.true_positives == 1  # an IoU of exactly one half does not match there
    assert panoptic.segmentation_quality == 0.75
    assert panoptic.recognition_quality == 1 / 3
    assert panoptic.panoptic_quality == 0.75 / 3


def test_rivals_at_one_half_match_once() -> None:
    truth, halves = np.array([[1, 1]]), np.array([[5, 6]])
    for table in (contingency_table(halves, truth), contingency_table(truth, halves)):
        assert instance_scores(table, 0.5).true_positives == 1


def test_the_assignment_prefers_pairs_to_overlap() -> None:
    # The pair that overlaps most, 1 and 8, would leave 2 and 7 without a partner.
    truth = np.repeat([1, 2], [12, 2])[None]
    prediction = np.repeat([7, 8], [2, 12])[None]
    table = contingency_table(prediction, truth)
    assert table.pairs.iou.tolist() == [2 / 12, 10 / 14, 2 / 12]
    scores = instance_scores(table, 0.15)
    assert (scores.true_positives, scores.matched_iou) == (2, 2 / 12 + 2 / 12)


@pytest.mark.parametrize("threshold", AP_THRESHOLDS)
def test_an_iou_at_the_threshold_matches(threshold: float) -> None:
    truth = np.ones((1, 20), int)
    prediction = (np.arange(20) < round(20 * threshold)).astype(int)[None]
    assert instance_scores(contingency_table(prediction, truth), threshold).true_positives == 1


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.5, float("nan")])
def test_thresholds_out_of_bounds_are_refused(threshold: float) -> None:
    table = contingency_table(np.zeros((1, 2), int), np.zeros((1, 2), int))
    with pytest.raises(SettingsError, match="above 0 and at most 1"):
        instance_scores(table, threshold)


def test_no_thresholds_are_refused() -> None:
    table = contingency_table(np.zeros((1, 2), int), np.zeros((1, 2), int))
    with pytest.raises(SettingsError, match="at least one"):
        mean_average_precision(table, ())


def test_empty_sides() -> None:
    nothing, something = np.zeros((1, 3), int), np.array([[0, 1, 1]])
    both = panoptic_quality(contingency_table(nothing, nothing))
    assert (both.precision, both.recall, both.f1, both.average_precision) == (1, 1, 1, 1)
    assert (both.panoptic_quality, both.segmentation_quality) == (1, 1)
    for pair in ((nothing, something), (something, nothing)):
        one = panoptic_quality(contingency_table(*pair))
        assert (one.precision, one.recall, one.f1, one.average_precision) == (0, 0, 0, 0)
        assert (one.panoptic_quality, one.segmentation_quality) == (0, 0)


def summary(table: ContingencyTable) -> list[float]:
    """Every score that the two label maps enter alike, in a fixed order."""
    voxels, loose, panoptic = (
        semantic_scores(table),
        instance_scores(table),
        panoptic_quality(table),
    )
    return [
        voxels.iou,
        voxels.voc,
        voxels.dice,
        voxels.accuracy,
        loose.f1,
        loose.average_precision,
        mean_average_precision(table),
        panoptic.panoptic_quality,
        variation_of_information(table).total,
        adapted_rand(table, ignore_true_background=False).error,
    ]


@settings(deadline=None)
@given(prediction=LABELS, truth=LABELS)
def test_prediction_and_truth_may_be_exchanged(prediction: np.ndarray, truth: np.ndarray) -> None:
    table, swapped = contingency_table(prediction, truth), contingency_table(truth, prediction)
    assert summary(table) == pytest.approx(summary(swapped))
    assert semantic_scores(table).precision == semantic_scores(swapped).recall
    information, exchanged = variation_of_information(table), variation_of_information(swapped)
    assert information.split == pytest.approx(exchanged.merge)
    links, reverse = associate(table), associate(swapped)
    assert (links.missing, links.split) == (reverse.extra, reverse.merged)


@settings(deadline=None)
@given(prediction=LABELS, truth=LABELS, names=st.permutations([1, 2, 3, 4]))
def test_identifiers_are_only_names(
    prediction: np.ndarray, truth: np.ndarray, names: list[int]
) -> None:
    renamed = np.array([0, *(97 * name for name in names)])[prediction]
    table, other = contingency_table(prediction, truth), contingency_table(renamed, truth)
    assert summary(table) == pytest.approx(summary(other))
    assert detection_score(table) == detection_score(other)
    assert associate(table) == associate(other)


@settings(deadline=None)
@given(truth=LABELS)
def test_the_truth_itself_is_perfect(truth: np.ndarray) -> None:
    table = contingency_table(truth, truth)
    assert summary(table) == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert detection_score(table).det == 1
    objects = np.unique(truth[truth > 0]).size
    assert associate(table).one_to_one == objects
