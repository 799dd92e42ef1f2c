"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from chondria.allocation import retain_freed_memory
from chondria.data.patches import PatchSampler
from chondria.errors import SettingsError
from chondria.training.checkpoint import (
    Progress,
    TrainingState,
    load_checkpoint,
    save_checkpoint,
)
from chondria.training.losses import LOSSES, LossKind
from chondria.training.optimizers import (
    OptimizerKind,
    ScheduleKind,
    build_optimizer,
    learning_rate,
)
from chondria.training.validation import Validation, validate

__all__ = ["Observer", "TrainingPlan", "train"]

Monitor = Literal["iou", "loss"]

CHOICES: dict[str, tuple[str, ...]] = {
    "monitor": get_args(Monitor),
    "loss": get_args(LossKind),
    "optimizer": get_args(OptimizerKind),
    "schedule": get_args(ScheduleKind),
    "precision": ("fp32", "bf16"),
}


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train.

    Attributes
    ----------
    steps : int
        Optimizer steps in all.
    validate_every : int
        Steps between validations; a checkpoint is written at each.
    patience : int
        Validations without a better one before stopping early; 0 never stops.
    monitor : {"iou", "loss"}
        The validation figure that decides which weights are best.
    loss, optimizer, schedule : str
        Names; see `losses` and `optimizers`.
    rate, momentum, weight_decay : float
        Peak learning rate; momentum of SGD; decay of AdamW.
    clip_norm : float
        Largest gradient norm; 0 does not clip.
    ema_decay : float
        Validation and the result are of the exponential moving average of the weights, which keeps
        this share of itself at every step; 0 takes the weights as they are.
    precision : {"fp32", "bf16"}
        bf16 runs the network under autocast; weights and optimizer stay fp32.
    seed : int
        Of dropout; the sampler has its own generator.

    Raises
    ------
    SettingsError
        If there is no step to do, a decay is none, or a name is unknown.
    """

    steps: int
    validate_every: int = 200
    patience: int = 0
    monitor: Monitor = "iou"
    loss: LossKind = "bce_dice"
    optimizer: OptimizerKind = "adamw"
    schedule: ScheduleKind = "one_cycle"
    rate: float = 2e-3
    momentum: float = 0.99
    weight_decay: float = 0.01
    clip_norm: float = 0.0
    ema_decay: float = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every) < 1:
            raise SettingsError(
                f"Found {self.steps} steps and a validation every {self.validate_every}; both must "
                "be at least 1."
            )
        if not 0 <= self.ema_decay < 1:
            raise SettingsError(f"Found ema_decay {self.ema_decay}; it must be in [0, 1).")
        for name, kinds in CHOICES.items():
            if (found := getattr(self, name)) not in kinds:
                raise SettingsError(f"Found {name} '{found}'; allowed are {', '.join(kinds)}.")


class Observer(Protocol):
    """Who watches a training run: a progress bar, a log, a test."""

    def on_step(self, step: int, loss: float) -> None:
        """One optimizer step was done."""

    def on_validation(self, row: dict[str, float]) -> None:
        """One row was added to the history."""


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Take the tiniest numbers, with which a CPU is slow, for zero; but only while it lasts."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@_denormals_flushed()
def train(
    network: nn.Module,
    sampler: PatchSampler,
    plan: TrainingPlan,
    checkpoint: Path | None = None,
    observer: Observer | None = None,
) -> Progress:
    """Train a network; leave the best weights in it.

    Parameters
    ----------
    network : Module
        Maps (B, 1, P, P) to logits; on the device of the sampler's volumes.
    sampler : PatchSampler
        Where batches come from; its volumes' validation slices choose the best weights.
    plan : TrainingPlan
        How to train.
    checkpoint : Path, optional
        Written at every validation. Where it exists, the run goes on from it, and ends with the
        very weights of a run that was never interrupted.
    observer : Observer, optional
        Told of steps and validations.

    Returns
    -------
    Progress
        The history and the best weights. Without validation slices the last weights are the best.

    Raises
    ------
    SettingsError
        If the loss is no longer finite: the learning rate is too high.
    """
    retain_freed_memory()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    optimizer = build_optimizer(
        plan.optimizer, network.parameters(), plan.rate, plan.momentum, plan.weight_decay
    )
    torch.manual_seed(plan.seed)
    average = _average(network, plan.ema_decay)
    judged = average.module if average else network
    state = TrainingState(network, optimizer, sampler.generator, average)
    progress = Progress()
    if checkpoint and checkpoint.exists():
        progress = load_checkpoint(checkpoint, state)
    loss_function = LOSSES[plan.loss]
    # A resumed run counts on from where its history stands.
    started = time.perf_counter() - (progress.history[-1]["seconds"] if progress.history else 0.0)

    while progress.step < plan.steps and not _is_stale(progress, plan):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(plan.schedule, progress.step, plan.steps, plan.rate)
        loss = _step(network, sampler.draw(), loss_function, optimizer, plan)
        if average:
            average.update_parameters(network)
        progress.step += 1
        progress.running_loss += loss
        if observer:
            observer.on_step(progress.step, loss)
        if progress.step % plan.validate_every == 0 or progress.step == plan.steps:
            stride = int(network.stride_px)  # type: ignore[arg-type]
            result = validate(judged, sampler.volumes, loss_function, stride, plan.precision)
            _record(progress, judged, result, plan, time.perf_counter() - started)
            if observer:
                observer.on_validation(progress.history[-1])
            if checkpoint:
                save_checkpoint(checkpoint, state, progress)

    network.load_state_dict(progress.best_weights)
    network.eval()
    return progress


def _average(network: nn.Module, decay: float) -> AveragedModel | None:
    """Make the moving average of a network (Polyak and Juditsky 1992), if one is wanted."""
    if not decay:
        return None
    averaging = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)


def _step(
    network: nn.Module,
    batch: tuple[Tensor, Tensor],
    loss_function: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    plan: TrainingPlan,
) -> float:
    images, masks = batch
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
        logits = network(images)
    loss = loss_function(logits.float(), masks)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if plan.clip_norm:
        nn.utils.clip_grad_norm_(network.parameters(), plan.clip_norm)
    optimizer.step()
    value = loss.item()
    _check_finite(value, "training", plan)
    return value


def _check_finite(loss: float, which: str, plan: TrainingPlan) -> None:
    if not math.isfinite(loss):
        raise SettingsError(
            f"The {which} loss became {loss} at the learning rate {plan.rate:g}; lower the rate "
            "or set clip_norm."
        )


def _is_stale(progress: Progress, plan: TrainingPlan) -> bool:
    return plan.patience > 0 and progress.stale >= plan.patience


def _record(
    progress: Progress,
    network: nn.Module,
    result: Validation | None,
    plan: TrainingPlan,
    seconds: float,
) -> None:
    """Add a row to the history, and keep the weights if they are the best so far."""
    last = progress.history[-1] if progress.history else {"step": 0.0, "seconds": 0.0}
    row = {
        "step": float(progress.step),
        "rate": learning_rate(plan.schedule, progress.step, plan.steps, plan.rate),
        "train_loss": progress.running_loss / (progress.step - last["step"]),
        "seconds": seconds,
    }
    # Without validation slices every state beats the one before it: the last is kept.
    score = float(progress.step)
    if result:
        row |= {"validation_loss": result.loss, "validation_iou": result.iou}
        row |= {f"iou_{volume.name}": volume.iou for volume in result.volumes}
        _check_finite(result.loss, "validation", plan)
        score = result.iou if plan.monitor == "iou" else -result.loss
    progress.running_loss = 0.0
    progress.history.append(row)
    progress.stale += 1
    if score > progress.best_score:
        progress.best_score, progress.best_step, progress.stale = score, progress.step, 0
        progress.best_weights = deepcopy(network.state_dict())
