"""Semantic scores by hand: the defined results and the thesis's rule of tiles."""

import numpy as np
import pytest

from chondria.errors import PixelValueError, SettingsError, ShapeError
from chondria.evaluation.overlap import BinaryTable
from chondria.evaluation.semantic import (
    SemanticScores,
    iou_per_tile,
    semantic_scores,
    tile_ious,
    tile_scores,
)


def test_a_worked_example() -> None:
    scores = semantic_scores(BinaryTable(6, 2, 4, 88))
    assert scores.iou == 6 / 12
    assert scores.voc == pytest.approx((6 / 12 + 88 / 94) / 2)
    assert scores.dice == 12 / 18
    assert (scores.precision, scores.recall, scores.accuracy) == (6 / 8, 6 / 10, 94 / 100)


def test_nothing_to_find_and_nothing_found_is_perfect() -> None:
    assert semantic_scores(BinaryTable(0, 0, 0, 9)) == SemanticScores(1, 1, 1, 1, 1, 1)
    assert semantic_scores(BinaryTable(9, 0, 0, 0)) == SemanticScores(1, 1, 1, 1, 1, 1)


@pytest.mark.parametrize("table", [BinaryTable(0, 3, 0, 6), BinaryTable(0, 0, 3, 6)])
def test_one_empty_mask_scores_nothing(table: BinaryTable) -> None:
    scores = semantic_scores(table)
    assert (scores.iou, scores.dice, scores.precision, scores.recall) == (0, 0, 0, 0)


def test_an_empty_tile_counts_zero_as_in_the_thesis() -> None:
    truth = np.zeros((1, 4, 4), np.uint8)
    truth[0, :2, :2] = 255
    assert iou_per_tile(truth, truth, tile_px=2) == 1 / 4
    assert iou_per_tile(truth, truth, tile_px=2, empty_iou=1.0) == 1.0
    scores = tile_scores(truth, truth, tile_px=2)
    assert scores.iou_per_occupied_tile == 1.0
    assert (scores.tiles, scores.occupied_tiles) == (4, 1)


def test_a_false_alarm_in_an_empty_tile_counts_zero_in_both_means() -> None:
    truth, prediction = np.zeros((2, 1, 2, 4), bool)
    truth[0, :, :2] = prediction[0, :, :2] = True
    prediction[0, 0, 3] = True
    scores = tile_scores(prediction, truth, tile_px=2)
    assert scores.iou_per_tile == scores.iou_per_occupied_tile == 0.5


def test_tiles_run_over_the_edge_and_through_every_slice() -> None:
    ious = tile_ious(np.ones((3, 300, 257)), np.ones((3, 300, 257)))
    assert ious.shape == (3, 2, 2)
    assert (ious == 1).all()


def test_no_foreground_at_all() -> None:
    scores = tile_scores(np.zeros((2, 3, 3)), np.zeros((2, 3, 3)))
    assert (scores.iou_per_tile, scores.iou_per_occupied_tile) == (0.0, 1.0)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(ShapeError):
        iou_per_tile(np.zeros((2, 3, 3)), np.zeros((2, 3, 4)))
    with pytest.raises(PixelValueError, match="0, 1, 2 in the truth"):
        iou_per_tile(np.zeros((1, 1, 3)), np.array([[[0, 1, 2]]]))
    with pytest.raises(SettingsError, match="tile size 0"):
        iou_per_tile(np.zeros((1, 1, 3)), np.zeros((1, 1, 3)), tile_px=0)
