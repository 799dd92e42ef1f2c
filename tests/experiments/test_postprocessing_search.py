"""Every threshold, median and doubt is scored as it is, and by what chance would leave of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import ShapeError
from chondria.experiments.postprocessing_search import DOUBT_SPREAD, SearchGrid, score_block
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

SMALL = SearchGrid((0.4, 0.6), (0, 30), (np.inf, 2.0, 1.1, 0.01))


@given(st.integers(0, 2**32 - 1))
def test_every_score_is_the_iou_of_its_settings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 4), np.uint8)
    values = coarse.repeat(3, 1).repeat(3, 2)
    truth = rng.random(values.shape) < values / 255
    scores = score_block(Volume(values, (10.0, 5.0, 5.0)), truth, SMALL).iou
    for i, p in enumerate(SMALL.thresholds):
        for j, nm in enumerate(SMALL.z_medians_nm):
            mask = threshold(values, p)
            labels = connected_instances(z_median(mask, z_extent_slices(nm, 10)) if nm else mask)
            doubt = object_confidence(labels, values).doubt
            for k, largest in enumerate(SMALL.doubts):
                kept = (labels > 0) & (doubt[labels] <= largest)
                union = (kept | truth).sum()
                expected = (kept & truth).sum() / union if union else 1.0
                assert scores[i, j, k] == pytest.approx(expected)


def test_a_doubtful_object_is_dropped_by_a_small_bound() -> None:
    values = np.zeros((1, 20, 40), np.uint8)
    values[:, 2:18, 2:18], values[:, 4:8, 30:34] = 250, 180
    scores = score_block(Volume(values), values == 250, SMALL).iou
    assert scores[0, 0].tolist() == [pytest.approx(256 / 272), 1.0, 1.0, 0.0]
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])  # no voxel size, no median


def test_nothing_found_where_nothing_is_counts_as_one() -> None:
    empty = np.zeros((2, 8, 8), np.uint8)
    scores = score_block(Volume(empty), empty > 0, SMALL)
    assert (scores.iou == 1).all()
    assert (scores.expected == 1).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match="both must be of one block"):
        score_block(Volume(np.zeros((2, 8, 8), np.uint8)), np.zeros((1, 8, 8), bool), SMALL)


def test_what_is_expected_is_the_mean_over_doubts_that_turned_out_differently() -> None:
    """Each object alone, so that its share of draws below the bound is its chance to be kept."""
    values = np.zeros((1, 30, 60), np.uint8)
    values[:, 2:28, 2:28], values[:, 4:14, 40:50] = 250, 225
    truth = values > 0
    doubt = object_confidence(connected_instances(truth), values).doubt[1:]
    n = np.array([26 * 26, 100])
    grid = SearchGrid((0.5,), (0,), (np.inf, 3.0, 2.0, 1.0))
    expected = score_block(Volume(values), truth, grid).expected[0, 0]
    draws = np.random.default_rng(0).normal(0, DOUBT_SPREAD, (200_000, 2))
    for bound, found in zip(grid.doubts, expected, strict=True):
        kept = doubt * np.exp(draws) <= bound
        assert found == pytest.approx((kept * n).sum(1).mean() / n.sum(), abs=2e-3)
    assert expected[0] == 1 > expected[1] > expected[2] > expected[3]


def test_a_bound_next_to_a_large_true_object_is_not_chosen() -> None:
    """The tighter bound drops one false object more and is a hair above the doubt of a true one."""
    values = np.zeros((1, 60, 120), np.uint8)
    values[:, :40, :40], values[:, :40, 50:90] = 253, 243
    values[:, 50:56, 50:56], values[:, 50:56, 70:74] = 215, 238
    truth = np.zeros(values.shape, bool)
    truth[:, :40, :90] = values[:, :40, :90] > 0
    doubt = object_confidence(connected_instances(values > 0), values).doubt
    tight, loose = 1.01 * doubt[2], 1.01 * doubt[4]
    assert doubt[2] < tight < doubt[4] < loose < doubt[3]
    scores = score_block(Volume(values), truth, SearchGrid((0.5,), (0,), (loose, tight)))
    assert scores.iou[0, 0].argmax() == 1
    assert scores.expected[0, 0].argmax() == 0
