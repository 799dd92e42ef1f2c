"""Overlap of neighbouring slices."""

import numpy as np
import pytest

from chondria.review.slices import find_odd_slices, neighbour_overlap


def test_the_overlap_is_the_dice_coefficient():
    labels = np.zeros((4, 1, 8), int)
    labels[0, 0, :4] = 1
    labels[1, 0, 2:6] = 5
    assert neighbour_overlap(labels) == pytest.approx([0.5, 0, np.nan], nan_ok=True)


def test_an_empty_slice_is_odd_and_its_neighbours_are_less_so():
    labels = np.ones((7, 4, 4), int)
    labels[3] = 0
    found = {s.place_px[0]: s.evidence["lack"] for s in find_odd_slices(labels)}
    assert found[3] == 1
    assert max(lack for z, lack in found.items() if z != 3) <= 0.5


def test_what_the_image_says_is_kept():
    labels = np.ones((5, 4, 4), int)
    (found,) = find_odd_slices(labels, {2: "Slice 2 is torn."})
    assert (found.place_px, found.reason, found.evidence["image"]) == (
        (2, 2, 2),
        "Slice 2 is torn.",
        1,
    )


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_few_slices_have_nothing_typical(slices):
    assert find_odd_slices(np.ones((slices, 3, 3), int)) == []
