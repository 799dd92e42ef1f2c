"""Images and masks that training patches are cut from, on the device as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from chondria.data.normalize import Normalisation
from chondria.data.splits import Split
from chondria.errors import SettingsError, ShapeError

__all__ = ["TrainingVolume", "learned_from"]


@dataclass(frozen=True, slots=True)
class TrainingVolume:
    """Images and masks of one data set at the model's pixel size, ready on the device.

    Attributes
    ----------
    name : str
        What the histories call it.
    images, masks : Tensor, (Z, Y, X), uint8
        Grey levels; 1 where there is a mitochondrion.
    normalisation : Normalisation
        From grey levels to what the network sees.
    split : Split
        Slices to learn from and to validate on.
    weight : float
        Share of the patches, relative to the other volumes with slices to learn from.
    boundary : Tensor, (Z, Y, X), uint8, or None
        1 on the outlines of objects (`chondria.data.boundary`), where they are learned too.
    """

    name: str
    images: Tensor
    masks: Tensor
    normalisation: Normalisation
    split: Split
    weight: float = 1.0
    boundary: Tensor | None = None

    @classmethod
    def from_arrays(
        cls,
        name: str,
        images: NDArray[np.uint8],
        masks: NDArray[np.bool_],
        normalisation: Normalisation,
        split: Split,
        weight: float = 1.0,
        boundary: NDArray[np.bool_] | None = None,
    ) -> TrainingVolume:
        """Take NumPy arrays (Z, Y, X); they are not copied.

        Raises
        ------
        ShapeError
            If images and masks have different shapes.
        """
        if images.shape != masks.shape:
            raise ShapeError(
                f"Found images of shape {images.shape} and masks of shape {masks.shape} in "
                f"'{name}'; every image needs a mask of its own size."
            )
        bits = torch.from_numpy(masks.view(np.uint8))
        outlines = None if boundary is None else torch.from_numpy(boundary.view(np.uint8))
        return cls(name, torch.from_numpy(images), bits, normalisation, split, weight, outlines)

    def to(self, device: torch.device) -> TrainingVolume:
        """Move the voxels to a device."""
        outlines = None if self.boundary is None else self.boundary.to(device)
        images, masks = self.images.to(device), self.masks.to(device)
        return replace(self, images=images, masks=masks, boundary=outlines)


def learned_from(volumes: Sequence[TrainingVolume]) -> list[TrainingVolume]:
    """Those of the volumes that have slices to learn from.

    Raises
    ------
    SettingsError
        If there is none, or a weight is not above zero.
    """
    if not volumes or not all(volume.weight > 0 for volume in volumes):
        raise SettingsError("Found no volume or a weight not above zero; give at least one.")
    found = [volume for volume in volumes if len(volume.split.train)]
    if not found:
        raise SettingsError("Found nothing to learn from: every slice is kept for validation.")
    return found
