"""Synapses: stained contacts between two processes, with vesicles clustered on the sending side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_neuropil import GLIA, Neuropil
from chondria.data.phantom_style import PhantomStyle

__all__ = ["Synapse", "place_synapses"]


@dataclass(frozen=True, slots=True)
class Synapse:
    """A stained contact: its centre (z, y, x), radius and the receiving cell."""

    centre_nm: NDArray[np.float64]
    radius_nm: float
    receiver: int


def place_synapses(
    neuropil: Neuropil, style: PhantomStyle, rng: np.random.Generator
) -> tuple[list[Synapse], NDArray[np.float64]]:
    """Pick contacts between two processes, and cluster vesicles on their sending side.

    Parameters
    ----------
    neuropil : Neuropil
        The cells.
    style : PhantomStyle
        How many.
    rng : numpy.random.Generator
        Source of every draw.

    Returns
    -------
    synapses : list of Synapse
        The contacts.
    vesicles : ndarray, (n, 4)
        Centre (z, y, x) and radius of every vesicle, nm.
    """
    lattice = neuropil.lattice
    count = rng.poisson(
        style.synapses_per_um3 * np.prod(lattice.shape) * lattice.spacing_nm**3 / 1e9
    )
    calibre = np.array([0.0] + [float(np.median(n.radii_nm)) for n in neuropil.neurites])
    roomy = calibre[neuropil.cell] > 90
    contacts = np.argwhere((neuropil.depth_nm < 15) & roomy)
    synapses: list[Synapse] = []
    clusters = [np.zeros((0, 4))]
    for index in contacts[rng.integers(0, len(contacts), count)] if len(contacts) else ():
        centre = np.asarray(lattice.origin_nm) + index * lattice.spacing_nm
        sender = int(neuropil.cell[tuple(index)])
        around = neuropil.cell[lattice.index(centre + 40 * rng.standard_normal((40, 3)))]
        others = around[(around != sender) & (around != GLIA)]
        if len(others):
            synapses.append(Synapse(centre, float(rng.uniform(90, 220)), int(others[0])))
            clusters.append(_vesicle_cluster(neuropil, sender, centre, rng))
    return synapses, np.concatenate(clusters)


def _vesicle_cluster(
    neuropil: Neuropil, cell: int, centre: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Vesicles around a point, all inside one cell; (n, 4), nm."""
    count = int(rng.integers(150, 700))
    points = centre + rng.uniform(90, 240) * rng.standard_normal((count, 3))
    index = neuropil.lattice.index(points)
    fits = (neuropil.cell[index] == cell) & (
        neuropil.depth_nm[index] > 28 + neuropil.myelin_nm[cell]
    )
    points = points[fits]
    radii = rng.normal(20, 2.5, len(points)).clip(14, 40)
    return np.column_stack([points, radii])
