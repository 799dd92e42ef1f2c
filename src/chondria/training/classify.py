"""The training loop of classifiers, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from chondria.errors import SettingsError
from chondria.training.optimizers import OptimizerKind, build_optimizer

__all__ = ["ClassifierPlan", "Images", "predict_classes", "train_classifier"]

# How many images are predicted at once.
AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Images:
    """Images (N, C, Y, X) as bytes, and the class (N,) of each."""

    images: Tensor
    labels: Tensor

    @classmethod
    def from_arrays(cls, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Images:
        """Take grey images (N, Y, X) or coloured ones (N, Y, X, C)."""
        channels = images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1)
        return cls(torch.tensor(channels), torch.tensor(labels.astype(np.int64)))

    def part(self, chosen: Tensor) -> Images:
        """Give the images of some indices."""
        return Images(self.images[chosen], self.labels[chosen])

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class ClassifierPlan:
    """How to train: epochs of shuffled batches, and the optimizer (see `optimizers`)."""

    epochs: int
    batch: int
    optimizer: OptimizerKind = "sgd"
    rate: float = 0.01
    momentum: float = 0.0
    seed: int = 0


def train_classifier(
    network: nn.Module,
    learn: Images,
    validation: Images,
    plan: ClassifierPlan,
    on_epoch: Callable[[dict[str, float]], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Train with the cross-entropy of the softmax; leave the best epoch's weights in the network.

    Parameters
    ----------
    network : Module
        From images (B, C, Y, X), 0 to 1, to logits (B, classes).
    learn, validation : Images
        What is learned from, and what chooses the epoch (by its loss).
    plan : ClassifierPlan
        How.
    on_epoch : callable
        Told of every epoch.

    Returns
    -------
    list of dict
        For each epoch its number, train_loss, validation_loss and validation_accuracy.

    Raises
    ------
    SettingsError
        If the loss is no longer finite: the learning rate is too high.
    """
    torch.manual_seed(plan.seed)  # of dropout
    shuffling = torch.Generator().manual_seed(plan.seed)
    optimizer = build_optimizer(plan.optimizer, network.parameters(), plan.rate, plan.momentum)
    history: list[dict[str, float]] = []
    best, weights = math.inf, deepcopy(network.state_dict())
    for epoch in range(1, plan.epochs + 1):
        network.train()
        order, total = torch.randperm(len(learn), generator=shuffling), 0.0
        for chosen in torch.split(order, plan.batch):
            batch = learn.part(chosen)
            loss = functional.cross_entropy(network(_scaled(batch.images)), batch.labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(chosen)
        _, loss_now, accuracy = predict_classes(network, validation)
        row = {"epoch": float(epoch), "train_loss": total / len(learn)}
        history.append(row | {"validation_loss": loss_now, "validation_accuracy": accuracy})
        _check_finite(history[-1], plan)
        if loss_now < best:
            best, weights = loss_now, deepcopy(network.state_dict())
        on_epoch(history[-1])
    network.load_state_dict(weights)
    network.eval()
    return history


@torch.inference_mode()
def predict_classes(network: nn.Module, images: Images) -> tuple[NDArray[Any], float, float]:
    """Give the class (N,) of every image, the mean cross-entropy, and the accuracy."""
    network.eval()
    logits = torch.cat([network(_scaled(part)) for part in torch.split(images.images, AT_ONCE)])
    loss = float(functional.cross_entropy(logits, images.labels))
    predicted = logits.argmax(1)
    return predicted.numpy(), loss, float((predicted == images.labels).float().mean())


def _scaled(images: Tensor) -> Tensor:
    """Divide by 255 (thesis 5.2)."""
    return images.float() / 255


def _check_finite(row: dict[str, float], plan: ClassifierPlan) -> None:
    for name in ("train_loss", "validation_loss"):
        if not math.isfinite(row[name]):
            raise SettingsError(
                f"The {name.replace('_', ' ')} became {row[name]} at the learning rate "
                f"{plan.rate:g}; lower the rate."
            )
