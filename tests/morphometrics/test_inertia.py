"""Axes of inertia of boxes and turned ellipsoids; angles as they are documented."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from chondria.morphometrics.inertia import measure_inertia


def test_a_box_has_the_moments_of_a_box() -> None:
    # A solid box of edge L has the second moment L²/12, an ellipsoid of axis a has a²/20.
    points = np.argwhere(np.ones((2, 9, 5), bool))
    found = measure_inertia(points, (50.0, 5.0, 4.0))
    expected = sorted(np.array([100, 45, 20]) * np.sqrt(20 / 12), reverse=True)
    assert found.lengths_nm == pytest.approx(expected)
    assert found.direction == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("seed", range(4))
def test_a_turned_ellipsoid_has_its_axes_and_direction(seed: int) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    grid = np.moveaxis(np.mgrid[-20:21, -50:51, -50:51], 0, -1) * (10.0, 4.0, 4.0)
    mask = np.sum((grid @ turn.T / (180, 100, 60)) ** 2, axis=-1) <= 1
    found = measure_inertia(np.argwhere(mask), (10.0, 4.0, 4.0))
    assert found.lengths_nm == pytest.approx((360, 200, 120), rel=0.01)
    assert abs(found.direction @ turn[0]) == pytest.approx(1, abs=1e-3)
    azimuth, elevation = np.radians(found.angles_deg())
    flat = np.cos(elevation)
    again = [np.sin(elevation), flat * np.sin(azimuth), flat * np.cos(azimuth)]
    assert again == pytest.approx(found.direction)
    assert elevation >= 0


@pytest.mark.parametrize(
    ("line", "angles"),
    [
        ([[0, 0, 0], [0, 0, 9]], (0, 0)),
        ([[0, 0, 0], [0, 9, 0]], (90, 0)),
        ([[0, 0, 9], [0, 9, 0]], (135, 0)),
        ([[0, 0, 9], [9, 0, 0]], (180, 45)),
        ([[0, 0, 0], [9, 9, 0]], (90, 45)),
        ([[0, 0, 0], [9, 0, 0]], (np.nan, 90)),
        ([[0, 0, 0]], (np.nan, np.nan)),
    ],
)
def test_angles_of_directions(line: list[list[int]], angles: tuple[float, float]) -> None:
    found = measure_inertia(np.array(line), (5.0, 5.0, 5.0))
    assert found.angles_deg() == pytest.approx(angles, nan_ok=True)


def test_a_flat_object_has_two_axes_and_an_azimuth() -> None:
    found = measure_inertia(np.argwhere(np.eye(9, dtype=bool)), (5.0, 5.0))
    assert len(found.lengths_nm) == 2
    assert found.angles_deg() == pytest.approx((45, 0))
