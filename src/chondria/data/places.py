"""Where training patches are cut: at random, or where one class fills them (tiles: see `tiles`).

All ways draw from the number of the batch and from one generator, so that these two are their whole
state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch

from chondria.data.splits import window_starts
from chondria.data.training_volume import TrainingVolume, learned_from
from chondria.data.window_index import WindowPool, window_sums
from chondria.errors import SettingsError

__all__ = ["Padding", "Place", "Places", "PurePlaces", "RandomPlaces"]

Padding = Literal["mirror", "zero"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one patch is cut: from slice z of a volume on, around the pixel (y, x).

    Attributes
    ----------
    volume : TrainingVolume
        What it is cut from.
    z, y, x : int
        The patch begins at slice ``z``, row ``y - height // 2`` and column ``x - width // 2``.
    augmented : bool
        False leaves the patch as it is.
    label : int or None
        Class of all of its pixels, whatever the mask says.
    """

    volume: TrainingVolume
    z: int
    y: int
    x: int
    augmented: bool = True
    label: int | None = None


class Places(Protocol):
    """A way to choose the places of a batch."""

    def draw(self, number: int, generator: torch.Generator) -> list[Place]:
        """Choose the places of a batch.

        Parameters
        ----------
        number : int
            How many batches came before.
        generator : torch.Generator
            On the CPU.
        """


class RandomPlaces:
    """Anywhere: a volume by its weight, then any training slice and any place in it.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Where patches come from.
    patch_shape : tuple of int
        Height and width of a patch.
    batch : int
        Patches in a batch.
    foreground_share : float
        Odds that a patch is centred on a foreground pixel instead, any of its volume's: a balance
        of the classes. A patch still lies within its image.
    patch_slices : int
        Slices of a patch, which are all to be learned from.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, too few neighbouring slices for a patch, or no
        foreground to be centred on.
    """

    def __init__(
        self,
        volumes: Sequence[TrainingVolume],
        patch_shape: tuple[int, int],
        batch: int,
        foreground_share: float = 0.0,
        patch_slices: int = 1,
    ) -> None:
        self._sources = learned_from(volumes)
        self._patch_slices = patch_slices
        self._starts = [
            window_starts(volume.split.train, patch_slices, volume.name) for volume in self._sources
        ]
        self._weights = torch.tensor([volume.weight for volume in self._sources])
        self._patch_shape, self._batch = patch_shape, batch
        self._foreground_share = foreground_share
        if foreground_share:
            self._foreground = WindowPool(self._sources, side=1, fewest=1, most=1)
            if not len(self._foreground):
                raise SettingsError(
                    f"Found no foreground in any training slice for a foreground_share of "
                    f"{foreground_share:g}; leave it out, or check the masks."
                )

    def draw(self, number: int, generator: torch.Generator) -> list[Place]:
        """Choose the places of a batch; its number has no say."""
        chosen = torch.multinomial(self._weights, self._batch, True, generator=generator)
        # float64: float32 could round a draw up to one and so to a slice outside the split.
        spots = torch.rand(self._batch, 3, generator=generator, dtype=torch.float64).tolist()
        places = []
        for index, (u, v, w) in zip(chosen.tolist(), spots, strict=True):
            volume, starts = self._sources[index], self._starts[index]
            _, height, width = volume.images.shape
            z = starts[int(u * len(starts))]
            places.append(self._inside(volume, z, int(v * height), int(w * width)))
        return self._centred(places, generator) if self._foreground_share else places

    def _centred(self, places: list[Place], generator: torch.Generator) -> list[Place]:
        """Exchange a share of places for some around foreground pixels."""
        odds = torch.rand(len(places), generator=generator) < self._foreground_share
        which = odds.nonzero()[:, 0].tolist()
        drawn = self._foreground.draw(len(which), generator)
        for index, (volume, (z, y, x)) in zip(which, drawn, strict=True):
            places[index] = self._inside(volume, self._start_around(volume, z), y, x)
        return places

    def _start_around(self, volume: TrainingVolume, z: int) -> int:
        """First slice of the patch that has slice z nearest to its middle."""
        if self._patch_slices == 1:
            return z
        index = next(i for i, source in enumerate(self._sources) if source is volume)
        return min(self._starts[index], key=lambda start: abs(start + self._patch_slices // 2 - z))

    def _inside(self, volume: TrainingVolume, z: int, y: int, x: int) -> Place:
        """Choose the place around a pixel, moved to where the patch lies within the image.

        Any pixel is drawn and then moved inside, so that many patches end where the image ends:
        else the network would hardly see what lies near the border of an image.
        """
        _, height, width = volume.images.shape
        rows, columns = self._patch_shape
        return Place(volume, z, _centre(y, height, rows), _centre(x, width, columns))


def _centre(at: int, n: int, side: int) -> int:
    """Nearest centre of a patch that lies within an axis of n pixels, or the axis's middle."""
    half = min(side, n) // 2
    return min(max(at, half), max(half, n - side + half))


class PurePlaces:
    """Patches that one class fills, half of every batch for each class (Oztel et al. 2017).

    Mitochondria fill far fewer patches than background does. Oztel et al. repeat theirs 20 times in
    the training set; here half of a batch is theirs, however rare they are, which is the balance
    that the repetition is for.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Where patches come from; only patches that lie within their image.
    patch_px, batch : int
        Side of a patch and patches in a batch; of an odd one, each class has one more in turn.
    share : float
        Of a patch's pixels that are of one class, at least. The patch counts as that class as a
        whole.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, or no such patch of a class; says the largest share.
    """

    def __init__(
        self, volumes: Sequence[TrainingVolume], patch_px: int, batch: int, share: float = 0.8
    ) -> None:
        sources, n = learned_from(volumes), patch_px**2
        enough = math.ceil(share * n - 1e-6)
        self._batch = batch
        self._pools = (
            WindowPool(sources, patch_px, 0, n - enough),
            WindowPool(sources, patch_px, enough, n),
        )
        for pool, label in zip(self._pools, (0, 1), strict=True):
            if not len(pool):
                raise SettingsError(_nothing_pure(sources, patch_px, share, label))

    def draw(self, number: int, generator: torch.Generator) -> list[Place]:
        """Choose the places of a batch, background first."""
        mitochondria = (self._batch + number % 2) // 2
        return [
            Place(volume, *at, label=label)
            for label, n in ((0, self._batch - mitochondria), (1, mitochondria))
            for volume, at in self._pools[label].draw(n, generator)
        ]


def _nothing_pure(
    volumes: Sequence[TrainingVolume], patch_px: int, share: float, label: int
) -> str:
    masks = [v.masks[z].cpu().numpy() == label for v in volumes for z in v.split.train]
    largest = max(window_sums(m.view(np.uint8), patch_px).max(initial=0) for m in masks)
    name = ("background", "mitochondrion")[label]
    return (
        f"Found no {patch_px}x{patch_px} pixels in the training slices of which {share:.0%} are "
        f"{name}, the most being {largest / patch_px**2:.1%}; lower training.pure_share or "
        "training.patch_px."
    )
