"""Objects and their partners."""

import numpy as np

from chondria.evaluation.association import Associations, associate
from chondria.evaluation.overlap import contingency_table


def test_each_kind_once() -> None:
    #                   one to one    cut      joined      missing  extra
    truth = np.array([[1, 1, 1, 0, 2, 2, 2, 0, 3, 3, 4, 4, 0, 5, 5, 0, 0]])
    prediction = np.array([[1, 1, 0, 0, 2, 2, 3, 0, 4, 4, 4, 4, 0, 0, 0, 0, 6]])
    expected = Associations(one_to_one=1, missing=1, extra=1, split=1, merged=1)
    assert associate(contingency_table(prediction, truth)) == expected


def test_half_of_the_smaller_is_not_enough() -> None:
    truth, prediction = np.array([[1, 1, 0]]), np.array([[0, 1, 1]])
    expected = Associations(one_to_one=0, missing=1, extra=1, split=0, merged=0)
    assert associate(contingency_table(prediction, truth)) == expected


def test_nothing_at_all() -> None:
    nothing = np.zeros((1, 3), int)
    assert associate(contingency_table(nothing, nothing)) == Associations(0, 0, 0, 0, 0)
