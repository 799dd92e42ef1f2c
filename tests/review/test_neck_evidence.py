"""What necks say, on bodies that are joined or thin in a known way."""

import numpy as np
import pytest

from chondria.review.neck_evidence import flankness, probability_drop
from chondria.review.necks import find_lobes, find_necks

SIZE = (40.0, 10.0, 10.0)
APART_SIZE = (1e6, 10.0, 10.0)


def neck_of(body):
    lobes, depth = find_lobes(body, APART_SIZE)
    (neck,) = find_necks(lobes, depth, SIZE)
    return neck, lobes


def side_by_side(slices_joined: int) -> np.ndarray:
    """Two rods, 200 nm wide and 1 um long, 100 nm apart, joined in the first so many slices."""
    body = np.zeros((6, 70, 120), bool)
    body[:, 10:30, 10:110] = body[:, 40:60, 10:110] = True
    body[:slices_joined, 30:40, 57:63] = True
    return body


def end_to_end() -> np.ndarray:
    body = np.zeros((6, 40, 250), bool)
    body[:, 10:30, 10:110] = body[:, 10:30, 130:230] = True
    body[:, 17:23, 110:130] = True
    return body


def test_rods_side_by_side_meet_with_their_flanks_and_those_in_a_row_with_their_ends():
    assert flankness(*neck_of(side_by_side(6)), SIZE) > 0.4
    assert flankness(*neck_of(end_to_end()), SIZE) < 0.1


@pytest.mark.parametrize("believed", [250, 200, 130])
def test_the_drop_is_that_of_the_log_odds(believed):
    body = side_by_side(6)
    neck, lobes = neck_of(body)
    probability = np.where(body, 250, 3).astype(np.uint8)
    probability[:, 30:40, 57:63] = believed
    odds = [np.log(p / (255 - p)) for p in (250, believed)]
    assert probability_drop(neck, lobes, probability) == pytest.approx((odds[0] - odds[1]) / 4)


def test_a_soft_outline_of_a_thin_part_is_no_drop():
    body = end_to_end()
    neck, lobes = neck_of(body)
    probability = np.where(body, 250, 3).astype(np.uint8)
    probability[:, 17, 110:130] = probability[:, 22, 110:130] = 140
    assert probability_drop(neck, lobes, probability) == 0
