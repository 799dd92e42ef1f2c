"""The contingency table of two label maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chondria.errors import ShapeError
from chondria.evaluation.overlap import BinaryTable, contingency_table

SMALL_LABELS = arrays(np.uint8, (2, 4, 5), elements=st.integers(0, 3))


def test_a_worked_example() -> None:
    prediction = np.array([[1, 1, 1, 0], [0, 2, 2, 2]])
    truth = np.array([[5, 5, 0, 0], [0, 5, 9, 9]])
    table = contingency_table(prediction, truth)
    assert table.predicted_objects.tolist() == [1, 2]
    assert table.true_objects.tolist() == [5, 9]
    assert table.predicted_sizes.tolist() == [3, 3]
    assert table.true_sizes.tolist() == [3, 2]
    assert table.pairs.voxels.tolist() == [2, 1, 2]
    assert table.pairs.iou.tolist() == [2 / 4, 1 / 5, 2 / 3]
    assert table.binary == BinaryTable(5, 1, 0, 2)
    assert table.binary.voxels == 8


@settings(deadline=None)
@given(prediction=SMALL_LABELS, truth=SMALL_LABELS)
def test_sizes_are_numbers_of_voxels(prediction: np.ndarray, truth: np.ndarray) -> None:
    table = contingency_table(prediction, truth)
    ids, sizes = np.unique(truth[truth > 0], return_counts=True)
    assert table.true_objects.tolist() == ids.tolist()
    assert table.true_sizes.tolist() == sizes.tolist()
    ids, sizes = np.unique(prediction[prediction > 0], return_counts=True)
    assert table.predicted_objects.tolist() == ids.tolist()
    assert table.predicted_sizes.tolist() == sizes.tolist()
    assert table.binary.voxels == truth.size


def test_identifiers_may_be_huge_and_of_different_types() -> None:
    huge = 2**63 + 11
    prediction = np.array([[0, huge, huge]], np.uint64)
    table = contingency_table(prediction, np.array([[0, 3, 3]], np.int16))
    assert table.predicted_objects.tolist() == [huge]
    assert table.pairs.iou.tolist() == [1.0]


def test_memory_order_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    prediction, truth = rng.integers(0, 4, (2, 3, 6, 7))
    plain = contingency_table(prediction, truth)
    other = contingency_table(np.asfortranarray(prediction), np.flip(np.flip(truth).copy()))
    assert plain.voxels.tolist() == other.voxels.tolist()
    assert plain.true_ids.tolist() == other.true_ids.tolist()


def test_shapes_must_be_equal() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 2, 3\).*\(1, 3, 2\)"):
        contingency_table(np.zeros((2, 3), int), np.zeros((3, 2), int))
