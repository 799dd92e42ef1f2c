"""Loss and IoU of a network on the validation slices of each volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from chondria.data.training_volume import TrainingVolume
from chondria.training.validation_logits import validation_logits

__all__ = [
    "THRESHOLDS",
    "Validation",
    "VolumeScore",
    "threshold_ious",
    "validate",
    "validation_map",
]

THRESHOLDS = tuple(n / 100 for n in range(5, 100, 5))


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
        _score(volume, validation_logits(network, volume, stride_px, precision, block_slices), loss)
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
    parts = (validation_logits(network, v, stride_px, precision, block_slices) for v in validated)
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
        for logits, _ in validation_logits(network, volume, stride_px, precision, block_slices)
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
