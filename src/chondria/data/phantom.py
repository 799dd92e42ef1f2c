"""Phantoms: synthetic electron microscopy of neuropil whose mitochondria are known exactly.

The tissue is built once in nanometres, from the seed, the style and the size of the box, and then
cut: the same box at another voxel size shows the same mitochondria.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray

from chondria.data.phantom_fields import SectionGrid
from chondria.data.phantom_imaging import image_section
from chondria.data.phantom_rendering import label_section, stain_section
from chondria.data.phantom_style import PhantomStyle
from chondria.data.phantom_tissue import Tissue, grow_tissue
from chondria.errors import SettingsError, ShapeError
from chondria.volume import Volume, VoxelSize, as_voxel_size

__all__ = ["Phantom", "PhantomStyle", "make_phantom"]

# A thick section is the mean of planes at most so far apart.
PLANE_NM = 14.0
LARGEST_UM3 = 2000.0


@dataclass(frozen=True, slots=True)
class Phantom:
    """A synthetic image with its truth.

    Parameters
    ----------
    image : Volume
        Grey values (Z, Y, X), uint8.
    labels : Volume
        Mitochondria of the same grid, 0 background, 1 to n the instances; uint16 or uint32.
    """

    image: Volume
    labels: Volume


def make_phantom(
    shape: tuple[int, int, int] = (32, 512, 512),
    voxel_size_nm: VoxelSize = (5.0, 5.0, 5.0),
    *,
    seed: int = 0,
    style: PhantomStyle | None = None,
) -> Phantom:
    """Make a synthetic EM volume of neuropil with exact instance truth.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels (z, y, x); one slice makes a 2-D image.
    voxel_size_nm : tuple of float
        Edge lengths of a voxel (z, y, x); z is the thickness of a section.
    seed : int
        The same seed, shape, voxel size and style give the same bytes.
    style : PhantomStyle, optional
        Anatomy and imaging; like isotropic FIB-SEM by default.

    Returns
    -------
    Phantom
        Image and labels.

    Raises
    ------
    ShapeError
        If `shape` is not three positive integers, or the box is larger than 2000 cubic um.
    VoxelSizeError
        If the voxel size is not positive or not plausible.
    SettingsError
        If the seed is negative.
    """
    style = PhantomStyle() if style is None else style
    size, voxel = _as_shape(shape), as_voxel_size(voxel_size_nm)
    anatomy, microscope = _generators(seed)
    tissue = grow_tissue(_extent_nm(size, voxel), style, anatomy)
    image, labels = np.empty(size, np.uint8), np.empty(size, np.uint32)
    for z in range(size[0]):
        image[z], labels[z] = _cut_section(tissue, z, size, voxel, microscope)
    return Phantom(Volume(image, voxel), Volume(_instances(labels), voxel))


def _as_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Check a shape."""
    if len(shape) != 3 or any(int(n) != n or n < 1 for n in shape):
        raise ShapeError(
            f"Found the phantom shape {tuple(shape)}; give three positive whole numbers."
        )
    z, y, x = (int(n) for n in shape)
    return z, y, x


def _generators(seed: int) -> list[np.random.Generator]:
    """Two independent streams, so that imaging never changes the anatomy."""
    if seed < 0:
        raise SettingsError(f"Found the seed {seed}; a phantom's seed is an integer of at least 0.")
    return [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2)]


def _extent_nm(size: tuple[int, int, int], voxel_nm: VoxelSize) -> tuple[float, float, float]:
    """Size of the box; refuses one whose tissue would take hours to grow."""
    z, y, x = (n * edge for n, edge in zip(size, voxel_nm, strict=True))
    volume_um3 = z * y * x / 1e9
    if volume_um3 > LARGEST_UM3:
        raise ShapeError(
            f"Found a phantom of {volume_um3:.0f} cubic micrometres; allowed are "
            f"{LARGEST_UM3:.0f}: ask for fewer or smaller voxels."
        )
    return z, y, x


def _cut_section(
    tissue: Tissue,
    z: int,
    size: tuple[int, int, int],
    voxel_nm: VoxelSize,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Image and label one section, both moved by the same shift."""
    limit = 3 * tissue.style.shift_sd_nm
    shift = np.clip(tissue.style.shift_sd_nm * rng.standard_normal(2), -limit, limit)
    y_nm, x_nm = (
        (np.arange(n) + 0.5) * step - off
        for n, step, off in zip(size[1:], voxel_nm[1:], shift, strict=True)
    )
    planes = int(np.ceil(voxel_nm[0] / PLANE_NM))
    heights = (z + (np.arange(planes) + 0.5) / planes) * voxel_nm[0]
    grids = [SectionGrid(tissue.neuropil.lattice, h, y_nm, x_nm) for h in heights]
    density: NDArray[np.float32] = np.mean(
        [stain_section(tissue, grid) for grid in grids], axis=0, dtype=np.float32
    )
    middle = SectionGrid(tissue.neuropil.lattice, (z + 0.5) * voxel_nm[0], y_nm, x_nm)
    image = image_section(density, voxel_nm[1:], tissue.style, rng)
    return image, label_section(tissue, middle)


def _instances(labels: NDArray[np.uint32]) -> NDArray[np.uint16] | NDArray[np.uint32]:
    """Number connected pieces 1 to n: what the box cuts in two is two instances."""
    pieces = cc3d.connected_components(labels, connectivity=26)
    if pieces.max() < 2**16:
        return np.asarray(pieces, np.uint16)
    return np.asarray(pieces, np.uint32)
