"""Training patches: volumes stay on the device as bytes; a batch is cut and augmented there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from chondria.data.augment import Augmentation
from chondria.data.geometry import apply_geometry, sample_geometry, window_px
from chondria.data.intensity import apply_intensity, sample_intensity
from chondria.data.normalize import Normalisation
from chondria.data.splits import Split, window_starts
from chondria.errors import SettingsError, ShapeError

__all__ = ["PatchSampler", "Place", "TrainingVolume"]


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
    """

    name: str
    images: Tensor
    masks: Tensor
    normalisation: Normalisation
    split: Split
    weight: float = 1.0

    @classmethod
    def from_arrays(
        cls,
        name: str,
        images: NDArray[np.uint8],
        masks: NDArray[np.bool_],
        normalisation: Normalisation,
        split: Split,
        weight: float = 1.0,
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
        return cls(name, torch.from_numpy(images), bits, normalisation, split, weight)

    def to(self, device: torch.device) -> TrainingVolume:
        """Move the voxels to a device."""
        images, masks = self.images.to(device), self.masks.to(device)
        return TrainingVolume(self.name, images, masks, self.normalisation, self.split, self.weight)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one patch is cut: from slice z of a volume on, around the pixel (y, x)."""

    volume: TrainingVolume
    z: int
    y: int
    x: int


class PatchSampler:
    """Random augmented patches from weighted volumes.

    All randomness comes from one CPU generator, so that its state is the sampler's whole state.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Where patches come from; only the training slices of their split.
    patch_px, batch : int
        Side of a patch and patches in a batch.
    augmentation : Augmentation
        Ranges of the random transforms.
    seed : int
        Of the generator.
    patch_slices : int
        Slices of a patch, neighbours that are all to be learned from. They are turned and bent
        alike, and mirrored along z where the augmentation flips.

    Raises
    ------
    SettingsError
        If there is no volume to learn from, a weight is not above zero, or a volume has too few
        neighbouring slices.
    """

    def __init__(
        self,
        volumes: Sequence[TrainingVolume],
        patch_px: int,
        batch: int,
        augmentation: Augmentation,
        seed: int = 0,
        patch_slices: int = 1,
    ) -> None:
        if not volumes or not all(volume.weight > 0 for volume in volumes):
            raise SettingsError("Found no volume or a weight not above zero; give at least one.")
        self.volumes = tuple(volumes)
        self.patch_px = patch_px
        self.patch_slices = patch_slices
        self.batch = batch
        self.augmentation = augmentation
        self.generator = torch.Generator().manual_seed(seed)
        self._sources = [volume for volume in volumes if len(volume.split.train)]
        if not self._sources:
            raise SettingsError("Found nothing to learn from: every slice is kept for validation.")
        self._starts = [
            window_starts(volume.split.train, patch_slices, volume.name) for volume in self._sources
        ]
        self._weights = torch.tensor([volume.weight for volume in self._sources])
        self._window_px = window_px(patch_px, augmentation)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Returns
        -------
        images : Tensor, (B, 1, P, P) or (B, 1, patch_slices, P, P), float32
            Normalised and augmented; without the axis of slices where there is only one.
        masks : Tensor of the same shape, float32
            0 or 1.
        """
        places = self._draw_places()
        device = places[0].volume.images.device
        asked = (self.augmentation, self.batch, self.patch_px, self.generator, device)
        depth = self.patch_slices
        geometry, intensity = sample_geometry(*asked), sample_intensity(*asked, depth)
        # Slices are channels of one picture, so that one geometry moves them all.
        windows = torch.stack([_cut(place, self._window_px, depth) for place in places]).float()
        patches = apply_geometry(windows, geometry, self.patch_px)
        # After the interpolation, which weights sum to one: there are fewer pixels by now.
        images = apply_intensity(_normalise(patches[:, :depth], places), intensity)
        masks = (patches[:, depth:] >= 0.5).float()
        return (images, masks) if depth == 1 else self._stacked(images, masks)

    def _stacked(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Give slices an axis of their own, and turn some patches upside down."""
        if self.augmentation.flips:
            flipped = torch.randint(0, 2, (self.batch,), generator=self.generator).bool()
            chosen = flipped.to(images.device)[:, None, None, None]
            images = torch.where(chosen, images.flip(1), images)
            masks = torch.where(chosen, masks.flip(1), masks)
        return images[:, None], masks[:, None]

    def _draw_places(self) -> list[Place]:
        chosen = torch.multinomial(self._weights, self.batch, True, generator=self.generator)
        # float64: float32 could round a draw up to one and so to a slice outside the split.
        spots = torch.rand(self.batch, 3, generator=self.generator, dtype=torch.float64).tolist()
        places = []
        for index, (u, v, w) in zip(chosen.tolist(), spots, strict=True):
            volume, starts = self._sources[index], self._starts[index]
            _, height, width = volume.images.shape
            z = starts[int(u * len(starts))]
            y, x = (_centre(s, n, self.patch_px) for s, n in ((v, height), (w, width)))
            places.append(Place(volume, z, y, x))
        return places


def _centre(share: float, n: int, patch_px: int) -> int:
    """Centre of a patch that lies within an axis of n pixels, or its middle where it cannot.

    Any pixel is drawn and then moved inside, so that many patches end where the image ends: else
    the network would hardly see what lies near the border of an image.
    """
    half = min(patch_px, n) // 2
    return min(max(int(share * n), half), max(half, n - patch_px + half))


def _normalise(patches: Tensor, places: Sequence[Place]) -> Tensor:
    normals = [place.volume.normalisation for place in places]
    mean = torch.tensor([normal.mean for normal in normals], device=patches.device)
    deviation = torch.tensor([normal.deviation for normal in normals], device=patches.device)
    return (patches - mean[:, None, None, None]) / deviation[:, None, None, None]


def _cut(place: Place, side: int, depth: int) -> Tensor:
    """Cut the window (2 * depth, side, side) of bytes around a place, mirrored at the border.

    Images come first, then masks.
    """
    images, masks = place.volume.images, place.volume.masks
    _, height, width = images.shape
    slices = slice(place.z, place.z + depth)
    top, left = place.y - side // 2, place.x - side // 2
    if min(top, left) >= 0 and top + side <= height and left + side <= width:
        inside = (slices, slice(top, top + side), slice(left, left + side))
        return torch.cat([images[inside], masks[inside]])
    rows = _mirrored(top, side, height, images.device)
    columns = _mirrored(left, side, width, images.device)
    both = (images[slices], masks[slices])
    return torch.cat([part.index_select(1, rows).index_select(2, columns) for part in both])


def _mirrored(start: int, length: int, n: int, device: torch.device) -> Tensor:
    """Indices from `start` on, reflected into an axis of n pixels without repeating its ends."""
    period = max(1, 2 * (n - 1))
    at = torch.arange(start, start + length, device=device) % period
    return torch.minimum(at, period - at) if n > 1 else torch.zeros_like(at)
