"""Missed places: what counts, and that halos of objects do not."""

import numpy as np
import pytest

from chondria.review.misses import find_misses, missed_regions
from chondria.review.scene import make_scene

SIZE = (40.0, 10.0, 10.0)


def seen_disc(value: int, radius_px: float) -> np.ndarray:
    z, y, x = np.indices((4, 60, 60))
    disc = (y - 30) ** 2 + (x - 30) ** 2 < radius_px**2
    return np.where(disc & (z > 0), value, 0).astype(np.uint8)


@pytest.mark.parametrize(("value", "radius", "count"), [(100, 12, 1), (40, 12, 0), (100, 3, 0)])
def test_places_count_by_probability_and_size(value, radius, count):
    labels = np.zeros((4, 60, 60), int)
    regions = missed_regions(labels, seen_disc(value, radius), SIZE, flat=False)
    assert regions.max() == count


def test_slices_are_places_of_their_own_where_objects_are_flat():
    labels = np.zeros((4, 60, 60), int)
    regions = missed_regions(labels, seen_disc(100, 12), SIZE, flat=True)
    assert [np.unique(plane).max() for plane in regions] == [0, 1, 2, 3]


def test_the_soft_outline_of_an_object_is_no_miss():
    labels = (seen_disc(1, 12) > 0).astype(int)
    assert find_misses(make_scene(labels, seen_disc(100, 14), SIZE)) == []


def test_the_evidence_is_that_of_the_disc():
    labels = np.zeros((4, 60, 60), int)
    (found,) = find_misses(make_scene(labels, seen_disc(102, 12), SIZE))
    assert found.evidence["probability"] == pytest.approx(0.4)
    assert found.evidence["width"] == pytest.approx(240 / 250, abs=0.1)
    assert found.place_px == (2, 30, 30)
