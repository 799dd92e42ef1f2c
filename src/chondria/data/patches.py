"""Training patches: volumes stay on the device as bytes; a batch is cut and augmented there."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from chondria.data.augment import Augmentation
from chondria.data.draws import sent
from chondria.data.geometry import apply_geometry, sample_geometry, window_shape
from chondria.data.intensity import apply_intensity, sample_intensity
from chondria.data.places import Padding, Place, Places, RandomPlaces
from chondria.data.training_volume import TrainingVolume

__all__ = ["PatchSampler"]


class PatchSampler:
    """Augmented patches of volumes, a batch at a time.

    All randomness comes from one CPU generator, so that its state and the number of batches drawn
    are the sampler's whole state.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Where patches come from; only the training slices of their split.
    patch_px : int or tuple of int
        Side of a patch, or its height and width.
    batch : int
        Patches in a batch.
    augmentation : Augmentation
        Ranges of the random transforms.
    seed : int
        Of the generator.
    places : Places, optional
        How the places of the patches are chosen; by default at random, by the volumes' weights.
    padding : {"mirror", "zero"}
        What lies beyond an image.
    patch_slices : int
        Slices of a patch, neighbours that are all to be learned from. They are turned and bent
        alike, and mirrored along z where the augmentation flips.

    Raises
    ------
    SettingsError
        If there is no volume to learn from, a weight is not above zero, patches that are no
        squares should be turned by quarters, or a volume has too few neighbouring slices.
    """

    def __init__(
        self,
        volumes: Sequence[TrainingVolume],
        patch_px: int | tuple[int, int],
        batch: int,
        augmentation: Augmentation,
        seed: int = 0,
        *,
        places: Places | None = None,
        padding: Padding = "mirror",
        patch_slices: int = 1,
    ) -> None:
        self.volumes = tuple(volumes)
        self.patch_shape = (patch_px, patch_px) if isinstance(patch_px, int) else patch_px
        self.patch_slices = patch_slices
        self.batch = batch
        self.augmentation = augmentation
        self.generator = torch.Generator().manual_seed(seed)
        self.drawn = 0
        self.places = places or RandomPlaces(
            volumes, self.patch_shape, batch, patch_slices=patch_slices
        )
        self._padding = padding
        self._window_shape = window_shape(self.patch_shape, augmentation)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Returns
        -------
        images : Tensor, (B, 1, Y, X) or (B, 1, patch_slices, Y, X), float32
            Normalised and augmented; without the axis of slices where there is only one.
        masks : Tensor of the same shape, float32
            0 or 1. Where the volumes have boundaries, these are its second channel.
        """
        places = self.places.draw(self.drawn, self.generator)
        self.drawn += 1
        device = places[0].volume.images.device
        depth = self.patch_slices
        asked = (self.augmentation, len(places), self.patch_shape, self.generator, device)
        geometry, intensity = sample_geometry(*asked), sample_intensity(*asked, depth)
        # Slices are channels of one picture, so that one geometry moves them all.
        cut = [_cut(place, self._window_shape, self._padding, depth) for place in places]
        windows = torch.stack(cut).float()
        patches = apply_geometry(windows, geometry, self.patch_shape)
        # After the interpolation, which weights sum to one: there are fewer pixels by now.
        images = apply_intensity(_normalise(patches[:, :depth], places), intensity)
        masks = (patches[:, depth:] >= 0.5).float()
        for i, place in enumerate(places):
            if not place.augmented:
                original = _middle(windows[i : i + 1], self.patch_shape)
                images[i] = _normalise(original[:, :depth], [place])[0]
                masks[i] = original[0, depth:]
            if place.label is not None:
                masks[i] = place.label
        return (images, masks) if depth == 1 else self._stacked(images, masks)

    def _stacked(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Give slices an axis of their own, and turn some patches upside down."""
        if self.augmentation.flips:
            flipped = torch.randint(0, 2, (len(images),), generator=self.generator).bool()
            chosen = flipped.to(images.device)[:, None, None, None]
            images = torch.where(chosen, images.flip(1), images)
            masks = torch.where(chosen, masks.flip(1), masks)
        return images[:, None], masks[:, None]


def _middle(windows: Tensor, shape: tuple[int, int]) -> Tensor:
    top, left = ((n - side) // 2 for n, side in zip(windows.shape[2:], shape, strict=True))
    return windows[..., top : top + shape[0], left : left + shape[1]]


def _normalise(patches: Tensor, places: Sequence[Place]) -> Tensor:
    normals = [place.volume.normalisation for place in places]
    mean, deviation = (
        sent(torch.tensor(values), patches.device)[:, None, None, None]
        for values in zip(*((normal.mean, normal.deviation) for normal in normals), strict=True)
    )
    return (patches - mean) / deviation


def _cut(place: Place, shape: tuple[int, int], padding: Padding, depth: int) -> Tensor:
    """Cut the window (2 * depth, Y, X) of bytes around a place, filled up beyond the border.

    Images come first, then masks, then boundaries where the volume has them.
    """
    images, masks, boundary = place.volume.images, place.volume.masks, place.volume.boundary
    stacks = (images, masks) if boundary is None else (images, masks, boundary)
    size = images.shape[1:]
    slices = slice(place.z, place.z + depth)
    top, left = place.y - shape[0] // 2, place.x - shape[1] // 2
    if min(top, left) >= 0 and top + shape[0] <= size[0] and left + shape[1] <= size[1]:
        inside = (slices, slice(top, top + shape[0]), slice(left, left + shape[1]))
        return torch.cat([stack[inside] for stack in stacks])
    rows = _mirrored(top, shape[0], size[0], images.device)
    columns = _mirrored(left, shape[1], size[1], images.device)
    parts = [stack[slices] for stack in stacks]
    window = torch.cat([part.index_select(1, rows).index_select(2, columns) for part in parts])
    if padding == "zero":
        for axis, start, n in ((1, top, size[0]), (2, left, size[1])):
            window.narrow(axis, 0, max(0, -start)).zero_()
            end = min(n - start, window.shape[axis])
            window.narrow(axis, end, window.shape[axis] - end).zero_()
    return window


def _mirrored(start: int, length: int, n: int, device: torch.device) -> Tensor:
    """Indices from `start` on, reflected into an axis of n pixels without repeating its ends."""
    period = max(1, 2 * (n - 1))
    at = torch.arange(start, start + length, device=device) % period
    return torch.minimum(at, period - at) if n > 1 else torch.zeros_like(at)
