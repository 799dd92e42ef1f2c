"""Crops: an object with its surroundings, at the edge length that necks are measured with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import Box, coarse_steps, grow_box
from chondria.review.scene import Scene
from chondria.volume import VoxelSize

__all__ = ["SURROUNDINGS_NM", "THICK_NM", "Crop", "crop_object"]

# Coarser than pixels: necks narrower than this are told apart no more.
EDGE_NM: Final = 12.0
SURROUNDINGS_NM: Final = 60.0
# Slices that are thicker are seen one by one.
THICK_NM: Final = 20.0


@dataclass(frozen=True, eq=False, slots=True)
class Crop:
    """An object and what lies within 60 nm of it.

    Attributes
    ----------
    number : int
        The object.
    box : tuple of slice
        (z, y, x) in the volume.
    steps : tuple of slice
        Which voxels of the box count.
    labels : ndarray of int, (Z, Y, X)
        Every so many voxels of the box.
    voxel_size_nm, measured_size_nm : tuple of float
        Of these voxels, (z, y, x) in nm; the latter as `chondria.review.boxes` has it.
    """

    number: int
    box: Box
    steps: tuple[slice, ...]
    labels: NDArray[Any]
    voxel_size_nm: VoxelSize
    measured_size_nm: VoxelSize

    @property
    def inside(self) -> NDArray[np.bool_]:
        """The object (Z, Y, X)."""
        return np.asarray(self.labels == self.number)

    def of(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Take the same voxels of another volume of the same shape."""
        taken: NDArray[Any] = volume[self.box][self.steps]
        return taken

    def means(self, volume: NDArray[Any]) -> NDArray[np.float32]:
        """Take the same places of another volume, each the mean of as many voxels as it stands for.

        Values that are not finite count as 0.
        """
        fine = np.nan_to_num(np.asarray(volume[self.box], np.float32))
        wide = [step.step for step in self.steps]
        return np.asarray(ndimage.uniform_filter(fine, wide)[self.steps], np.float32)

    def place_of(self, voxels: NDArray[Any]) -> tuple[int, int, int]:
        """Find which of some voxels (n, 3) is nearest to their mean, in the volume's indices."""
        nearest = voxels[np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))]
        z, y, x = (
            int(i) * step.step + side.start
            for i, step, side in zip(nearest, self.steps, self.box, strict=True)
        )
        return z, y, x


def crop_object(scene: Scene, number: int, most_slices: int | None = None) -> Crop:
    """Cut an object out, with its surroundings.

    Parameters
    ----------
    scene : Scene
        The volume.
    number : int
        The object.
    most_slices : int, optional
        Only the middle ones, if there are more.
    """
    margin = [max(1, round(SURROUNDINGS_NM / edge)) for edge in scene.voxel_size_nm]
    box = grow_box(scene.boxes[number], margin, scene.shape)
    if most_slices is not None:
        box = (_middle(box[0], most_slices), *box[1:])
    steps = coarse_steps([s.stop - s.start for s in box], scene.measured_size_nm, EDGE_NM)
    sizes = [_stepped(size, steps) for size in (scene.voxel_size_nm, scene.measured_size_nm)]
    return Crop(number, box, steps, scene.labels[box][steps], *sizes)


def _middle(side: slice, most: int) -> slice:
    start = side.start + max(0, side.stop - side.start - most) // 2
    return slice(start, min(side.stop, start + most))


def _stepped(size_nm: VoxelSize, steps: tuple[slice, ...]) -> VoxelSize:
    z, y, x = (size * step.step for size, step in zip(size_nm, steps, strict=True))
    return z, y, x
