"""What a file says about its grid: shape, pixel type, voxel size, origin, in nanometres."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chondria.errors import FormatError
from chondria.volume import Volume, VoxelSize

__all__ = [
    "NO_ORIGIN",
    "Grid",
    "Header",
    "header_from_dict",
    "header_to_dict",
    "length_nm",
    "pixel_dtype",
]

NO_ORIGIN: VoxelSize = (0.0, 0.0, 0.0)

_NM_PER_UNIT = {
    1e-3: ("pm", "picometer", "picometers", "picometre"),
    1e-1: ("å", "a", "angstrom", "angstroms", "ångström", "ångstrom"),
    1e0: ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    1e3: ("um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
    1e6: ("mm", "millimeter", "millimeters", "millimetre"),
    1e7: ("cm", "centimeter", "centimeters", "centimetre"),
    1e9: ("m", "meter", "meters", "metre"),
}
_NM = {name: factor for factor, names in _NM_PER_UNIT.items() for name in names}


@dataclass(frozen=True)
class Header:
    """Place in space as a file states it; unchecked, so that a given voxel size can overrule it.

    Parameters
    ----------
    voxel_size_nm : sequence of (float or None), or None
        (z, y, x) in nanometres; z is None where a file of 2-D images only says y and x.
    origin_nm : tuple of float
        Position of the first voxel's centre (z, y, x) in nanometres.
    """

    voxel_size_nm: Sequence[float | None] | None = None
    origin_nm: VoxelSize = NO_ORIGIN


@dataclass(frozen=True)
class Grid:
    """Everything about a volume but its values: what a writer needs to begin a file.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels (z, y, x).
    dtype : numpy.dtype
        Type of the voxels in the file, in native byte order.
    voxel_size_nm, origin_nm : tuple of float
        As in `Volume`.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    voxel_size_nm: VoxelSize | None = None
    origin_nm: VoxelSize = NO_ORIGIN

    @classmethod
    def of(cls, volume: Volume) -> Grid:
        """Take the grid of a volume; raises FormatError for pixels that no format holds."""
        dtype = pixel_dtype(volume.dtype, "the volume")
        return cls(volume.shape, dtype, volume.voxel_size_nm, volume.origin_nm)

    @property
    def nbytes(self) -> int:
        """Uncompressed size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def pixel_dtype(dtype: Any, where: str | Path) -> np.dtype[Any]:
    """Give the native type in which pixels of a type are worked with.

    Parameters
    ----------
    dtype : numpy.dtype
        The stored type; True and False become 1 and 0 of uint8.
    where : str or Path
        What holds them, for the message.

    Raises
    ------
    FormatError
        If the pixels are no integers of 8 to 64 bits or floats of 16 to 64 bits.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind in "iu" or (dtype.kind == "f" and dtype.itemsize <= 8):
        native: np.dtype[Any] = dtype.newbyteorder("=")
        return native
    raise FormatError(
        f"Found pixels of type '{dtype}' in {where}; allowed are integers of 8 to 64 bits and "
        "floats of 16 to 64 bits: convert them first."
    )


def length_nm(value: float | None, unit: str | None) -> float | None:
    """Convert a length to nanometres.

    Parameters
    ----------
    value : float or None
        The length.
    unit : str or None
        Its unit as microscopes and viewers write it: 'nm', 'micron', 'um', 'Å', 'millimeter'.

    Returns
    -------
    float or None
        None for an unknown unit or a length that is not above zero: nothing was said.
    """
    name = (
        (unit or "").strip().replace("\\u00B5", "u").replace("\u00b5", "u").replace("\u03bc", "u")
    )
    factor = _NM.get(name.lower())
    if value is None or factor is None or not (math.isfinite(value) and value > 0):
        return None
    # Twelve digits drop the noise of the factor: 0.0046 um is 4.6 nm, not 4.6000000000000005.
    return float(f"{value * factor:.12g}")


def header_to_dict(grid: Grid) -> dict[str, list[float]]:
    """Give what a grid says of its place in space, as attributes of a file; empty if nothing."""
    said = {}
    if grid.voxel_size_nm is not None:
        said["voxel_size_nm"] = list(grid.voxel_size_nm)
    if grid.origin_nm != NO_ORIGIN:
        said["origin_nm"] = list(grid.origin_nm)
    return said


def header_from_dict(said: Mapping[str, Any], where: str | Path) -> Header:
    """Read what `header_to_dict` wrote.

    Raises
    ------
    FormatError
        If 'voxel_size_nm' or 'origin_nm' is there and is not three numbers.
    """
    try:
        size, origin = (
            None if said.get(name) is None else [float(value) for value in said[name]]
            for name in ("voxel_size_nm", "origin_nm")
        )
        z, y, x = origin or NO_ORIGIN
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(
            f"The voxel size or origin in {where} cannot be read; allowed is voxel_size_nm as "
            "three numbers in Z, Y, X order, such as [30, 4, 4]: mend or remove it."
        ) from error
    return Header(size, (z, y, x))
