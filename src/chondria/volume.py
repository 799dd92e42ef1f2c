"""A volume: an array in Z, Y, X order that never travels without its voxel size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError, VoxelSizeError

__all__ = ["ArraySource", "Volume", "VoxelSize", "as_voxel_size", "as_zyx", "ball_voxels"]

VoxelSize = tuple[float, float, float]

# No electron microscope image of cells has voxels outside this range (nm).
SMALLEST_NM, LARGEST_NM = 0.1, 1000.0


class ArraySource(Protocol):
    """Anything that slices like an array without being read whole: NumPy, Zarr, HDF5, a stack."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def dtype(self) -> Any: ...  # noqa: D102

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False, slots=True)
class Volume:
    """An image, mask, probability map or label map with its place in space.

    Parameters
    ----------
    data : ArraySource
        Values in Z, Y, X order; a 2-D image has one slice. May be lazy.
    voxel_size_nm : tuple of float or None
        Edge lengths of a voxel in nanometres (z, y, x); None where nobody said.
    origin_nm : tuple of float
        Position of the first voxel's centre in nanometres (z, y, x).

    Raises
    ------
    ShapeError
        If `data` does not have three non-empty axes.
    VoxelSizeError
        If the voxel size is not positive or not plausible.
    """

    data: ArraySource
    voxel_size_nm: VoxelSize | None = None
    origin_nm: VoxelSize = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        shape = tuple(self.data.shape)
        if len(shape) != 3 or 0 in shape:
            raise ShapeError(
                f"Found an array of shape {shape}; a volume has three non-empty axes Z, Y, X."
            )
        if self.voxel_size_nm is not None:
            object.__setattr__(self, "voxel_size_nm", as_voxel_size(self.voxel_size_nm))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x)."""
        z, y, x = self.data.shape
        return int(z), int(y), int(x)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    def numpy(self) -> NDArray[Any]:
        """Read the whole volume as a NumPy array (Z, Y, X)."""
        return self.data if isinstance(self.data, np.ndarray) else np.asarray(self.data[:])

    def with_data(self, data: ArraySource) -> Volume:
        """Put other values of the same grid in the same place."""
        return replace(self, data=data)


def as_voxel_size(values: Sequence[float]) -> VoxelSize:
    """Check a voxel size in nanometres.

    Parameters
    ----------
    values : sequence of float
        Three edge lengths (z, y, x) in nanometres.

    Returns
    -------
    tuple of float
        The same three lengths.

    Raises
    ------
    VoxelSizeError
        If there are not three, or one is not finite, not positive, or outside 0.1 to 1000 nm.
    """
    size = tuple(float(value) for value in values)
    said = ", ".join(f"{value:g}" for value in size)
    if len(size) != 3:
        raise VoxelSizeError(f"Found the voxel size '{said}'; give three lengths in nm as Z,Y,X.")
    if not all(math.isfinite(value) and value > 0 for value in size):
        raise VoxelSizeError(f"Found the voxel size {said} nm; every length must be above zero.")
    if min(size) < SMALLEST_NM:
        meant = ",".join(f"{value * 1000:g}" for value in size)
        raise VoxelSizeError(
            f"Found the voxel size {said} nm, smaller than any microscope's: these look like "
            f"micrometres, a factor of 1000 off; give nanometres, here perhaps {meant}."
        )
    if max(size) > LARGEST_NM:
        meant = ",".join(f"{value / 1000:g}" for value in size)
        raise VoxelSizeError(
            f"Found the voxel size {said} nm, larger than any electron microscope's: this looks a "
            f"factor of 1000 off; give nanometres, here perhaps {meant}."
        )
    return size[0], size[1], size[2]


def as_zyx(array: NDArray[Any], where: str = "the array") -> NDArray[Any]:
    """Give a 2-D image its Z axis; refuse what is neither an image nor a volume.

    Parameters
    ----------
    array : ndarray, (Y, X) or (Z, Y, X)
        The values.
    where : str
        What to call the array in an error message, usually its path.

    Returns
    -------
    ndarray, (Z, Y, X)
        A view of the same values.

    Raises
    ------
    ShapeError
        If the array has another number of axes or an empty one.
    """
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ShapeError(
            f"Found {array.ndim} axes of shape {array.shape} in {where}; allowed are a 2-D image "
            "(Y, X) or a 3-D volume (Z, Y, X) of one channel: pick one channel and time point."
        )
    return array[np.newaxis] if array.ndim == 2 else array


def ball_voxels(diameter: float, voxel_size: Sequence[float], *, flat: bool = False) -> float:
    """Say how many voxels a ball has, or a disc: how large an object of so many is.

    Parameters
    ----------
    diameter : float
        In nanometres, or in any other unit that the voxel size has too.
    voxel_size : sequence of float
        Edge lengths (z, y, x).
    flat : bool
        A disc in the plane instead of a ball, whatever the thickness of a slice.

    Returns
    -------
    float
        Volume of the ball by that of a voxel, or area of the disc by that of a pixel.
    """
    if flat:
        return math.pi / 4 * diameter**2 / math.prod(voxel_size[1:])
    return math.pi / 6 * diameter**3 / math.prod(voxel_size)
