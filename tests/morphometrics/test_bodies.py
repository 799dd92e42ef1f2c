"""Bodies whose measures are known exactly, at isotropic voxels and at those of serial sections."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from chondria.morphometrics.shape import measure_shape

Inside = Callable[[NDArray, NDArray, NDArray], NDArray]
ISOTROPIC, SECTIONS = (5.0, 5.0, 5.0), (50.0, 4.6, 4.6)


@dataclass(frozen=True)
class Body:
    """A body around the origin and its measures, in units of its thinnest radius."""

    inside: Inside
    reach: float
    volume: float
    surface: float
    length: float
    feret_max: float
    feret_min: float
    topology: tuple[int, int, int] = (2, 0, 0)


def ellipsoid(a: float, b: float) -> Body:
    """Semi-axes a, b and 1; the surface by numerical integration."""
    u = (np.arange(1000) + 0.5) / 1000 * np.pi
    v = (np.arange(1000) + 0.5)[:, None] / 1000 * 2 * np.pi
    root = (b * np.sin(u) * np.cos(v)) ** 2 + (a * np.sin(u) * np.sin(v)) ** 2
    area = np.sin(u) * np.sqrt(root + (a * b * np.cos(u)) ** 2)
    return Body(
        lambda p, q, r: (p / a) ** 2 + (q / b) ** 2 + r**2 <= 1,
        max(a, b),
        4 / 3 * math.pi * a * b,
        float(area.mean() * 2 * np.pi**2),
        2 * a,
        2 * a,
        2,
    )


def rod(length: float) -> Body:
    """A cylinder of radius 1 with half balls at its ends."""
    half = length / 2
    return Body(
        lambda p, q, r: (p - np.clip(p, -half, half)) ** 2 + q**2 + r**2 <= 1,
        half + 1,
        math.pi * (4 / 3 + length),
        2 * math.pi * (2 + length),
        length + 2,
        length + 2,
        2,
    )


def ring(radius: float) -> Body:
    """A torus of minor radius 1."""
    return Body(
        lambda p, q, r: (np.hypot(p, q) - radius) ** 2 + r**2 <= 1,
        radius + 1,
        2 * math.pi**2 * radius,
        4 * math.pi**2 * radius,
        2 * math.pi * radius,
        2 * radius + 2,
        2,
        (0, 0, 1),
    )


BALL = ellipsoid(1, 1)
THOROUGH = [BALL, ellipsoid(2.2, 1.4), ellipsoid(3, 1), rod(6), ring(3)]
QUICK = {
    ISOTROPIC: THOROUGH,
    # A slice is 11 pixels thick: the long ones would have tens of millions of voxels.
    SECTIONS: [BALL, ellipsoid(1.6, 1.2), rod(1.6), ring(1.5)],
}
NAMES = {id(body): f"{body.volume:.1f}" for bodies in QUICK.values() for body in bodies}


def digitised(
    body: Body, radius_nm: float, edges_nm: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The body at a random place and in a random direction: voxels whose centre lies within."""
    edges = np.array(edges_nm)
    shape = np.ceil(2 * body.reach * radius_nm / edges).astype(int) + 3
    middle = (shape - 1) / 2 * edges + rng.uniform(-0.5, 0.5, 3) * edges
    turn = Rotation.random(rng=rng).as_matrix() / radius_nm
    z, y, x = (np.arange(n) * edge - at for n, edge, at in zip(shape, edges, middle, strict=True))
    mask = np.empty(shape, bool)
    for index, height in enumerate(z):
        flat = np.meshgrid(y, x, indexing="ij")
        mask[index] = body.inside(
            *np.einsum("ij,jkl->ikl", turn, [np.full_like(flat[0], height), *flat])
        )
    found = np.argwhere(mask)
    return mask[tuple(map(slice, found.min(axis=0), found.max(axis=0) + 1))]


def check(body: Body, radius_nm: float, edges: tuple[float, ...], seed: int) -> None:
    mask = digitised(body, radius_nm, edges, np.random.default_rng(seed))
    row, _ = measure_shape(mask, edges)
    volume = np.count_nonzero(mask) * math.prod(edges)
    radius_um = radius_nm / 1000
    assert volume == pytest.approx(body.volume * radius_nm**3, rel=0.01)
    assert row["surface_um2"] == pytest.approx(body.surface * radius_um**2, rel=0.03)
    assert row["skeleton_length_um"] == pytest.approx(body.length * radius_um, rel=0.03)
    one_voxel = max(edges) / 1000 * (1 + 1e-9)
    assert row["feret_max_um"] == pytest.approx(body.feret_max * radius_um, abs=one_voxel)
    assert row["feret_min_um"] == pytest.approx(body.feret_min * radius_um, abs=one_voxel)
    assert (row["end_points"], row["branch_points"], row["loops"]) == body.topology
    sphericity = (36 * math.pi * body.volume**2) ** (1 / 3) / body.surface
    assert row["sphericity"] == pytest.approx(sphericity, rel=0.04)
    if body.topology[2] == 0:
        assert row["solidity"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("body", QUICK[ISOTROPIC], ids=lambda body: NAMES[id(body)])
def test_bodies_of_20_voxels_across(body: Body, seed: int) -> None:
    check(body, 50, ISOTROPIC, seed)


@pytest.mark.parametrize("body", QUICK[SECTIONS], ids=lambda body: NAMES[id(body)])
def test_bodies_of_20_sections_across(body: Body) -> None:
    check(body, 500, SECTIONS, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("body", THOROUGH, ids=lambda body: NAMES[id(body)])
def test_long_bodies_of_20_sections_across(body: Body, seed: int) -> None:
    check(body, 500, SECTIONS, seed)


@pytest.mark.parametrize("edges", [ISOTROPIC, SECTIONS])
@pytest.mark.parametrize("body", [BALL, rod(4)])
def test_small_bodies_of_4_voxels_across_have_their_surface_too(body: Body, edges: tuple) -> None:
    radius_nm = 2 * max(edges)
    areas, volumes = [], []
    for seed in range(5):
        mask = digitised(body, radius_nm, edges, np.random.default_rng(seed))
        areas.append(measure_shape(mask, edges)[0]["surface_um2"])
        volumes.append(np.count_nonzero(mask) * math.prod(edges))
    assert np.mean(areas) == pytest.approx(body.surface * (radius_nm / 1000) ** 2, rel=0.07)
    assert np.mean(volumes) == pytest.approx(body.volume * radius_nm**3, rel=0.1)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (3, 1), (2, 1.5)])
def test_profiles_of_a_single_slice(a: float, b: float) -> None:
    rng = np.random.default_rng(0)
    turn, (dy, dx) = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5, 2)
    y, x = np.mgrid[-70:71, -70:71]
    p = (np.cos(turn) * (x - dx) + np.sin(turn) * (y - dy)) / (20 * a)
    q = (-np.sin(turn) * (x - dx) + np.cos(turn) * (y - dy)) / (20 * b)
    row, _ = measure_shape(p**2 + q**2 <= 1, (5.0, 5.0))
    angle = (np.arange(10000) + 0.5) / 10000 * 2 * np.pi
    around = 2 * np.pi * np.hypot(a * np.sin(angle), b * np.cos(angle)).mean() * 0.1
    assert row["perimeter_um"] == pytest.approx(around, rel=0.02)
    assert row["circularity"] == pytest.approx(4 * np.pi**2 * a * b * 0.01 / around**2, rel=0.03)
    assert row["feret_max_um"] == pytest.approx(0.2 * max(a, b), abs=0.005)
    assert row["feret_min_um"] == pytest.approx(0.2 * min(a, b), abs=0.005)
    assert row["skeleton_length_um"] == pytest.approx(0.2 * a, rel=0.03)
    assert row["aspect_ratio"] == pytest.approx(a / b, rel=0.02)
    if a > b:
        assert row["azimuth_deg"] == pytest.approx(np.degrees(turn), abs=1)


def largest_errors(body: Body, radius_nm: float, edges: tuple[float, ...], draws: int) -> list:
    """Errors of volume, surface and length in percent, of both Feret diameters in nm.

    Then, how many had a wrong number of tips, branch points or loops: their length counts too.
    """
    worst, wrong, radius_um = np.zeros(5), 0, radius_nm / 1000
    for seed in range(draws):
        mask = digitised(body, radius_nm, edges, np.random.default_rng(1000 + seed))
        row, _ = measure_shape(mask, edges)
        volume = np.count_nonzero(mask) * math.prod(edges)
        ratios = (
            volume / (body.volume * radius_nm**3),
            row["surface_um2"] / (body.surface * radius_um**2),
            row["skeleton_length_um"] / (body.length * radius_um),
        )
        ferets = (
            row["feret_max_um"] - body.feret_max * radius_um,
            row["feret_min_um"] - body.feret_min * radius_um,
        )
        found = [100 * abs(ratio - 1) for ratio in ratios] + [1000 * abs(d) for d in ferets]
        worst = np.maximum(worst, found)
        wrong += (row["end_points"], row["branch_points"], row["loops"]) != body.topology
    return [*worst.round(2).tolist(), wrong]


if __name__ == "__main__":  # the table of docs/measure.md: python test_bodies.py [draws] [draws]
    of_isotropic, of_sections = (int(number) for number in (sys.argv[1:3] or ("200", "4")))
    for name, body in zip(("ball", "2.2:1.4:1", "3:1:1", "rod", "ring"), THOROUGH, strict=True):
        for edges, radius_nm, draws in (
            (ISOTROPIC, 50, of_isotropic),
            (SECTIONS, 500, of_sections),
        ):
            print(name, edges, draws, largest_errors(body, radius_nm, edges, draws), flush=True)
