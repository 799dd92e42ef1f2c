"""The core probability, against NumPy's quantiles."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.review.uncertain import core_probability


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_core_probability_is_the_upper_quartile(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, (3, 5, 6))
    probability = generator.integers(0, 256, labels.shape).astype(np.uint8)
    core = core_probability(labels, probability)
    for number in np.unique(labels):
        values = probability[labels == number]
        count = int(np.ceil(values.size / 4))
        assert core[number] == np.sort(values)[-count] / 255


def test_numbers_that_do_not_occur_have_none():
    labels = np.array([[[0, 3]]])
    core = core_probability(labels, np.array([[[10, 255]]], np.uint8))
    assert core.tolist() == [10 / 255, 0, 0, 1]
