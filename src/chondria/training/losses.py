"""Loss functions; all take logits and binary targets of shape (B, 1, Y, X)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["LOSSES", "LossKind", "bce", "bce_dice", "dice"]

LossKind = Literal["bce", "dice", "bce_dice"]


def bce(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy, averaged over pixels."""
    return functional.binary_cross_entropy_with_logits(logits, targets)


def dice(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Dice coefficient of the whole batch.

    Counting over the batch and not per patch keeps a patch without mitochondria from weighing as
    much as a full one (Milletari et al. 2016, doi:10.1109/3DV.2016.79, with plain sums).
    """
    probabilities = torch.sigmoid(logits)
    overlap = (probabilities * targets).sum()
    return 1 - (2 * overlap + 1) / (probabilities.sum() + targets.sum() + 1)


def bce_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy plus half the Dice loss."""
    return bce(logits, targets) + 0.5 * dice(logits, targets)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": bce,
    "dice": dice,
    "bce_dice": bce_dice,
}
