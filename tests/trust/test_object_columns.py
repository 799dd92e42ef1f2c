"""Sharpness and agreement of objects whose values are known by construction."""

import numpy as np
import pytest

from chondria.errors import SettingsError, ShapeError
from chondria.trust.agreement import vote_agreement
from chondria.trust.object_rows import object_rows
from chondria.trust.sharpness import boundary_sharpness

SIZE = (40.0, 4.0, 8.0)


def ramp(width_nm: float, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """A half space and a probability that falls evenly over a width across its face."""
    y, x = np.mgrid[:40, :40]
    distance = ((19.5 - y) * SIZE[1], (19.5 - x) * SIZE[2])[axis]
    probability = np.clip(0.5 + distance / width_nm, 0, 1)[None]
    return (probability > 0.5).astype(np.uint16), probability


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("width_nm", [64.0, 160.0])
def test_an_even_fall_has_the_slope_of_its_width(axis: int, width_nm: float) -> None:
    labels, probability = ramp(width_nm, axis)
    slope = boundary_sharpness(labels, probability, np.array([1]), SIZE)
    assert slope == pytest.approx([1 / width_nm])
    levels = np.rint(probability * 255).astype(np.uint8)
    assert boundary_sharpness(labels, levels, np.array([1]), SIZE) == pytest.approx(slope, rel=0.1)


def test_slanted_outlines_are_as_sharp() -> None:
    y, x = np.mgrid[:200, :200] * 5.0
    probability = np.clip(0.5 + (400 - np.hypot(y - 500, x - 500)) / 100, 0, 1)[None]
    labels = (probability > 0.5).astype(np.uint8)
    slope = boundary_sharpness(labels, probability, np.array([1]), (5, 5, 5))
    assert slope == pytest.approx([0.01], rel=0.02)


def test_rows_follow_identifiers_of_any_size() -> None:
    labels, probability = ramp(64.0, 0)
    blurred = np.concatenate([probability, ramp(640.0, 0)[1]])
    big = np.array([5, 2**40], np.uint64)
    both = np.concatenate([labels, labels]).astype(np.uint64) * big[::-1, None, None]
    slopes = boundary_sharpness(both, blurred, big, SIZE)
    assert slopes == pytest.approx([1 / 640, 1 / 64])
    np.testing.assert_array_equal(object_rows(big)(np.array([0, 5, 6, 2**40])), [-1, 0, -1, 1])
    small = object_rows(np.array([2, 7]))
    np.testing.assert_array_equal(small(np.array([0, 2, 7, 8], np.uint16)), [-1, 0, 1, -1])
    assert boundary_sharpness(np.zeros_like(both), blurred, big[:0], SIZE).size == 0


def test_an_object_without_outline_has_no_sharpness() -> None:
    full = np.ones((2, 4, 4), np.uint8)
    assert boundary_sharpness(full, full * 255, np.array([1]), SIZE) == [0]


def masks(labels: np.ndarray, voters: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (labels > 0) & (rng.random((voters, *labels.shape)) < 0.8)


def test_agreement_is_the_pooled_dice_of_all_pairs() -> None:
    labels = np.zeros((2, 12, 12), np.uint8)
    labels[:, 2:7, 2:7], labels[:, 8:11, 8:11] = 1, 4
    cast = masks(labels, 5, seed=0)
    found = vote_agreement(labels, cast.sum(0).astype(np.uint8), 5, np.array([1, 4]))
    for value, number in zip(found, (1, 4), strict=True):
        own = cast[:, labels == number]
        pairs = [(a, b) for i, a in enumerate(own) for b in own[:i]]
        overlap = sum((a & b).sum() for a, b in pairs)
        size = sum(a.sum() + b.sum() for a, b in pairs)
        assert value == pytest.approx(2 * overlap / size)


def test_votes_beside_an_object_count_for_the_nearest_within_reach() -> None:
    labels = np.zeros((1, 1, 100), np.uint8)
    labels[..., 10:20] = 1
    votes = labels * 2
    votes[..., 20:25] = 1  # one of two sees it longer
    votes[..., 60:70] = 1  # and another thing far away
    ids = np.array([1])
    assert vote_agreement(labels, votes, 2, ids) == [1]
    near = vote_agreement(labels, votes, 2, ids, (5, 5, 5))
    assert near == pytest.approx([2 * 10 / (10 + 15)])


def test_an_object_that_nobody_sees_has_no_agreement() -> None:
    labels = np.ones((1, 3, 3), np.uint8)
    assert vote_agreement(labels, labels * 0, 8, np.array([1]), SIZE) == [0]


def test_what_cannot_be_compared_is_refused() -> None:
    labels = np.ones((1, 3, 3), np.uint8)
    with pytest.raises(SettingsError):
        vote_agreement(labels, labels, 1, np.array([1]))
    with pytest.raises(ShapeError):
        vote_agreement(labels, labels[:, :2], 2, np.array([1]))
    with pytest.raises(ShapeError):
        boundary_sharpness(labels, labels[:, :2], np.array([1]), SIZE)
