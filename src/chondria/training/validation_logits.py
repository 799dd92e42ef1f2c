"""Logits of whole validation slices, or of blocks of them, beside their truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from chondria.data.training_volume import TrainingVolume
from chondria.networks.network import Network, memory_format
from chondria.tiling import Tile, even_spans, mirror_indices, tile_grid

__all__ = ["validation_logits"]

# Numbers that a 3-D network may hold at once; training itself holds more.
LARGEST_VALUES: Final = 2**29


def validation_logits(
    network: nn.Module, volume: TrainingVolume, stride_px: int, precision: str, block_slices: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Compute what a network says of the validation slices of a volume.

    Parameters
    ----------
    network : Module
        In evaluation mode; a `Network` of 3 dimensions for blocks.
    volume : TrainingVolume
        With validation slices.
    stride_px : int
        Slices are mirrored up to a multiple of this.
    precision : {"fp32", "bf16"}
        Of the forward pass.
    block_slices : int
        Depth of the blocks; 1 takes slices one by one.

    Yields
    ------
    (Tensor, Tensor)
        Logits and truth, (1, 1, Y, X) or (1, 1, Z, Y, X), in the order of the slices.
    """
    if block_slices == 1:
        return _slices(network, volume, stride_px, precision)
    assert isinstance(network, Network)
    return _blocks(network, volume, precision, block_slices)


def _slices(
    network: nn.Module, volume: TrainingVolume, stride_px: int, precision: str
) -> Iterator[tuple[Tensor, Tensor]]:
    for z in volume.split.validation:
        image = _normalised(volume, volume.images[z])
        truth = volume.masks[z].float()[None, None]
        height, width = image.shape
        pad = (0, -width % stride_px, 0, -height % stride_px)
        padded = functional.pad(image[None, None], pad, mode="reflect")
        yield _forward(network, padded, precision)[..., :height, :width], truth


def _blocks(
    network: Network, volume: TrainingVolume, precision: str, block_slices: int
) -> Iterator[tuple[Tensor, Tensor]]:
    first, last = volume.split.validation[0], volume.split.validation[-1]
    n = last + 1 - first
    tiles = _tiles(network, volume, block_slices)
    done = 0
    for span in even_spans(n, block_slices, stride=network.stride_slices):
        of_block = torch.from_numpy(first + mirror_indices(span.start, span.stop, n))
        block = volume.images[of_block.to(volume.images.device)]
        new = slice(done, min(span.stop, n))
        kept = slice(new.start - span.start, new.stop - span.start)
        logits = _joined(network, volume, block, tiles, precision)[..., kept, :, :]
        yield logits, volume.masks[first + new.start : first + new.stop].float()[None, None]
        done = new.stop


def _tiles(network: Network, volume: TrainingVolume, block_slices: int) -> list[Tile]:
    """Tiles in the plane whose blocks fit into memory, with what the network sees around them."""
    fitting_px = math.isqrt(LARGEST_VALUES // (network.values_per_px * block_slices))
    _, height, width = volume.images.shape
    return tile_grid(
        (height, width),
        max(fitting_px, 4 * (network.halo_px + network.stride_px)),
        halo_px=network.halo_px,
        stride_px=network.stride_px,
    )


def _joined(
    network: Network, volume: TrainingVolume, block: Tensor, tiles: list[Tile], precision: str
) -> Tensor:
    """Logits (1, 1, Z, Y, X) of a block of grey levels (Z, Y, X), tile by tile."""
    logits = torch.empty((1, 1, *block.shape), device=block.device)
    for tile in tiles:
        rows, columns = (
            torch.from_numpy(mirror_indices(part.start, part.stop, n)).to(block.device)
            for part, n in zip(tile.read, block.shape[1:], strict=True)
        )
        pixels = block.index_select(1, rows).index_select(2, columns)
        found = _forward(network, _normalised(volume, pixels)[None, None], precision)
        logits[..., *tile.write] = found[..., *tile.crop]
    return logits


def _normalised(volume: TrainingVolume, pixels: Tensor) -> Tensor:
    normal = volume.normalisation
    return (pixels.float() - normal.mean) / normal.deviation


def _forward(network: nn.Module, images: Tensor, precision: str) -> Tensor:
    images = images.contiguous(memory_format=memory_format(network))
    with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits: Tensor = network(images)
    return logits[:, :1].float()
