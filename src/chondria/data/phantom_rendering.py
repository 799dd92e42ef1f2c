"""Rendering: the staining and the truth of one infinitely thin section through tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import WHOLE, Floats, SectionGrid, Window
from chondria.data.phantom_neuropil import GLIA
from chondria.data.phantom_organelles import Body, Cristae, Kind
from chondria.data.phantom_tissue import Tissue

__all__ = ["label_section", "stain_section"]

BILAYER_NM = 5.0


def label_section(tissue: Tissue, grid: SectionGrid) -> NDArray[np.uint32]:
    """Truth of one section.

    Parameters
    ----------
    tissue : Tissue
        What is where.
    grid : SectionGrid
        The pixels.

    Returns
    -------
    ndarray, (rows, columns)
        0 background, k + 1 where a pixel's centre lies inside body k, a mitochondrion; uint32.
    """
    labels = np.zeros(grid.shape, np.uint32)
    for number, body in enumerate(tissue.bodies, start=1):
        if body.kind is Kind.MITOCHONDRION:
            window, distance = grid.sample(body.field)
            labels[window][distance < 0] = number
    return labels


def stain_section(tissue: Tissue, grid: SectionGrid) -> Floats:
    """Staining of one section.

    Parameters
    ----------
    tissue : Tissue
        What is where.
    grid : SectionGrid
        The pixels.

    Returns
    -------
    ndarray, (rows, columns)
        Density, 0 for empty resin and about 1 for a membrane; float32.
    """
    cell, depth = tissue.neuropil.section(grid)
    myelin = tissue.neuropil.myelin_nm[cell]
    density = _cytoplasm(tissue, grid, cell, depth - myelin)
    _paint_vesicles(density, tissue, grid)
    for body in tissue.bodies:
        window, distance = grid.sample(body.field)
        if distance.size:
            _paint_body(density[window], distance, body, tissue, (grid, window))
    _paint_synapses(density, tissue, grid, (cell, depth))
    strength = 1 + np.float32(0.08) * _noise(tissue, "cloud", grid)
    strength *= np.float32(tissue.style.membrane_density)
    _paint_myelin(density, depth, myelin, strength)
    np.maximum(density, strength * _ridge(depth, 8.0, _width(grid, 5.5)), out=density)
    return density


def _noise(tissue: Tissue, name: str, grid: SectionGrid, window: Window = WHOLE) -> Floats:
    """One of the tissue's textures on a window of a section."""
    return grid.noise(tissue.textures[name], window)


def _paint_myelin(density: Floats, depth: Floats, myelin: Floats, strength: Floats) -> None:
    """Draw the wraps of myelinated processes, in place; one wrap is about 16 nm."""
    wrapped = depth < myelin
    if wrapped.any():
        wraps = np.float32(0.9) + np.float32(0.25) * np.cos(
            depth[wrapped] * np.float32(2 * np.pi / 16)
        )
        density[wrapped] = wraps * strength[wrapped]


def _width(grid: SectionGrid, width_nm: float) -> float:
    """Half-width of a line, no thinner than the pixels can show."""
    steps = [float(at[1] - at[0]) for at in (grid.y_nm, grid.x_nm) if len(at) > 1]
    return float(np.hypot(width_nm, 0.35 * max(steps, default=0.0)))


def _ridge(distance: Floats, at_nm: float, width_nm: float) -> Floats:
    """Gaussian profile of a line at a distance."""
    scaled = (distance - np.float32(at_nm)) * np.float32(1 / width_nm)
    ridge: Floats = np.exp(np.float32(-0.5) * scaled * scaled)
    return ridge


def _step(values: Floats, low: float, high: float) -> Floats:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    step: Floats = t * t * (3 - 2 * t)
    return step


def _cytoplasm(tissue: Tissue, grid: SectionGrid, cell: NDArray[np.int32], depth: Floats) -> Floats:
    """Cytoplasm of every cell's own tone with its grains, and the endoplasmic reticulum."""
    patch = _noise(tissue, "patch", grid)
    # Ribosomes and filaments are dark dots on a pale ground: the grain is skewed.
    grains = np.maximum(_noise(tissue, "ribosome", grid) - np.float32(0.4), 0) * np.float32(1.5)
    grains += np.float32(0.55) * _noise(tissue, "cloud", grid)
    grains *= np.float32(tissue.style.granularity) * _step(patch, -2.5, 1.5)
    density: Floats = tissue.tones[cell] + grains
    least = 3 - 4 * tissue.style.reticulum
    shown = _step(depth, 22, 40) * _step(patch, least, least + 0.4)
    shown[cell == GLIA] *= np.float32(0.3)
    _paint_reticulum(density, shown, tissue, grid)
    return density


def _paint_reticulum(density: Floats, shown: Floats, tissue: Tissue, grid: SectionGrid) -> None:
    """Draw tubules where they are shown, in place.

    Two noise fields vanish together on curves, and those curves are the tubules' axes.
    """
    a, b = _noise(tissue, "tubule_a", grid), _noise(tissue, "tubule_b", grid)
    # The noise rises by about 1 in 62 nm.
    distance = np.sqrt(a * a + b * b) * np.float32(62)
    density += np.float32(0.12) * shown * _step(-distance, -26, -14)
    wall = np.float32(0.75 * tissue.style.membrane_density) * _ridge(
        distance, 22.0, _width(grid, 6.0)
    )
    np.maximum(density, wall * shown, out=density)


def _paint_vesicles(density: Floats, tissue: Tissue, grid: SectionGrid) -> None:
    """Draw the vesicles that the section cuts as rings."""
    vesicles = tissue.vesicles
    width = _width(grid, 4.5)
    strength = np.float32(0.75 * tissue.style.membrane_density * 4.5 / width)
    for z, y, x, radius in vesicles[np.abs(vesicles[:, 0] - grid.z_nm) < vesicles[:, 3] + 8]:
        reach = radius + 12
        rows = slice(*np.searchsorted(grid.y_nm, (y - reach, y + reach)))
        columns = slice(*np.searchsorted(grid.x_nm, (x - reach, x + reach)))
        part = density[rows, columns]
        if part.size:
            in_plane = (grid.y_nm[rows, None] - y) ** 2 + (grid.x_nm[columns] - x) ** 2
            distance = np.sqrt(in_plane + (grid.z_nm - z) ** 2).astype(np.float32)
            np.maximum(part, strength * _ridge(distance, radius, width), out=part)


def _paint_body(
    density: Floats, distance: Floats, body: Body, tissue: Tissue, where: tuple[SectionGrid, Window]
) -> None:
    """Draw one organelle over the cytoplasm, in place."""
    grid = where[0]
    outline = _ridge(distance, -5.0, _width(grid, BILAYER_NM))
    outline *= np.float32(tissue.style.membrane_density)
    if body.kind is Kind.MITOCHONDRION:
        matrix = _mitochondrion_matrix(distance, body, tissue, where)
    else:
        matrix = np.float32(body.density) + _body_texture(body, tissue, where)
    cover = _step(-distance, -2, 6)
    density += cover * (matrix - density)
    np.maximum(density, outline, out=density)


def _mitochondrion_matrix(
    distance: Floats, body: Body, tissue: Tissue, where: tuple[SectionGrid, Window]
) -> Floats:
    """Matrix with grains and cristae, inner membrane and the pale gap outside it."""
    grid, window = where
    width = _width(grid, 4.5)
    grain = np.float32(0.25 * tissue.style.granularity)
    matrix = np.float32(body.density) + grain * _noise(tissue, "ribosome", grid, window)
    if body.cristae is not None:
        matrix += _lamellae(body.cristae, tissue, where) * _step(-distance, 20, 34)
    stain = np.maximum(np.float32(tissue.style.membrane_density) - matrix, 0)
    matrix += np.float32(0.6) * stain * _ridge(distance, -23.0, width)
    matrix -= np.float32(0.5 * body.density) * _ridge(distance, -14.0, width)
    return matrix


def _lamellae(cristae: Cristae, tissue: Tissue, where: tuple[SectionGrid, Window]) -> Floats:
    """Density that cristae add: a pale lumen between two dark membranes, here and there."""
    grid, (rows, columns) = where
    waves = grid.noise(tissue.textures["crista"], (rows, columns), 37 * cristae.phase)
    z, y, x = cristae.normal * (2 * np.pi / cristae.period_nm)
    phase = np.float32(cristae.waviness) * waves + np.float32(cristae.phase + z * grid.z_nm)
    phase += (y * grid.y_nm[rows]).astype(np.float32)[:, None]
    phase += (x * grid.x_nm[columns]).astype(np.float32)
    turn = (phase * np.float32(0.5 / np.pi)) % 1 - np.float32(0.5)
    off_nm = np.abs(turn) * np.float32(cristae.period_nm)
    width = _width(grid, 4.5)
    lamella = _ridge(off_nm, 10.0, width) - np.float32(0.9) * _ridge(off_nm, 0.0, width)
    start = 0.6 - 2.4 * cristae.cover
    present = _step(waves + 0.3 * _noise(tissue, "patch", *where), start, start + 0.6)
    return np.float32(cristae.contrast) * lamella * present


def _body_texture(body: Body, tissue: Tissue, where: tuple[SectionGrid, Window]) -> Floats:
    """Mottled lysosomes, small vesicles in multivesicular bodies, nearly empty vacuoles."""
    grid, window = where
    strength = {Kind.LYSOSOME: 0.18, Kind.MULTIVESICULAR: 0.2, Kind.VACUOLE: 0.02}[body.kind]
    return np.float32(strength) * _noise(tissue, "cloud", grid, window)


def _paint_synapses(
    density: Floats, tissue: Tissue, grid: SectionGrid, cells: tuple[NDArray[np.int32], Floats]
) -> None:
    """Draw the dark smear of synaptic contacts, thick on the receiving side."""
    cell, depth = cells
    for synapse in tissue.synapses:
        z, y, x = synapse.centre_nm
        radius = synapse.radius_nm
        rows = slice(*np.searchsorted(grid.y_nm, (y - radius, y + radius)))
        columns = slice(*np.searchsorted(grid.x_nm, (x - radius, x + radius)))
        if abs(z - grid.z_nm) >= radius or not density[rows, columns].size:
            continue
        in_plane = (grid.y_nm[rows, None] - y) ** 2 + (grid.x_nm[columns] - x) ** 2
        off = np.sqrt(in_plane + (z - grid.z_nm) ** 2).astype(np.float32)
        thick = np.where(cell[rows, columns] == synapse.receiver, np.float32(24), np.float32(10))
        smear = np.exp(-((depth[rows, columns] / thick) ** 2)) * _step(-off, -radius, -0.6 * radius)
        part = density[rows, columns]
        np.maximum(part, smear * np.float32(1.05 * tissue.style.membrane_density), out=part)
