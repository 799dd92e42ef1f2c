"""Tissue: everything that lies in a box, grown from a seed and stained, in nanometres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import Floats, Lattice, NoiseTile
from chondria.data.phantom_mitochondria import place_mitochondria
from chondria.data.phantom_neuropil import Neuropil, pack_neuropil
from chondria.data.phantom_organelles import Body, Placer, place_dark_bodies
from chondria.data.phantom_style import PhantomStyle
from chondria.data.phantom_synapses import Synapse, place_synapses

__all__ = ["Tissue", "grow_tissue"]

LATTICE_NM = 24.0
MARGIN_NM = 260.0
# Size of the blobs (nm) and points per axis of every texture.
TEXTURES = {
    "ribosome": (9.0, 96),
    "cloud": (38.0, 48),
    "patch": (330.0, 16),
    "tubule_a": (110.0, 28),
    "tubule_b": (125.0, 28),
    "crista": (75.0, 32),
}


@dataclass(frozen=True, slots=True)
class Tissue:
    """What is where in a box, and how it is stained.

    Parameters
    ----------
    style : PhantomStyle
        Strength of the stains.
    neuropil : Neuropil
        The cells.
    bodies : list of Body
        Mitochondria and distractors.
    synapses : list of Synapse
        Stained contacts.
    vesicles : ndarray, (n, 4)
        Centre (z, y, x) and radius, nm.
    tones : ndarray, (cells,)
        Density of every cell's cytoplasm.
    textures : dict of str to NoiseTile
        Noise by what it draws.
    """

    style: PhantomStyle
    neuropil: Neuropil
    bodies: list[Body]
    synapses: list[Synapse]
    vesicles: NDArray[np.float64]
    tones: Floats
    textures: dict[str, NoiseTile]


def grow_tissue(
    extent_nm: tuple[float, float, float], style: PhantomStyle, rng: np.random.Generator
) -> Tissue:
    """Grow the tissue of a box; it knows nothing of voxels.

    Parameters
    ----------
    extent_nm : tuple of float
        Size of the box (z, y, x) that will be seen; tissue continues beyond it.
    style : PhantomStyle
        Amounts, sizes and staining.
    rng : numpy.random.Generator
        Source of everything random.
    """
    neuropil = pack_neuropil(Lattice.around(extent_nm, MARGIN_NM, LATTICE_NM), style, rng)
    synapses, vesicles = place_synapses(neuropil, style, rng)
    placer = Placer(neuropil, extent_nm, rng)
    bodies = place_mitochondria(placer, style) + place_dark_bodies(placer, style)
    free = ~placer.taken[neuropil.lattice.index(vesicles[:, :3])]
    low, high = style.cytoplasm_density
    tones = low + (high - low) * rng.beta(1.3, 2.2, len(neuropil.neurites) + 1)
    textures = {name: NoiseTile(rng, grain, size) for name, (grain, size) in TEXTURES.items()}
    return Tissue(
        style=style,
        neuropil=neuropil,
        bodies=bodies,
        synapses=synapses,
        vesicles=vesicles[free],
        tones=tones.astype(np.float32),
        textures=textures,
    )
