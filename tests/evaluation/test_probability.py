"""Cross-entropy of 8-bit probabilities against that of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss

from chondria.errors import PixelValueError, ShapeError
from chondria.evaluation.probability import cross_entropy

SHAPE = (2, 3, 4)


@given(arrays(np.uint8, SHAPE, elements=st.integers(1, 254)), arrays(bool, SHAPE))
def test_it_is_the_log_loss(probability, truth) -> None:
    expected = log_loss(truth.ravel(), probability.ravel() / 255, labels=[False, True])
    assert cross_entropy(probability, truth) == pytest.approx(expected)


def test_certainty_is_cheap_when_right_and_finite_when_wrong() -> None:
    truth = np.zeros(SHAPE, bool)
    truth[0] = True
    certain = truth * np.uint8(255)
    assert 0 < cross_entropy(certain, truth) < 0.001
    assert cross_entropy(certain, ~truth) == pytest.approx(np.log(4 * 255))


def test_unusable_input_is_refused() -> None:
    with pytest.raises(PixelValueError, match="float64"):
        cross_entropy(np.zeros(SHAPE), np.zeros(SHAPE))
    with pytest.raises(ShapeError):
        cross_entropy(np.zeros(SHAPE, np.uint8), np.zeros((1, 3, 4)))
