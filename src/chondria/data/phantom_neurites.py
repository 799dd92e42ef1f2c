"""Neurites: tubes of widely varying calibre grown into free space until the tissue is full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import Floats, Lattice
from chondria.data.phantom_style import PhantomStyle
from chondria.data.phantom_tubes import tube_field

__all__ = ["Neurite", "grow_neurites"]

THINNEST_NM = 45.0
# Stands for "nothing in sight" in the map of free room.
_FAR_NM = 2000.0


@dataclass(frozen=True, slots=True)
class Neurite:
    """One process: the nodes of its axis (n, 3) and its radius there (n,), in nm."""

    nodes_nm: NDArray[np.float64]
    radii_nm: NDArray[np.float64]


def grow_neurites(lattice: Lattice, style: PhantomStyle, rng: np.random.Generator) -> list[Neurite]:
    """Fill the lattice's box with processes, thick ones first.

    Every process starts at a free spot and walks both ways where there is room; its radius
    gives way to its neighbours.

    Parameters
    ----------
    lattice : Lattice
        The box, and the grid on which free room is followed.
    style : PhantomStyle
        Calibres.
    rng : numpy.random.Generator
        Source of the walks.

    Returns
    -------
    list of Neurite
        The processes, in the order in which they took their space.
    """
    room = np.full(lattice.shape, _FAR_NM, np.float32)
    neurites: list[Neurite] = []
    ordinary = style.neurite_diameter_nm / 2
    for radius in _calibres(lattice, style, rng):
        _grow_one(max(radius, THINNEST_NM), ordinary, (room, lattice), neurites, rng)
    radius = ordinary
    while radius >= THINNEST_NM:
        if not _grow_one(radius, radius, (room, lattice), neurites, rng):
            radius *= 0.85
    return neurites


def _grow_one(
    radius_nm: float,
    next_radius_nm: float,
    space: tuple[Floats, Lattice],
    neurites: list[Neurite],
    rng: np.random.Generator,
) -> bool:
    """Grow a process and take its space; False where there is no room to start."""
    room, lattice = space
    start = _free_spot(room, lattice, radius_nm, rng)
    if start is None:
        return False
    neurite = _walk(start, radius_nm, space, rng)
    # No later process is thicker, so none needs to see farther.
    sight = np.float32(1.25 * max(radius_nm, next_radius_nm))
    field = tube_field(lattice, neurite.nodes_nm, neurite.radii_nm, float(sight))
    taken = np.where(field.values < sight, field.values, np.float32(_FAR_NM))
    np.minimum(room[field.box], taken, out=room[field.box])
    neurites.append(neurite)
    return True


def _calibres(
    lattice: Lattice, style: PhantomStyle, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Radii (nm) of processes that together would fill the box, falling."""
    size = np.array(lattice.shape) * lattice.spacing_nm
    volume, length = size.prod(), min(np.linalg.norm(size), 4 * np.median(size))
    count = int(volume / (np.pi * (style.neurite_diameter_nm / 2) ** 2 * length)) + 8
    factors = np.exp(style.neurite_diameter_spread * rng.standard_normal(count))
    radii = np.clip(style.neurite_diameter_nm / 2 * factors, THINNEST_NM, 1000)
    radii = radii[np.cumsum(np.pi * radii**2 * length) < 0.8 * volume]
    return np.sort(radii)[::-1]


def _free_spot(
    room: Floats, lattice: Lattice, radius_nm: float, rng: np.random.Generator
) -> NDArray[np.float64] | None:
    """Draw a point with at least `radius_nm` of room around it, or None if none turns up."""
    probes = rng.integers(0, room.shape, (4000, 3))
    free = np.flatnonzero(room[tuple(probes.T)] >= radius_nm)
    if not len(free):
        return None
    spot: NDArray[np.float64] = lattice.origin_nm + probes[free[0]] * lattice.spacing_nm
    return spot


def _walk(
    start: NDArray[np.float64],
    radius_nm: float,
    space: tuple[Floats, Lattice],
    rng: np.random.Generator,
) -> Neurite:
    """Grow an axis from `start` both ways through free room."""
    direction = _unit(rng.standard_normal(3))
    ahead = _half_walk(start, direction, radius_nm, space, rng)
    behind = _half_walk(start, -direction, radius_nm, space, rng)
    chain = [*behind[::-1], (start, radius_nm), *ahead]
    return Neurite(np.array([p for p, _ in chain]), np.array([r for _, r in chain]))


def _half_walk(
    point: NDArray[np.float64],
    direction: NDArray[np.float64],
    radius_nm: float,
    space: tuple[Floats, Lattice],
    rng: np.random.Generator,
) -> list[tuple[NDArray[np.float64], float]]:
    """Nodes and radii of one arm, from the start outwards."""
    room, lattice = space
    low = np.asarray(lattice.origin_nm)
    high = low + (np.array(lattice.shape) - 1) * lattice.spacing_nm
    step = float(np.clip(0.5 * radius_nm, 40, 300))
    arm: list[tuple[NDArray[np.float64], float]] = []
    swell = 0.0
    for _ in range(400):
        turns = _unit(direction + 0.35 * rng.standard_normal((7, 3)))
        clearance = room[lattice.index(point + step * turns)]
        comfort = np.minimum(clearance / radius_nm, 1.2) + 0.3 * (turns @ direction)
        best = int(np.argmax(comfort))
        direction, point = turns[best], point + step * turns[best]
        swell = 0.9 * swell + 0.13 * rng.standard_normal()
        radius = min(radius_nm * float(np.exp(swell)), float(clearance[best]) + 15)
        if radius < 0.4 * radius_nm or radius < 0.8 * THINNEST_NM:
            break
        arm.append((point, radius))
        if np.any(point < low) or np.any(point > high):
            break
    return arm


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale vectors (..., 3) to length 1."""
    unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
