"""Training slices cut into tiles without overlap, or left whole, and shown epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from chondria.data.places import Padding, Place
from chondria.data.training_volume import TrainingVolume, learned_from
from chondria.errors import SettingsError, ShapeError

__all__ = ["EpochPlaces", "tile_places", "whole_shape"]

# The widest kernels of the augmentation fit into mirrored patches of this side.
SMALLEST_SIDE_PX = 16


class EpochPlaces:
    """Given places, each once in an epoch, in an order of the epoch's own.

    A volume's weight is how often an epoch shows each of its places: 2 is twice, and 0.5 shows
    half of them, drawn anew in each epoch. The order is a function of seed and epoch alone, so
    that a resumed run needs no state. The last batch of an epoch has what is left.

    Parameters
    ----------
    places : sequence of Place
        Such as those of `tile_places`.
    batch : int
        Places in a batch.
    seed : int
        Of the order.
    add_originals : bool
        Shows every place twice, once as it is and once augmented (thesis 7.1.1).
    """

    def __init__(
        self, places: Sequence[Place], batch: int, seed: int = 0, *, add_originals: bool = False
    ) -> None:
        self._batch, self._seed, self._add = batch, seed, add_originals
        by_volume: dict[int, list[Place]] = {}
        for place in places:
            by_volume.setdefault(id(place.volume), []).append(place)
        self._by_volume = list(by_volume.values())
        self._epoch: tuple[int, list[Place]] = (-1, [])

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        shown = sum(_shown(places) for places in self._by_volume)
        return -(-(2 if self._add else 1) * shown // self._batch)

    def draw(self, number: int, generator: torch.Generator) -> list[Place]:
        """Choose the places of a batch; the generator has no say."""
        epoch, at = divmod(number, self.batches)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._shuffled(epoch))
        return self._epoch[1][at * self._batch : (at + 1) * self._batch]

    def _shuffled(self, epoch: int) -> list[Place]:
        draws = np.random.default_rng((self._seed, epoch))
        order: list[Place] = []
        for places in self._by_volume:
            repeats, rest = divmod(_shown(places), len(places))
            order += places * repeats
            order += [places[i] for i in draws.permutation(len(places))[:rest]]
        if self._add:
            order += [replace(place, augmented=False) for place in order]
        return [order[i] for i in draws.permutation(len(order))]


def _shown(places: Sequence[Place]) -> int:
    """How many of a volume's places an epoch shows."""
    return max(1, round(places[0].volume.weight * len(places)))


def tile_places(
    volumes: Sequence[TrainingVolume],
    patch_shape: tuple[int, int],
    padding: Padding = "mirror",
    discard_share: float = 0.0,
) -> list[Place]:
    """Cut every training slice into tiles without overlap (thesis 6.3.4).

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Only their training slices are cut.
    patch_shape : tuple of int
        Height and width of a tile. The first begins in the slice's corner, the last may end beyond
        the slice.
    padding : {"mirror", "zero"}
        What is there; it counts in the share.
    discard_share : float
        Above 0, only tiles of which more than this share is mitochondrion are kept (thesis 6.3.8).

    Returns
    -------
    list of Place
        Ordered by volume, slice, row and column.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, or every tile would be discarded.
    """
    places, largest, n = [], 0.0, 0
    height, width = patch_shape
    for volume in learned_from(volumes):
        grid = [
            -(-px // side) for px, side in zip(volume.images.shape[1:], patch_shape, strict=True)
        ]
        for z in volume.split.train:
            shares = np.ones(grid)
            if discard_share:
                shares = _tile_shares(volume.masks[z].cpu().numpy(), patch_shape, padding)
            kept = shares > discard_share
            n, largest = n + shares.size, max(largest, float(shares.max()))
            places += [
                Place(volume, z, row * height + height // 2, column * width + width // 2)
                for row, column in np.argwhere(kept).tolist()
            ]
    if not places:
        raise SettingsError(
            f"The discard_share {discard_share:g} drops every one of the {n} training tiles: the "
            f"largest share of mitochondrion in one is {largest:.3g}; choose a smaller "
            "training.discard_share, or 0, which keeps all."
        )
    return places


def _tile_shares(
    mask: NDArray[np.uint8], patch_shape: tuple[int, int], padding: Padding
) -> NDArray[np.float64]:
    """Foreground share of every tile of a slice, (rows, columns)."""
    height, width = patch_shape
    missing = [(0, -n % side) for n, side in zip(mask.shape, patch_shape, strict=True)]
    padded = np.pad(mask, missing, mode="reflect" if padding == "mirror" else "constant")
    rows, columns = padded.shape[0] // height, padded.shape[1] // width
    shares: NDArray[np.float64] = padded.reshape(rows, height, columns, width).mean((1, 3))
    return shares


def whole_shape(volumes: Sequence[TrainingVolume], stride_px: int) -> tuple[int, int]:
    """Height and width of patches that hold whole slices, multiples of a network's stride.

    Raises
    ------
    SettingsError
        If there is nothing to learn from.
    ShapeError
        If the slices are not of one size; names the sizes and the sets.
    """
    sizes: dict[tuple[int, ...], list[str]] = {}
    for volume in learned_from(volumes):
        names = sizes.setdefault(tuple(volume.images.shape[1:]), [])
        names += [f"'{volume.name}'"] if f"'{volume.name}'" not in names else []
    if len(sizes) > 1:
        found = " and ".join(
            f"{height}x{width} pixels in {', '.join(names)}"
            for (height, width), names in sizes.items()
        )
        raise ShapeError(
            f"Found training slices of {found}; patches of whole slices must all be of one size: "
            "choose training.patches=tiles, or images of one size."
        )
    (size,) = sizes
    height, width = (-(-max(n, SMALLEST_SIDE_PX) // stride_px) * stride_px for n in size)
    return height, width
