"""Partitions by hand: which error is a split and which a merge."""

import numpy as np

from chondria.evaluation.overlap import contingency_table
from chondria.evaluation.partition import RandScores, adapted_rand, variation_of_information

WHOLE, HALVES = np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])


def test_a_cut_object_is_a_split() -> None:
    table = contingency_table(HALVES, WHOLE)
    information = variation_of_information(table)
    assert (information.split, information.merge, information.total) == (1.0, 0.0, 1.0)
    assert adapted_rand(table) == RandScores(error=1 - 8 / 16, precision=1.0, recall=4 / 12)


def test_joined_objects_are_a_merge() -> None:
    table = contingency_table(WHOLE, HALVES)
    information = variation_of_information(table)
    assert (information.split, information.merge) == (0.0, 1.0)
    assert adapted_rand(table) == RandScores(error=1 - 8 / 16, precision=4 / 12, recall=1.0)


def test_the_true_background_may_be_left_out() -> None:
    prediction, truth = np.array([[1, 1, 5, 5]]), np.array([[1, 1, 0, 0]])
    table = contingency_table(np.array([[1, 1, 5, 0]]), truth)
    assert variation_of_information(table).total > 0
    assert variation_of_information(table, ignore_true_background=True).total == 0
    assert adapted_rand(table).error == 0
    assert (
        adapted_rand(contingency_table(prediction, truth), ignore_true_background=False).error == 0
    )


def test_without_true_objects() -> None:
    nothing = np.zeros((1, 4), int)
    assert adapted_rand(contingency_table(nothing, nothing)).error == 0.0
    assert adapted_rand(contingency_table(WHOLE, nothing)).error == 1.0
    assert adapted_rand(contingency_table(nothing, WHOLE)).error == 0.0
    alone = variation_of_information(contingency_table(WHOLE, nothing), ignore_true_background=True)
    assert alone.total == 0.0
