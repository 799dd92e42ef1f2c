"""How sure a network is of an object: against plain means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chondria.errors import ShapeError
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.instances import keep_objects


@given(arrays(np.int64, (2, 4, 5), elements=st.integers(0, 6)))
def test_confidence_is_the_mean_probability_of_each_object(labels: np.ndarray) -> None:
    probability = np.random.default_rng(0).random(labels.shape)
    found = object_confidence(labels, probability)
    assert len(found.mean_probability) == len(found.doubt) == labels.max() + 1
    average = 1 - probability[labels > 0].mean() if labels.any() else np.nan
    for number, (mean, doubt) in enumerate(zip(found.mean_probability, found.doubt, strict=True)):
        inside = labels == number
        if number and inside.any():
            assert mean == pytest.approx(probability[inside].mean())
            assert doubt == pytest.approx((1 - mean) / average)
        else:
            assert mean == doubt == 0
    kept = keep_objects(labels, found.mean_probability >= 0.5)
    expected = np.where(found.mean_probability[labels] >= 0.5, labels, 0)
    np.testing.assert_array_equal(kept, expected)


def test_confidence_of_bytes_is_a_probability() -> None:
    labels = np.array([[[0, 1, 1, 3]]], np.uint16)
    found = object_confidence(labels, np.array([[[255, 255, 0, 51]]], np.uint8))
    assert found.mean_probability.tolist() == pytest.approx([0, 0.5, 0, 0.2])
    # 1.2 of 3 voxels are sure: a doubt of 0.6 on average.
    assert found.doubt.tolist() == pytest.approx([0, 0.5 / 0.6, 0, 0.8 / 0.6])
    certain = object_confidence(labels, np.full((1, 1, 4), 255, np.uint8))
    assert certain.doubt.tolist() == [0, 0, 0, 0]
    with pytest.raises(ShapeError, match="both must be of one volume"):
        object_confidence(labels, np.zeros((1, 1, 3)))
