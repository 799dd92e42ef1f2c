"""Neuropil: rough processes that share the space, with glia in the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import Field, Floats, Lattice, NoiseTile, SectionGrid
from chondria.data.phantom_neurites import Neurite, grow_neurites
from chondria.data.phantom_style import PhantomStyle
from chondria.data.phantom_tubes import tube_field

__all__ = ["GLIA", "REACH_NM", "Neuropil", "pack_neuropil"]

# Distances between cells are followed this far from a membrane.
REACH_NM = 120.0
# Cell number of whatever fills the space between the processes.
GLIA = 0
# Fields are cut into slabs of so many lattice planes, so a slanting process stays compact.
SLAB = 12
# Dents are cut at so many standard deviations.
_DEEPEST = 2.0


@dataclass(frozen=True, slots=True)
class Neuropil:
    """Packed processes with glia between them.

    Parameters
    ----------
    lattice : Lattice
        Grid of all fields.
    neurites : list of Neurite
        Process k is cell k + 1; cell 0 is glia.
    slabs : list of list of (int, Field)
        Cell number and distance field, for every slab of the lattice.
    glia_gap_nm : float
        Distance at which glia begins.
    myelin_nm : ndarray, (cells,)
        Thickness of every cell's myelin, mostly 0.
    cell : ndarray, (z, y, x)
        Cell number on the lattice.
    depth_nm : ndarray, (z, y, x)
        Distance to the cell's border on the lattice, from inside.
    """

    lattice: Lattice
    neurites: list[Neurite]
    slabs: list[list[tuple[int, Field]]]
    glia_gap_nm: float
    myelin_nm: Floats
    cell: NDArray[np.int32]
    depth_nm: Floats

    def section(self, grid: SectionGrid) -> tuple[NDArray[np.int32], Floats]:
        """Cell number and distance to the cell's border (nm) on the pixels of a section."""
        first = np.full(grid.shape, REACH_NM, np.float32)
        second, cell = first.copy(), np.zeros(grid.shape, np.int32)
        base = int(np.floor((grid.z_nm - self.lattice.origin_nm[0]) / self.lattice.spacing_nm))
        for number, field in self.slabs[base // SLAB]:
            window, values = grid.sample(field)
            _rank(number, values, (first[window], second[window], cell[window]))
        return cell, _depth(first, second, cell, self.glia_gap_nm)


def pack_neuropil(lattice: Lattice, style: PhantomStyle, rng: np.random.Generator) -> Neuropil:
    """Grow processes, roughen them and let them share the space as a Voronoi tessellation."""
    neurites = grow_neurites(lattice, style, rng)
    rough = NoiseTile(rng, 130.0, 24), NoiseTile(rng, 420.0, 16)
    first = np.full(lattice.shape, REACH_NM, np.float32)
    second, cell = first.copy(), np.zeros(lattice.shape, np.int32)
    slabs: list[list[tuple[int, Field]]] = [[] for _ in range(lattice.shape[0] // SLAB + 1)]
    for number, neurite in enumerate(neurites, start=1):
        field = _rough_field(lattice, neurite, style.roughness, rough, rng)
        box = field.box
        _rank(number, field.values, (first[box], second[box], cell[box]))
        for slab, piece in _pieces(field):
            slabs[slab].append((number, piece))
    depth = _depth(first, second, cell, style.glia_gap_nm)
    myelin = _myelin(neurites, style, rng)
    return Neuropil(lattice, neurites, slabs, style.glia_gap_nm, myelin, cell, depth)


def _rough_field(
    lattice: Lattice,
    neurite: Neurite,
    roughness: float,
    noises: tuple[NoiseTile, NoiseTile],
    rng: np.random.Generator,
) -> Field:
    """Signed distance to a process whose surface is dented finely and coarsely."""
    radius = min(float(np.median(neurite.radii_nm)), 250.0)
    amplitudes = roughness * (0.13 * radius + 6), roughness * (0.34 * radius + 6)
    # Far enough that no dent is cut off at the edge of the box.
    reach = REACH_NM + _DEEPEST * sum(amplitudes)
    field = tube_field(lattice, neurite.nodes_nm, neurite.radii_nm, reach)
    offset = rng.uniform(0, 3000, 3)
    for noise, amplitude in zip(noises, amplitudes, strict=True):
        dents = noise.on_lattice(lattice, field.box, offset).clip(-_DEEPEST, _DEEPEST)
        np.add(field.values, np.float32(amplitude) * dents, out=field.values)
    return field


def _myelin(neurites: list[Neurite], style: PhantomStyle, rng: np.random.Generator) -> Floats:
    """Draw which thick processes are wrapped, and how thickly (nm)."""
    radii = np.array([0.0] + [float(np.median(n.radii_nm)) for n in neurites])
    wrapped = (radii > 180) & (radii < 800) & (rng.random(len(radii)) < style.myelinated_fraction)
    thickness = np.minimum(rng.uniform(50, 130, len(radii)), 0.3 * radii)
    return np.where(wrapped, thickness, 0).astype(np.float32)


def _rank(number: int, values: Floats, ranking: tuple[Floats, Floats, NDArray[np.int32]]) -> None:
    """Enter one cell's field into the running smallest, second smallest and its owner."""
    first, second, cell = ranking
    nearer = values < first
    np.minimum(second, np.maximum(values, first), out=second)
    np.copyto(cell, number, where=nearer)
    np.minimum(first, values, out=first)


def _depth(first: Floats, second: Floats, cell: NDArray[np.int32], gap_nm: float) -> Floats:
    """Distance to the border from inside; turns what is far from every process into glia.

    Glia's field mirrors the nearest process about `gap_nm`, so membranes keep their thickness.
    """
    glia = 2 * np.float32(gap_nm) - first
    depth: Floats = np.abs(np.minimum(second, glia) - first) / 2
    outside = glia < first
    np.copyto(cell, GLIA, where=outside)
    np.copyto(depth, first - np.float32(gap_nm), where=outside)
    return depth


def _pieces(field: Field) -> Iterator[tuple[int, Field]]:
    """Cut a field into slabs along z, each with the spline's margin and cropped in plane."""
    z, y, x = field.box
    for slab in range(max(z.start - 2, 0) // SLAB, z.stop // SLAB + 1):
        low, high = max(slab * SLAB - 1, z.start), min(slab * SLAB + SLAB + 2, z.stop)
        if high - low < 4:
            continue
        values = field.values[low - z.start : high - z.start]
        near = values < REACH_NM
        spans = [np.flatnonzero(near.any(axis)) for axis in ((0, 2), (0, 1))]
        if not len(spans[0]):
            continue
        inner = tuple(
            slice(max(int(s[0]) - 2, 0), min(int(s[-1]) + 3, n))
            for s, n in zip(spans, values.shape[1:], strict=True)
        )
        rows, columns = (
            slice(i.start + s.start, i.stop + s.start) for i, s in zip(inner, (y, x), strict=True)
        )
        yield (
            slab,
            Field((slice(low, high), rows, columns), np.ascontiguousarray(values[:, *inner])),
        )
