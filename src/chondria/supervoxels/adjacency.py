"""The graph of a volume's regions: which touch, how much, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude
from scipy.sparse import coo_array, csr_array

from chondria.supervoxels.regions import Regions
from chondria.volume import VoxelSize

__all__ = ["RegionGraph", "region_graph", "vote_shares"]


@dataclass(frozen=True, eq=False, slots=True)
class RegionGraph:
    """Which regions touch; both matrices are symmetric, (regions, regions), without a diagonal.

    Attributes
    ----------
    contact : csr_array of float64
        Common surface in nm2.
    edge : csr_array of float64
        Gradient of the grey levels, averaged over the common surface; the pattern of `contact`.
    """

    contact: csr_array
    edge: csr_array


def region_graph(
    image: NDArray[np.float32], regions: Regions, voxel_size_nm: VoxelSize, scale_nm: float
) -> RegionGraph:
    """Find which regions touch, within a slab and across its borders.

    Parameters
    ----------
    image : ndarray of float32, (Z, Y, X)
        Grey levels.
    regions : Regions
        Of the image.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x): a face counts by its area.
    scale_nm : float
        Deviation of the Gaussian that the gradient is taken of, in the plane.

    Returns
    -------
    RegionGraph
        Of all regions of the volume.
    """
    shape = (regions.count, regions.count)
    contact, across = csr_array(shape), csr_array(shape)
    sigma = [scale_nm / size for size in voxel_size_nm[1:]]
    for layer in regions.slabs:
        # One slice more: the faces to the next slab are counted here.
        part = slice(layer.start, min(layer.stop + 1, image.shape[0]))
        edges = np.stack([gaussian_gradient_magnitude(z, sigma) for z in image[part]])
        faces, strength = _faces(regions.labels[part], edges, voxel_size_nm, len(layer))
        first, second, area = faces
        contact += coo_array((area, (first, second)), shape=shape).tocsr()
        across += coo_array((area * strength, (first, second)), shape=shape).tocsr()
    contact, across = contact + contact.T, across + across.T
    # Both were summed over the same faces, but a gradient of zero leaves no entry.
    edge = contact.copy()
    edge.data = np.asarray(across[contact.nonzero()]).ravel() / contact.data
    return RegionGraph(contact, edge)


def vote_shares(contact: csr_array) -> csr_array:
    """Weights of a region's neighbours: their shares of its common surface, which sum to one."""
    total = np.asarray(contact.sum(axis=1)).ravel()
    shares = contact.copy()
    shares.data /= np.repeat(total, np.diff(contact.indptr))
    return shares


def _faces(
    labels: NDArray[np.int32],
    edges: NDArray[np.float32],
    voxel_size_nm: VoxelSize,
    depth: int,
) -> tuple[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]], NDArray[np.float32]]:
    """Every face between two regions: the regions, its area, the mean edge of its two voxels."""
    firsts, seconds, areas, strengths = [], [], [], []
    for axis in range(3):
        here = [slice(None)] * 3
        here[axis] = slice(None, -1)
        there = [slice(None)] * 3
        there[axis] = slice(1, None)
        if axis:  # faces within the slice beyond belong to the next slab
            here[0] = there[0] = slice(None, depth)
        a, b = labels[tuple(here)], labels[tuple(there)]
        differ = a != b
        firsts.append(a[differ])
        seconds.append(b[differ])
        strengths.append((edges[tuple(here)][differ] + edges[tuple(there)][differ]) / 2)
        areas.append(np.full(len(firsts[-1]), prod(voxel_size_nm) / voxel_size_nm[axis]))
    faces = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(areas)
    return faces, np.concatenate(strengths)
