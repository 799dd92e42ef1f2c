"""Loss functions; all take logits and binary targets of one shape, (B, C, [Z,] Y, X)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from chondria.errors import SettingsError

__all__ = ["Loss", "LossKind", "bce", "dice", "jaccard", "make_loss", "with_boundary"]

LossKind = Literal["bce", "dice", "jaccard", "bce_dice"]
Loss = Callable[[Tensor, Tensor], Tensor]

EVEN = (1.0, 1.0)


def bce(logits: Tensor, targets: Tensor, class_weights: tuple[float, float] = EVEN) -> Tensor:
    """Binary cross-entropy, averaged over pixels.

    The weights of background and mitochondrion (thesis 6.3.2) multiply the loss of each pixel of
    the class; they are not normalised, as in Keras.
    """
    background, mitochondrion = class_weights
    if background == mitochondrion == 1:
        return functional.binary_cross_entropy_with_logits(logits, targets)
    weight = background + (mitochondrion - background) * targets
    return functional.binary_cross_entropy_with_logits(logits, targets, weight)


def dice(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Dice coefficient of the whole batch.

    Counting over the batch and not per patch keeps a patch without mitochondria from weighing as
    much as a full one (Milletari et al. 2016, doi:10.1109/3DV.2016.79, with plain sums).
    """
    probabilities = torch.sigmoid(logits)
    overlap = (probabilities * targets).sum()
    return 1 - (2 * overlap + 1) / (probabilities.sum() + targets.sum() + 1)


def jaccard(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Jaccard index of the whole batch (thesis 6.3.10)."""
    probabilities = torch.sigmoid(logits)
    overlap = (probabilities * targets).sum()
    union = probabilities.sum() + targets.sum() - overlap
    return 1 - (overlap + 1) / (union + 1)


def make_loss(kind: LossKind, class_weights: tuple[float, float] = EVEN) -> Loss:
    """Give a loss function of logits and targets.

    Parameters
    ----------
    kind : {"bce", "dice", "jaccard", "bce_dice"}
        Cross-entropy; overlap; or cross-entropy plus half the Dice loss.
    class_weights : tuple of float
        Of background and mitochondrion, in the cross-entropy.

    Raises
    ------
    SettingsError
        If the kind is unknown, or a weight is not above zero or has no effect.
    """
    if kind not in get_args(LossKind):
        raise SettingsError(
            f"Found the loss '{kind}'; allowed are {', '.join(get_args(LossKind))}."
        )
    if not all(0 < weight < float("inf") for weight in class_weights):
        raise SettingsError(
            f"Found the class weights {list(class_weights)}; both, of background and of "
            "mitochondrion, must be above zero: a class of weight 0 would not be learned."
        )
    if kind in ("dice", "jaccard"):
        if tuple(class_weights) != EVEN:
            raise SettingsError(
                f"Found class weights for the loss '{kind}', which has none; leave them out, or "
                "choose bce or bce_dice."
            )
        return dice if kind == "dice" else jaccard

    def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
        loss = bce(logits, targets, class_weights)
        return loss + 0.5 * dice(logits, targets) if kind == "bce_dice" else loss

    return cross_entropy


def with_boundary(loss: Loss, weight: float) -> Loss:
    """Add what a second channel, the outlines of objects, costs to the loss of the first.

    Parameters
    ----------
    loss : callable
        Of logits and targets of the foreground.
    weight : float
        Of the cross-entropy of the outlines.

    Returns
    -------
    callable
        Of logits and targets of both channels, (B, 2, Y, X).
    """

    def total(logits: Tensor, targets: Tensor) -> Tensor:
        return loss(logits[:, :1], targets[:, :1]) + weight * bce(logits[:, 1:], targets[:, 1:])

    return total
