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
from chondria.data.splits import Split
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
    """Where one patch is cut: slice z of a volume, around the pixel (y, x)."""

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

    Raises
    ------
    SettingsError
        If there is no volume to learn from or a weight is not above zero.
    """

    def __init__(
        self,
        volumes: Sequence[TrainingVolume],
        patch_px: int,
        batch: int,
        augmentation: Augmentation,
        seed: int = 0,
    ) -> None:
        if not volumes or not all(volume.weight > 0 for volume in volumes):
            raise SettingsError("Found no volume or a weight not above zero; give at least one.")
        self.volumes = tuple(volumes)
        self.patch_px = patch_px
        self.batch = batch
        self.augmentation = augmentation
        self.generator = torch.Generator().manual_seed(seed)
        self._sources = [volume for volume in volumes if len(volume.split.train)]
        if not self._sources:
            raise SettingsError("Found nothing to learn from: every slice is kept for validation.")
        self._weights = torch.tensor([volume.weight for volume in self._sources])
        self._window_px = window_px(patch_px, augmentation)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Returns
        -------
        images : Tensor, (B, 1, P, P), float32
            Normalised and augmented.
        masks : Tensor, (B, 1, P, P), float32
            0 or 1.
        """
        places = self._draw_places()
        device = places[0].volume.images.device
        asked = (self.augmentation, self.batch, self.patch_px, self.generator, device)
        geometry, intensity = sample_geometry(*asked), sample_intensity(*asked)
        windows = torch.stack([_cut(place, self._window_px) for place in places]).float()
        patches = apply_geometry(windows, geometry, self.patch_px)
        # After the interpolation, which weights sum to one: there are fewer pixels by now.
        images = apply_intensity(_normalise(patches[:, :1], places), intensity)
        return images, (patches[:, 1:] >= 0.5).float()

    def _draw_places(self) -> list[Place]:
        chosen = torch.multinomial(self._weights, self.batch, True, generator=self.generator)
        # float64: float32 could round a draw up to one and so to a slice outside the split.
        spots = torch.rand(self.batch, 3, generator=self.generator, dtype=torch.float64).tolist()
        places = []
        for index, (u, v, w) in zip(chosen.tolist(), spots, strict=True):
            volume = self._sources[index]
            _, height, width = volume.images.shape
            z = volume.split.train[int(u * len(volume.split.train))]
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


def _cut(place: Place, side: int) -> Tensor:
    """Cut the window (2, side, side) of bytes around a place, mirrored at the image's border."""
    images, masks = place.volume.images, place.volume.masks
    _, height, width = images.shape
    top, left = place.y - side // 2, place.x - side // 2
    if min(top, left) >= 0 and top + side <= height and left + side <= width:
        inside = (place.z, slice(top, top + side), slice(left, left + side))
        return torch.stack([images[inside], masks[inside]])
    rows = _mirrored(top, side, height, images.device)
    columns = _mirrored(left, side, width, images.device)
    return torch.stack(
        [
            plane.index_select(0, rows).index_select(1, columns)
            for plane in (images[place.z], masks[place.z])
        ]
    )


def _mirrored(start: int, length: int, n: int, device: torch.device) -> Tensor:
    """Indices from `start` on, reflected into an axis of n pixels without repeating its ends."""
    period = max(1, 2 * (n - 1))
    at = torch.arange(start, start + length, device=device) % period
    return torch.minimum(at, period - at) if n > 1 else torch.zeros_like(at)
