"""Loss and IoU of a network on the validation slices of each volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from chondria.data.training_volume import TrainingVolume

__all__ = ["THRESHOLDS", "Validation", "VolumeScore", "threshold_ious", "validate"]

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
) -> Validation | None:
    """Evaluate a network on whole validation slices, at the model's pixel size and threshold 0.5.

    Parameters
    ----------
    network : Module
        Maps (1, 1, Y, X) to logits; put into evaluation mode here, and back afterwards.
    volumes : sequence of TrainingVolume
        Those without validation slices are passed over.
    loss : callable
        Of logits and targets.
    stride_px : int
        Slices are mirrored up to a multiple of this.
    precision : {"fp32", "bf16"}
        Of the forward pass.

    Returns
    -------
    Validation or None
        None where no volume has validation slices.
    """
    was_training = network.training
    network.eval()
    scores = tuple(
        _score(network, volume, loss, stride_px, precision)
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
) -> dict[float, float]:
    """Score every threshold on whole validation slices (thesis 7.1.3), never on others.

    Parameters
    ----------
    network, volumes, stride_px, precision
        As `validate`; the network in evaluation mode.

    Returns
    -------
    dict
        IoU for each of `THRESHOLDS`: the plain mean over volumes of one global IoU each.
    """
    validated = [volume for volume in volumes if len(volume.split.validation)]
    ious = torch.stack([_ious(network, v, stride_px, precision) for v in validated]).mean(0)
    return dict(zip(THRESHOLDS, ious.tolist(), strict=True))


def _ious(network: nn.Module, volume: TrainingVolume, stride_px: int, precision: str) -> Tensor:
    """IoU (T,) of a volume's validation slices at every threshold."""
    bounds = torch.tensor(THRESHOLDS, device=volume.images.device)
    # Pixels that are foreground at none of the thresholds, at the first, at the first two...
    true, false = torch.zeros(2, len(bounds) + 1, dtype=torch.int64, device=bounds.device)
    for z in volume.split.validation:
        logits = _forward(network, _image(volume, z), stride_px, precision)
        passed = torch.bucketize(torch.sigmoid(logits[0, 0]), bounds, right=True)
        truth = volume.masks[z] > 0
        true += passed[truth].bincount(minlength=len(true))
        false += passed[~truth].bincount(minlength=len(false))
    sums = [counts.cpu().double().flip(0).cumsum(0).flip(0) for counts in (true, false)]
    found, union = sums[0][1:], sums[0][0] + sums[1][1:]
    return torch.where(union > 0, found / union, 1.0)


def _image(volume: TrainingVolume, z: int) -> Tensor:
    """Slice (1, 1, Y, X) as the network sees it."""
    normal = volume.normalisation
    return ((volume.images[z].float() - normal.mean) / normal.deviation)[None, None]


def _score(
    network: nn.Module,
    volume: TrainingVolume,
    loss: Callable[[Tensor, Tensor], Tensor],
    stride_px: int,
    precision: str,
) -> VolumeScore:
    # Read at the end only: reading a number waits for the device.
    losses, overlaps, unions = [], [], []
    for z in volume.split.validation:
        truth = volume.masks[z].float()[None, None]
        logits = _forward(network, _image(volume, z), stride_px, precision)
        losses.append(loss(logits, truth))
        found, true = logits > 0, truth > 0
        overlaps.append((found & true).sum())
        unions.append((found | true).sum())
    total, overlap, union = (sum(torch.stack(v).tolist()) for v in (losses, overlaps, unions))
    return VolumeScore(volume.name, total / len(losses), overlap / union if union else 1.0)


def _forward(network: nn.Module, image: Tensor, stride_px: int, precision: str) -> Tensor:
    height, width = image.shape[-2:]
    pad = (0, -width % stride_px, 0, -height % stride_px)
    padded = functional.pad(image, pad, mode="reflect").contiguous(
        memory_format=torch.channels_last
    )
    with torch.autocast(image.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits: Tensor = network(padded)
    return logits[..., :height, :width].float()
