"""Necks of bodies whose widths are known."""

import numpy as np
import pytest

from chondria.review.boxes import measured_size_nm
from chondria.review.necks import find_lobes, find_necks

SIZE = (10.0, 10.0, 10.0)


def dumbbell(tube_nm: float, size=SIZE, shape=(30, 30, 60)) -> np.ndarray:
    """Two balls of 120 nm radius, 280 nm apart, joined by a tube of that radius."""
    z, y, x = (axis * edge for axis, edge in zip(np.indices(shape), size, strict=True))
    middle = [n * edge / 2 for n, edge in zip(shape, size, strict=True)]
    balls = [
        (z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2] - side) ** 2 < 120**2
        for side in (-140, 140)
    ]
    tube = np.hypot(z - middle[0], y - middle[1]) <= tube_nm
    return balls[0] | balls[1] | (tube & (abs(x - middle[2]) < 140))


@pytest.mark.parametrize("tube_nm", [25, 45, 65])
def test_the_neck_of_a_dumbbell_has_the_tubes_width(tube_nm):
    lobes, depth = find_lobes(dumbbell(tube_nm), SIZE)
    (neck,) = find_necks(lobes, depth, SIZE)
    assert neck.width_nm == pytest.approx(2 * tube_nm, abs=15)
    assert neck.lobe_width_nm == pytest.approx(240, abs=20)
    assert neck.area_nm2 == pytest.approx(np.pi * tube_nm**2, rel=0.5)
    assert abs(neck.at[:, 2].mean() - 30) < 4


def test_thinner_necks_are_narrower_and_thinner():
    necks = [find_necks(*find_lobes(dumbbell(nm), SIZE), SIZE)[0] for nm in (20, 40, 70)]
    for measure in ("narrowing", "thinness"):
        values = [getattr(neck, measure) for neck in necks]
        assert values == sorted(values, reverse=True)


def test_thick_slices_are_measured_in_their_plane():
    size = (50.0, 5.0, 5.0)
    body = dumbbell(30, size, (6, 60, 120))
    measured = measured_size_nm(size, flat=False)
    (neck,) = find_necks(*find_lobes(body, measured), size)
    assert neck.width_nm == pytest.approx(60, abs=12)


def test_a_ball_and_a_rod_have_no_neck():
    rod = np.zeros((20, 20, 60), bool)
    rod[5:15, 5:15, 5:55] = True
    for body in (dumbbell(0)[:, :, :30], rod):
        lobes, depth = find_lobes(body, SIZE)
        assert find_necks(lobes, depth, SIZE) == []


def test_parts_that_do_not_touch_hang_on_the_first():
    lobes, depth = find_lobes(dumbbell(-1) & (np.indices((30, 30, 60))[2] != 30), SIZE)
    (neck,) = find_necks(lobes, depth, SIZE)
    assert neck.width_nm == 0
    assert neck.narrowing == neck.thinness == 1


@pytest.mark.parametrize("body", [np.zeros((1, 3, 3), bool), np.ones((2, 9, 9), bool)])
def test_nothing_and_everything_have_no_neck(body):
    lobes, depth = find_lobes(body, SIZE)
    assert find_necks(lobes, depth, SIZE) == []


def test_a_bar_is_parted_where_it_is_not_clear_and_keeps_its_width():
    bar = np.zeros((1, 40, 100), bool)
    bar[:, 10:30, 5:95] = True
    clear = bar.astype(np.float32)
    clear[:, :, 48:52] *= 0.3
    assert find_necks(*find_lobes(bar, SIZE), SIZE) == []
    (neck,) = find_necks(*find_lobes(bar, SIZE, clear), SIZE)
    assert abs(neck.at[:, 2].mean() - 49.5) < 3
    assert neck.width_nm == pytest.approx(200, abs=15)
    assert neck.narrowing < 0.1
