"""Loss and IoU of a network on the validation slices of each volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from chondria.data.training_volume import TrainingVolume
from chondria.networks.network import Network, memory_format
from chondria.tiling import Tile, even_spans, mirror_indices, tile_grid

__all__ = [
    "THRESHOLDS",
    "Validation",
    "VolumeScore",
    "threshold_ious",
    "validate",
    "validation_map",
]

THRESHOLDS = tuple(n / 100 for n in range(5, 100, 5))

# Numbers that a 3-D network may hold at once; training itself holds more.
LARGEST_VALUES: Final = 2**29


@dataclass(frozen=True, slots=True)
class VolumeScore:
    """Loss averaged over pixels, and one global IoU over the validation slices of a volume."""

    name: str
    loss: float
    iou: float


@dataclass(frozen=True, slots=True)
class Validation:
    """Scores of every volume; the totals are plain means over volumes."""

    volumes: tuple[VolumeScore, ...]

    @property
    def loss(self) -> float:
        """Mean loss over volumes."""
        return sum(score.loss for score in self.volumes) / len(self.volumes)

    @property
    def iou(self) -> float:
        """Mean IoU over volumes."""
        return sum(score.iou for score in self.volumes) / len(self.volumes)


@torch.inference_mode()
def validate(
    network: nn.Module,
    volumes: Sequence[TrainingVolume],
    loss: Callable[[Tensor, Tensor], Tensor],
    stride_px: int,
    precision: str = "fp32",
    block_slices: int = 1,
) -> Validation | None:
    """Evaluate a network on whole validation slices, at the model's pixel size and threshold 0.5.

    A 3-D network sees blocks of slices, from the first validation slice to the last; where they
    do not divide evenly, blocks overlap and each slice is counted once.

    Parameters
    ----------
    network : Module
        Maps (1, 1, Y, X), or a block (1, 1, Z, Y, X), to logits, of which the first channel is
        scored; put into evaluation mode here, and back afterwards.
    volumes : sequence of TrainingVolume
        Those without validation slices are passed over.
    loss : callable
        Of logits and targets.
    stride_px : int
        Slices are mirrored up to a multiple of this.
    precision : {"fp32", "bf16"}
        Of the forward pass.
    block_slices : int
        Depth of the blocks; 1 evaluates slices one by one. More is for a `Network` of 3 dimensions.

    Returns
    -------
    Validation or None
        None where no volume has validation slices.
    """
    was_training = network.training
    network.eval()
    scores = tuple(
        _score(volume, _parts(network, volume, stride_px, precision, block_slices), loss)
        for volume in volumes
        if len(volume.split.validation)
    )
    network.train(was_training)
    return Validation(scores) if scores else None


@torch.inference_mode()
def threshold_ious(
    network: nn.Module,
    volumes: Sequence[TrainingVolume],
    stride_px: int,
    precision: str = "fp32",
    block_slices: int = 1,
) -> dict[float, float]:
    """Score every threshold on whole validation slices (thesis 7.1.3), never on others.

    Parameters
    ----------
    network, volumes, stride_px, precision, block_slices
        As `validate`; the network in evaluation mode.

    Returns
    -------
    dict
        IoU for each of `THRESHOLDS`: the plain mean over volumes of one global IoU each.
    """
    validated = [volume for volume in volumes if len(volume.split.validation)]
    parts = (_parts(network, v, stride_px, precision, block_slices) for v in validated)
    ious = torch.stack([_ious(part) for part in parts]).mean(0)
    return dict(zip(THRESHOLDS, ious.tolist(), strict=True))


@torch.inference_mode()
def validation_map(
    network: nn.Module,
    volume: TrainingVolume,
    stride_px: int,
    precision: str = "fp32",
    block_slices: int = 1,
) -> NDArray[np.uint8]:
    """Predict the validation slices of a volume, by 8 bits as `chondria segment` does.

    Parameters
    ----------
    network, volume, stride_px, precision, block_slices
        As `validate`; the network in evaluation mode.

    Returns
    -------
    ndarray of uint8, (validation slices, Y, X)
        At the model's pixel size; 255 is certainty.
    """
    maps = [
        torch.sigmoid(logits).mul(255).round().to(torch.uint8).reshape(-1, *logits.shape[-2:])
        for logits, _ in _parts(network, volume, stride_px, precision, block_slices)
    ]
    values: NDArray[np.uint8] = torch.cat(maps).cpu().numpy()
    return values


def _ious(parts: Iterator[tuple[Tensor, Tensor]]) -> Tensor:
    """IoU (T,) of a volume's validation slices at every threshold."""
    bounds = torch.tensor(THRESHOLDS)
    # Pixels that are foreground at none of the thresholds, at the first, at the first two...
    true, false = torch.zeros(2, len(bounds) + 1, dtype=torch.int64)
    for logits, masks in parts:
        passed = torch.bucketize(torch.sigmoid(logits), bounds.to(logits.device), right=True)
        truth = masks > 0
        true += passed[truth].bincount(minlength=len(true)).cpu()
        false += passed[~truth].bincount(minlength=len(false)).cpu()
    sums = [counts.double().flip(0).cumsum(0).flip(0) for counts in (true, false)]
    found, union = sums[0][1:], sums[0][0] + sums[1][1:]
    return torch.where(union > 0, found / union, 1.0)


def _parts(
    network: nn.Module, volume: TrainingVolume, stride_px: int, precision: str, block_slices: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and truth of each validation slice, or of each block of them."""
    if block_slices == 1:
        return _slices(network, volume, stride_px, precision)
    assert isinstance(network, Network)
    return _blocks(network, volume, precision, block_slices)


def _score(
    volume: TrainingVolume,
    parts: Iterator[tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor],
) -> VolumeScore:
    # Read at the end only: reading a number waits for the device.
    losses, overlaps, unions, slices = [], [], [], 0
    for logits, truth in parts:
        n_slices = math.prod(truth.shape[:-2])
        losses.append(loss(logits, truth) * n_slices)
        found, true = logits > 0, truth > 0
        overlaps.append((found & true).sum())
        unions.append((found | true).sum())
        slices += n_slices
    total, overlap, union = (sum(torch.stack(v).tolist()) for v in (losses, overlaps, unions))
    return VolumeScore(volume.name, total / slices, overlap / union if union else 1.0)


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
