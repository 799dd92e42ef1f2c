"""Rays end at the outline of what a region lies in."""

import numpy as np
import pytest

from chondria.supervoxels.rays import DIRECTIONS, LONGEST_NM, ray_features
from chondria.supervoxels.regions import Regions


def disc(radius_nm: float, pixel_nm: tuple[float, float]) -> tuple[np.ndarray, Regions]:
    """A dark disc in the middle of a slice five radii wide; region 1 is its centre."""
    height, width = (round(5 * radius_nm / size) | 1 for size in pixel_nm)
    y, x = np.indices((height, width))
    dy, dx = (y - height // 2) * pixel_nm[0], (x - width // 2) * pixel_nm[1]
    image = np.where(np.hypot(dy, dx) < radius_nm, -1, 1).astype(np.float32)[None]
    labels = (np.hypot(dy, dx) < 3 * max(pixel_nm)).astype(np.int32)[None]
    return image, Regions(labels, 2, [range(1)])


@pytest.mark.parametrize("pixel_nm", [(10, 10), (5, 10), (10, 5)])
@pytest.mark.parametrize("radius_nm", [100, 200])
def test_they_measure_a_disc_in_nanometres(radius_nm, pixel_nm) -> None:
    image, regions = disc(radius_nm, pixel_nm)
    found = ray_features(image, regions, (30, *pixel_nm), 10)[1]
    strong = found[len(found) // 2 :]
    rays, widths = strong[:DIRECTIONS], strong[DIRECTIONS:]
    assert rays == pytest.approx(radius_nm, abs=30)
    assert widths == pytest.approx(2 * radius_nm, abs=60)
    assert (np.diff(rays) >= 0).all()


def test_without_an_edge_they_end_at_their_length() -> None:
    image, regions = disc(200, (10, 10))
    found = ray_features(0 * image, regions, (30, 10, 10), 10)[1]
    assert set(found) == {LONGEST_NM, 2 * LONGEST_NM}


def test_a_quarter_turn_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(1, 41, 41)).astype(np.float32)
    labels = np.zeros((1, 41, 41), np.int32)
    labels[0, 18:23, 18:23] = 1
    turned = np.rot90(image, axes=(1, 2)), np.rot90(labels, axes=(1, 2))
    one = ray_features(image, Regions(labels, 2, [range(1)]), (30, 10, 10), 20)
    two = ray_features(turned[0], Regions(turned[1], 2, [range(1)]), (30, 10, 10), 20)
    assert one[1] == pytest.approx(two[1], abs=1e-3)
