"""Mitochondria: curved tubes along their host process, placed until their share is reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_neurites import Neurite
from chondria.data.phantom_organelles import CLEARANCE_NM, Body, Cristae, Kind, Placer
from chondria.data.phantom_style import PhantomStyle

__all__ = ["place_mitochondria"]

Tube = tuple[NDArray[np.float64], NDArray[np.float64]]


def place_mitochondria(placer: Placer, style: PhantomStyle) -> list[Body]:
    """Place mitochondria until their part of the seen volume is reached.

    Parameters
    ----------
    placer : Placer
        The cells and what is taken already.
    style : PhantomStyle
        Volume fraction, sizes and staining.

    Returns
    -------
    list of Body
        Mitochondria that no two of which touch; fewer than asked for where no room is left.
    """
    neurites, rng = placer.neuropil.neurites, placer.rng
    least = style.mitochondrion_diameter_nm[0] / 2 + CLEARANCE_NM
    roomy = [k for k, neurite in enumerate(neurites) if neurite.radii_nm.max() > least]
    bodies: list[Body] = []
    missing = style.mitochondria_fraction * placer.seen_points
    enough = 0.03 * missing
    for _ in range(400 + 12 * len(roomy)):
        if missing <= enough or not roomy:
            break
        cell = roomy[int(rng.integers(len(roomy)))] + 1
        body = _fitting(cell, placer, style)
        points = 0 if body is None else placer.visible(body.field)
        # Overshooting is worse than trying again.
        if body is not None and 0 < points <= missing + 3 * enough + 2:
            missing -= points
            placer.take(body.field)
            bodies.append(body)
    return bodies


def _fitting(cell: int, placer: Placer, style: PhantomStyle) -> Body | None:
    """Draw a mitochondrion for a cell, or None where it does not fit."""
    myelin_nm = float(placer.neuropil.myelin_nm[cell])
    tube = _tube(placer.neuropil.neurites[cell - 1], myelin_nm, style, placer.rng)
    field = None if tube is None else placer.fit(cell, *tube)
    if tube is None or field is None:
        return None
    density = placer.rng.uniform(*style.mitochondrion_density)
    if placer.rng.random() < style.pale_fraction:
        density = style.mitochondrion_density[0] * placer.rng.uniform(0.6, 0.95)
    cristae = _cristae(tube[0], style.crista_contrast, placer.rng)
    return Body(Kind.MITOCHONDRION, field, float(density), cristae)


def _tube(
    neurite: Neurite, myelin_nm: float, style: PhantomStyle, rng: np.random.Generator
) -> Tube | None:
    """Draw the axis and radii of a mitochondrion that follows its host."""
    nodes, host = neurite.nodes_nm, neurite.radii_nm
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(nodes, axis=0), axis=1))])
    low, high = style.mitochondrion_length_nm
    length = min(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 0.9 * arc[-1])
    start = rng.uniform(0, arc[-1] - length)
    at = start + np.linspace(0, length, max(int(length / 60), 3))
    axis = np.stack([np.interp(at, arc, nodes[:, k]) for k in range(3)], axis=1)
    room = np.interp(at, arc, host) - CLEARANCE_NM - myelin_nm
    smallest, largest = (d / 2 for d in style.mitochondrion_diameter_nm)
    drawn = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
    radius = min(drawn, float(np.median(room)))
    if radius < 0.8 * smallest:
        return None
    return _wander(axis, radius, np.maximum(room - radius, 0), rng)


def _wander(
    axis: NDArray[np.float64],
    radius: float,
    play: NDArray[np.float64],
    rng: np.random.Generator,
) -> Tube:
    """Move an axis off its host's centre by up to `play` and let it wind and bulge."""
    t = np.linspace(0, 1, len(axis))[:, None]
    waves = rng.integers(1, 4, 3) * np.pi * t + rng.uniform(0, 2 * np.pi, 3)
    direction = rng.standard_normal(3) + 0.5 * np.sin(waves)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    aside = np.minimum(play, play.min() + 60) * np.sqrt(rng.random())
    bulge = 0.13 * np.sin(2 * np.pi * (rng.uniform(0.7, 3) * t[:, 0] + rng.random()))
    bulge += 0.06 * np.sin(2 * np.pi * (rng.uniform(3, 6) * t[:, 0] + rng.random()))
    return axis + aside[:, None] * direction, radius * (0.95 + bulge)


def _cristae(axis: NDArray[np.float64], contrast: float, rng: np.random.Generator) -> Cristae:
    """Draw lamellae, mostly across the axis, some along it."""
    along = axis[-1] - axis[0]
    normal = along / max(float(np.linalg.norm(along)), 1e-6) + 0.5 * rng.standard_normal(3)
    if rng.random() < 0.35:
        normal = np.cross(normal, rng.standard_normal(3))
    return Cristae(
        normal=normal / np.linalg.norm(normal),
        period_nm=float(rng.uniform(55, 110)),
        waviness=float(rng.uniform(0.8, 3.5)),
        contrast=float(contrast * rng.uniform(0.4, 1.5)),
        cover=float(rng.uniform(0.5, 1.0)),
        phase=float(rng.uniform(0, 1000)),
    )
