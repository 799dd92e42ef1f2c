"""Shells beside distances to every voxel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from chondria.morphometrics.grey import around, grey_values, shell_of


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    width=st.floats(1, 60),
    edges=st.sampled_from([(5.0, 5.0, 5.0), (50.0, 4.6, 4.6), (20.0, 7.0, 9.0)]),
)
def test_the_shell_is_the_background_within_its_width(seed, width, edges) -> None:
    labels = np.random.default_rng(seed).choice([0, 0, 0, 0, 1, 2], size=(4, 6, 7))
    labels[2, 3, 3] = 1
    mask = labels == 1
    shell = shell_of(mask, labels == 0, width, edges)
    every = np.argwhere(np.ones(labels.shape, bool)) * edges
    near = cdist(every, np.argwhere(mask) * edges).min(axis=1).reshape(labels.shape)
    np.testing.assert_array_equal(shell, (near <= width) & (labels == 0))


def test_a_box_is_widened_up_to_the_border() -> None:
    box = (slice(1, 3), slice(10, 20), slice(0, 5))
    wide, inner = around(box, 20, (50.0, 4.6, 4.6), (4, 22, 100))
    assert wide == (slice(1, 3), slice(6, 22), slice(0, 9))
    assert inner == (slice(0, 2), slice(4, 14), slice(0, 5))


def test_mean_and_deviation() -> None:
    values = np.array([250, 255, 255], np.uint8)
    found = grey_values(values, "grey")
    assert found == pytest.approx({"grey_mean": 760 / 3, "grey_sd": np.std(values.astype(float))})
    assert np.isnan(list(grey_values(values[:0], "shell_grey").values())).all()
