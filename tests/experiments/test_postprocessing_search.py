"""The search scores what `segment` would do, and prefers settings without a cliff beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import ShapeError
from chondria.experiments.postprocessing_search import SearchGrid, score_block, sturdiest
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

SMALL = SearchGrid((0.4, 0.6), (0, 30), (np.inf, 2.0, 1.1, 0.0))


@given(st.integers(0, 2**32 - 1))
def test_every_score_is_the_iou_of_its_settings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 4), np.uint8)
    values = coarse.repeat(3, 1).repeat(3, 2)
    truth = rng.random(values.shape) < values / 255
    scores = score_block(Volume(values, (10.0, 5.0, 5.0)), truth, SMALL)
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
    scores = score_block(Volume(values), values == 250, SMALL)
    assert scores[0, 0].tolist() == [pytest.approx(256 / 272), 1.0, 1.0, 0.0]
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])  # no voxel size, no median


def test_nothing_found_where_nothing_is_counts_as_one() -> None:
    empty = np.zeros((2, 8, 8), np.uint8)
    assert (score_block(Volume(empty), empty > 0, SMALL) == 1).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match="both must be of one block"):
        score_block(Volume(np.zeros((2, 8, 8), np.uint8)), np.zeros((1, 8, 8), bool), SMALL)


def test_the_best_beside_a_cliff_is_not_chosen() -> None:
    assert sturdiest(np.array([0.80, 0.84, 0.85, 0.84, 0.80, 0.87, 0.40])) == (2,)


def test_of_equals_the_higher_score_is_chosen() -> None:
    assert sturdiest(np.array([0.5, 0.5, 0.9, 0.5, 0.5])) == (2,)
    assert sturdiest(np.full((2, 3), 0.5)) == (0, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_no_place_has_a_better_worst_neighbour(scores) -> None:
    (best,) = sturdiest(np.array(scores))
    worst = [min(scores[max(i - 1, 0) : i + 2]) for i in range(len(scores))]
    assert worst[best] == max(worst)
