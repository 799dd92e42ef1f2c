"""What is reviewed: labels, probabilities and image of one volume, and where its objects are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError
from chondria.review.boxes import Box, is_flat, measured_size_nm, object_boxes
from chondria.review.uncertain import core_probability
from chondria.volume import VoxelSize

__all__ = ["Scene", "make_scene"]


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """One volume, all arrays (Z, Y, X).

    Attributes
    ----------
    labels : ndarray of int
        0 is background; objects are numbered 1, 2, 3 ...
    probability : ndarray of uint8
        255 is certainty.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    boxes : dict of int to tuple of slice
        Of each object.
    core : ndarray of float64, (objects + 1,)
        See `chondria.review.uncertain.core_probability`.
    flat : bool
        Whether every object lies in one slice.
    image : ndarray or None
        Grey values.
    """

    labels: NDArray[Any]
    probability: NDArray[np.uint8]
    voxel_size_nm: VoxelSize
    boxes: dict[int, Box]
    core: NDArray[np.float64]
    flat: bool
    image: NDArray[Any] | None = None

    @property
    def measured_size_nm(self) -> VoxelSize:
        """Voxel size that widths are measured with, see `chondria.review.boxes`."""
        return measured_size_nm(self.voxel_size_nm, self.flat)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels (z, y, x)."""
        z, y, x = self.labels.shape
        return z, y, x


def make_scene(
    labels: NDArray[Any],
    probability: NDArray[np.uint8],
    voxel_size_nm: VoxelSize,
    image: NDArray[Any] | None = None,
) -> Scene:
    """Find the objects of a label map whose identifiers have few gaps.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if labels.shape != probability.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and probabilities of shape {probability.shape} "
            "(Z, Y, X); both must be of one volume."
        )
    if image is not None and image.shape != labels.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and an image of shape {image.shape} (Z, Y, X); "
            "both must be of one volume."
        )
    boxes = object_boxes(labels)
    core = core_probability(labels, probability)
    return Scene(labels, probability, voxel_size_nm, boxes, core, is_flat(boxes), image)
