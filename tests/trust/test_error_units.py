"""Units of error between two label maps, planted merges, splits, misses and false alarms."""

import numpy as np
import pytest

from chondria.evaluation.association import associate
from chondria.evaluation.overlap import contingency_table
from chondria.trust.error_units import (
    COUNT,
    VOLUME,
    ErrorTally,
    ErrorUnits,
    MeasuredObjects,
    Overlaps,
    error_units,
)
from chondria.trust.propagation import correction_factor


def objects(labels: np.ndarray) -> MeasuredObjects:
    ids, voxels = np.unique(labels[labels > 0], return_counts=True)
    return MeasuredObjects(ids, voxels, voxels * 2.0, ids % 3, ids > 0)


def compared(predicted: np.ndarray, true: np.ndarray) -> tuple[ErrorUnits, ErrorTally]:
    table = contingency_table(predicted, true)
    overlaps = Overlaps(table.predicted_ids, table.true_ids, table.voxels)
    return error_units(overlaps, objects(predicted), objects(true))


@pytest.fixture
def truth() -> np.ndarray:
    """Forty blocks of 8 by 8 by 8 voxels, two apart."""
    labels = np.zeros((10, 42, 102), np.uint16)
    for number in range(40):
        y, x = divmod(number, 10)
        labels[1:9, 1 + 10 * y : 9 + 10 * y, 1 + 10 * x : 9 + 10 * x] = number + 1
    return labels


def test_a_merge_moves_the_count_and_hardly_the_iou(truth: np.ndarray) -> None:
    merged = truth.copy()
    merged[4, 4, 9:11] = 1  # a bridge of two voxels
    merged[truth == 2] = 1
    units, tally = compared(merged, truth)
    assert 0.99 < tally.iou < 1
    assert (tally.merged, tally.true_objects, tally.predicted_objects) == (1, 40, 39)
    assert correction_factor(units, "count") == pytest.approx(40 / 39)
    assert correction_factor(units, "mean_volume") == pytest.approx(39 / 40, rel=1e-3)
    assert correction_factor(units, "total_volume") == pytest.approx(1, abs=1e-3)
    assert "1 are several merged; the masks agree to an IoU of 1.000" in tally.sentence()


def test_each_kind_of_error_is_counted_and_every_object_is_in_one_unit(truth: np.ndarray) -> None:
    wrong = truth.copy()
    wrong[truth == 2] = 1  # merged
    wrong[:, :, :5][truth[:, :, :5] == 11] = 90  # split
    wrong[truth == 21] = 0  # missed
    wrong[0, 0, :9] = 91  # made up
    units, tally = compared(wrong, truth)
    expected = (40, 40, 1, 1, 1, 1)
    assert (
        tally.true_objects,
        tally.predicted_objects,
        tally.missing,
        tally.extra,
        tally.split,
        tally.merged,
    ) == expected
    assert len(units) == 40  # 36 pairs and one of each kind
    assert units.true[:, COUNT].sum() == units.predicted[:, COUNT].sum() == 40
    assert units.true[:, VOLUME].sum() == 2 * np.count_nonzero(truth)
    assert units.predicted[:, VOLUME].sum() == 2 * np.count_nonzero(wrong)


def test_counts_are_those_of_the_evaluation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        predicted, true = rng.integers(0, 4, (2, 2, 4, 4)).astype(np.uint8)
        _, tally = compared(predicted, true)
        linked = associate(contingency_table(predicted, true))
        found = (tally.missing, tally.extra, tally.split, tally.merged)
        assert found == (linked.missing, linked.extra, linked.split, linked.merged)
        assert tally.iou == contingency_table(
            predicted, true
        ).binary.true_positives / np.count_nonzero((predicted > 0) | (true > 0))


@pytest.mark.parametrize("empty", ["predicted", "true", "both"])
def test_no_objects_on_a_side(truth: np.ndarray, empty: str) -> None:
    nothing = np.zeros_like(truth)
    predicted = nothing if empty != "true" else truth
    units, tally = compared(predicted, nothing if empty != "predicted" else truth)
    assert len(units) == (0 if empty == "both" else 40)
    assert tally.iou == (1 if empty == "both" else 0)


def test_volumes_are_put_together_with_blocks_apart(truth: np.ndarray) -> None:
    units, tally = compared(truth, truth)
    both = units + units
    assert len(both) == 80
    assert np.unique(both.block).size == 2 * np.unique(units.block).size
    assert (tally + tally).true_objects == 80
    assert (tally + tally).iou == 1
