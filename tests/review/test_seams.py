"""A seam is a layer across a neck; what stains an object elsewhere is none."""

import numpy as np
import pytest

from chondria.review.necks import Neck
from chondria.review.seams import seam_evidence

SIZE = (40.0, 10.0, 10.0)


def two_parts() -> tuple[Neck, np.ndarray]:
    """A bar of 300 nm width that is parted at x = 50: a neck that no width tells."""
    lobes = np.zeros((3, 40, 100), np.int32)
    lobes[:, 5:35, 5:50] = 1
    lobes[:, 5:35, 50:95] = 2
    at = np.argwhere((lobes > 0) & np.isin(np.indices(lobes.shape)[2], (49, 50)))
    return Neck((1, 2), at, 300.0, 300.0, 36000.0, 40000.0), lobes


def odds_with(lobes, where, value=10.0):
    odds = np.where(lobes > 0, -4.0, 0.0).astype(np.float32)
    odds[where] = np.where(lobes[where] > 0, value, 0)
    return odds


@pytest.mark.parametrize("x", [46, 50, 53])
def test_a_layer_across_is_a_seam_and_need_not_lie_right_at_the_neck(x):
    neck, lobes = two_parts()
    odds = odds_with(lobes, np.s_[:, :, x - 2 : x + 2])
    assert seam_evidence(neck, lobes, odds, SIZE) == pytest.approx(1.4, abs=0.1)


def test_stronger_layers_say_more():
    neck, lobes = two_parts()
    said = [
        seam_evidence(neck, lobes, odds_with(lobes, np.s_[:, :, 48:52], value), SIZE)
        for value in (-4, -1, 2, 5, 8, 40)
    ]
    assert said == sorted(said)
    assert said[0] == 0
    assert said[-1] == 1.5


@pytest.mark.parametrize(
    "where",
    [np.s_[:, 5:18, 48:52], np.s_[:, :, 20:24], np.s_[:, 12:16, :], np.s_[:, :, :]],
    ids=["half way across", "elsewhere", "along", "everywhere"],
)
def test_other_stains_are_none(where):
    neck, lobes = two_parts()
    assert seam_evidence(neck, lobes, odds_with(lobes, where), SIZE) < 0.2


def test_lobes_of_single_voxels_say_nothing():
    lobes = np.zeros((1, 3, 4), np.int32)
    lobes[0, 1, 1:3] = 1, 2
    neck = Neck((1, 2), np.argwhere(lobes), 10.0, 10.0, 1.0, 1.0)
    assert seam_evidence(neck, lobes, np.zeros(lobes.shape, np.float32), SIZE) == 0
