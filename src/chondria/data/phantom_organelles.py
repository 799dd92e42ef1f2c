"""Organelles: how a body fits into its cell, and the distractors that are no mitochondria."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cc3d
import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import Field, Floats, NoiseTile
from chondria.data.phantom_neuropil import GLIA, Neuropil
from chondria.data.phantom_style import PhantomStyle
from chondria.data.phantom_tubes import tube_field

__all__ = ["CLEARANCE_NM", "Body", "Cristae", "Kind", "Placer", "place_dark_bodies"]

# Organelles keep this distance to the plasma membrane and to each other.
CLEARANCE_NM = 18.0
_REACH_NM = 100.0


class Kind(Enum):
    """What a body is."""

    MITOCHONDRION = "mitochondrion"
    LYSOSOME = "lysosome"
    MULTIVESICULAR = "multivesicular"
    VACUOLE = "vacuole"


# Radius of the largest distractors; darker and smaller than mitochondria, or pale.
_LARGEST_NM = {Kind.LYSOSOME: 130.0, Kind.MULTIVESICULAR: 180.0, Kind.VACUOLE: 190.0}


@dataclass(frozen=True, slots=True)
class Cristae:
    """Wavy lamellae in a mitochondrion.

    Parameters
    ----------
    normal : ndarray, (3,)
        Direction across the lamellae (z, y, x), length 1.
    period_nm : float
        Distance between neighbours.
    waviness : float
        Disturbance of their phase, in radians.
    contrast : float
        Difference of density to the matrix.
    cover : float
        About which part of the matrix has them.
    phase : float
        Where they begin, in radians; also makes the waves of every mitochondrion its own.
    """

    normal: NDArray[np.float64]
    period_nm: float
    waviness: float
    contrast: float
    cover: float
    phase: float


@dataclass(frozen=True, slots=True)
class Body:
    """An organelle with a membrane of its own.

    Parameters
    ----------
    kind : Kind
        What it is.
    field : Field
        Signed distance to its outer border in nm, negative inside.
    density : float
        Staining of its matrix.
    cristae : Cristae, optional
        Inner lamellae, of mitochondria only.
    """

    kind: Kind
    field: Field
    density: float
    cristae: Cristae | None = None


class Placer:
    """Fits bodies into cells without touching membranes or each other.

    Parameters
    ----------
    neuropil : Neuropil
        The cells.
    extent_nm : tuple of float
        The box (z, y, x) from 0 that will be seen.
    rng : numpy.random.Generator
        Source of every draw.
    """

    def __init__(
        self, neuropil: Neuropil, extent_nm: tuple[float, float, float], rng: np.random.Generator
    ) -> None:
        self.neuropil, self.rng = neuropil, rng
        self.taken = np.zeros(neuropil.lattice.shape, bool)
        self.rough = NoiseTile(rng, 90.0, 24)
        self._seen = np.zeros(neuropil.lattice.shape, bool)
        self._seen[neuropil.lattice.box(np.zeros(3), np.asarray(extent_nm))] = True
        self.seen_points = int(np.count_nonzero(self._seen))

    def fit(
        self, cell: int, nodes: NDArray[np.float64], radii: NDArray[np.float64]
    ) -> Field | None:
        """Distance field of a tube kept inside `cell`, or None where it does not fit."""
        lattice = self.neuropil.lattice
        field = tube_field(lattice, nodes, radii, _REACH_NM)
        if min(field.values.shape) < 4 or not (field.values < 0).any():
            return None
        box = field.box
        roughness = np.float32(0.07 * float(np.median(radii)) + 2)
        offset = self.rng.uniform(0, 2000, 3)
        values = field.values + roughness * self.rough.on_lattice(lattice, box, offset)
        wanted = np.count_nonzero(values < 0)
        depth = np.where(self.neuropil.cell[box] == cell, 1, -1) * self.neuropil.depth_nm[box]
        depth = depth - self.neuropil.myelin_nm[cell]
        values = _smooth_maximum(values, np.float32(CLEARANCE_NM) - depth, np.float32(10))
        values = _largest_piece(values)
        squeezed = -float(values.min()) < 0.7 * float(np.median(radii))
        if squeezed or np.count_nonzero(values < 0) < max(0.55 * wanted, 12):
            return None
        if self.taken[box][values < CLEARANCE_NM].any():
            return None
        return Field(box, values.astype(np.float32))

    def take(self, field: Field) -> None:
        """Let no later body come here."""
        self.taken[field.box] |= field.values < 0

    def visible(self, field: Field) -> int:
        """Number of lattice points of a body that will be seen."""
        return int(np.count_nonzero(self._seen[field.box] & (field.values < 0)))


def _smooth_maximum(a: Floats, b: Floats, width: np.float32) -> Floats:
    """Maximum of two distances with the edge rounded over `width`."""
    blend = np.maximum(width - np.abs(a - b), 0) / width
    rounded: Floats = np.maximum(a, b) + blend**2 * width / 4
    return rounded


def _largest_piece(values: Floats) -> Floats:
    """Push all but the largest connected piece of the inside far outside."""
    pieces = cc3d.connected_components(values < 0, connectivity=6)
    sizes = np.bincount(pieces.ravel())
    if len(sizes) <= 2:
        return values
    sizes[0] = 0
    return np.where((pieces > 0) & (pieces != sizes.argmax()), np.float32(20), values)


def place_dark_bodies(placer: Placer, style: PhantomStyle) -> list[Body]:
    """Place the distractors: lysosomes, multivesicular bodies and vacuoles."""
    rng, lattice = placer.rng, placer.neuropil.lattice
    size_um = np.array(lattice.shape) * lattice.spacing_nm / 1000
    count = rng.poisson(style.dark_bodies_per_um3 * size_um.prod())
    kinds = [Kind.LYSOSOME, Kind.MULTIVESICULAR, Kind.VACUOLE]
    bodies: list[Body] = []
    for _ in range(6 * count):
        if len(bodies) >= count:
            break
        kind = kinds[int(rng.choice(3, p=(0.45, 0.25, 0.3)))]
        body = _dark_body(kind, placer)
        if body is not None:
            placer.take(body.field)
            bodies.append(body)
    return bodies


def _dark_body(kind: Kind, placer: Placer) -> Body | None:
    """Draw one distractor, or None where it does not fit."""
    rng, neuropil = placer.rng, placer.neuropil
    index = rng.integers(0, neuropil.lattice.shape)
    cell = int(neuropil.cell[tuple(index)])
    radius = float(np.exp(rng.uniform(np.log(55), np.log(_LARGEST_NM[kind]))))
    radius = min(radius, float(neuropil.depth_nm[tuple(index)]) + 20)
    if cell == GLIA or radius < 50:
        return None
    centre = np.asarray(neuropil.lattice.origin_nm) + index * neuropil.lattice.spacing_nm
    nodes = centre + np.array([[-0.5], [0.5]]) * radius * rng.uniform(-1, 1, 3)
    field = placer.fit(cell, nodes, np.full(2, 0.8 * radius))
    if field is None:
        return None
    density = {
        Kind.LYSOSOME: rng.uniform(0.75, 1.15),
        Kind.MULTIVESICULAR: rng.uniform(0.15, 0.4),
        Kind.VACUOLE: rng.uniform(0.0, 0.15),
    }[kind]
    return Body(kind, field, float(density))
