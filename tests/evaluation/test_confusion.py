"""Confusion matrices: the thesis's example, and scikit-learn as an oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from chondria.errors import PixelValueError, ShapeError
from chondria.evaluation.confusion import class_scores, confusion_matrix

CLASSES = 4
some = arrays(np.int64, 30, elements=st.integers(0, CLASSES - 1))


def test_the_example_of_the_thesis() -> None:
    # Table 5.1, whose rows are the truth; the sentences below it read it by columns.
    matrix = np.array([[10, 7], [5, 8]])
    scores = class_scores(matrix)
    assert scores.accuracy == 18 / 30
    assert scores.recall.tolist() == [10 / 17, 8 / 13]
    assert scores.precision.tolist() == [10 / 15, 8 / 15]


@given(some, some)
def test_it_is_what_scikit_learn_says(truth, predicted) -> None:
    matrix = confusion_matrix(truth, predicted, CLASSES)
    expected = metrics.confusion_matrix(truth, predicted, labels=range(CLASSES))
    assert np.array_equal(matrix, expected)
    scores = class_scores(matrix)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    both = {"labels": range(CLASSES), "average": None, "zero_division": 1.0}
    assert scores.precision == pytest.approx(metrics.precision_score(truth, predicted, **both))
    assert scores.recall == pytest.approx(metrics.recall_score(truth, predicted, **both))


def test_nothing_and_nonsense() -> None:
    nothing = np.zeros(0, np.int64)
    assert class_scores(confusion_matrix(nothing, nothing, 2)).accuracy == 1
    with pytest.raises(PixelValueError, match="the class 2; there are 2"):
        confusion_matrix(np.array([0, 2]), np.array([0, 1]), 2)
    with pytest.raises(ShapeError):
        confusion_matrix(np.array([0, 1]), np.array([0]), 2)
