"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from chondria.allocation import retain_freed_memory
from chondria.data.patches import PatchSampler
from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError
from chondria.networks.network import Network, memory_format
from chondria.training.checkpoint import (
    Progress,
    TrainingState,
    load_checkpoint,
    save_checkpoint,
)
from chondria.training.losses import Loss, make_loss, with_boundary
from chondria.training.optimizers import build_optimizer, learning_rate
from chondria.training.plan import TrainingPlan
from chondria.training.validation import Validation, validate

__all__ = ["Observer", "train"]

# How many losses are read at once: a GPU runs ahead of the loop, and reading waits for it.
READ_AT_ONCE = {"cpu": 1, "cuda": 16, "mps": 16}


class Observer(Protocol):
    """Who watches a training run: a progress bar, a log, a test."""

    def on_step(self, step: int, loss: float) -> None:
        """One optimizer step was done; on a GPU, told of up to 16 at once."""

    def on_validation(self, row: dict[str, float]) -> None:
        """One row was added to the history."""


@contextmanager
def _tuned() -> Iterator[None]:
    """Let a CPU take the tiniest numbers for zero, and a GPU choose its convolutions by trial."""
    before = torch.backends.cudnn.benchmark
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.backends.cudnn.benchmark = before


@_tuned()
def train(
    network: Network,
    sampler: PatchSampler,
    plan: TrainingPlan,
    checkpoint: Path | None = None,
    observer: Observer | None = None,
    watched: Sequence[TrainingVolume] = (),
) -> Progress:
    """Train a network; leave the best weights in it.

    Parameters
    ----------
    network : Network
        Maps what the sampler draws to logits; on the device of the sampler's volumes.
    sampler : PatchSampler
        Where batches come from; its volumes' validation slices choose the best weights.
    plan : TrainingPlan
        How to train.
    checkpoint : Path, optional
        Written at every validation. Where it exists, the run goes on from it, and ends with the
        very weights of a run that was never interrupted.
    observer : Observer, optional
        Told of steps and validations.
    watched : sequence of TrainingVolume
        Their validation slices are scored at every validation too, as ``NAME_loss`` and
        ``NAME_iou`` of the history; they choose nothing, and change no random draw.

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
    network.to(memory_format=memory_format(network))  # type: ignore[call-overload]
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
        sampler.drawn = progress.step
    device = next(network.parameters()).device
    losses = _Losses(progress, plan, observer, READ_AT_ONCE[device.type])
    loss_function = make_loss(plan.loss, plan.class_weights)
    minimised = loss_function
    if plan.boundary_weight:
        minimised = with_boundary(loss_function, plan.boundary_weight)
    # A resumed run counts on from where its history stands.
    started = time.perf_counter() - (progress.history[-1]["seconds"] if progress.history else 0.0)

    while progress.step < plan.steps and not _is_stale(progress, plan):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(plan.schedule, progress.step, plan.steps, plan.rate)
        loss = _step(network, sampler.draw(), minimised, optimizer, plan)
        if average:
            average.update_parameters(network)
        progress.step += 1
        losses.add(loss)
        if progress.step % plan.validate_every == 0 or progress.step == plan.steps:
            losses.read()
            how = (loss_function, network.stride_px, plan.precision, sampler.patch_slices)
            result = validate(judged, sampler.volumes, *how)
            _record(progress, judged, result, plan, time.perf_counter() - started)
            if watched:
                progress.history[-1] |= _columns(validate(judged, watched, *how))
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
    network: Network,
    batch: tuple[Tensor, Tensor],
    loss_function: Loss,
    optimizer: torch.optim.Optimizer,
    plan: TrainingPlan,
) -> Tensor:
    images, masks = batch
    images = images.contiguous(memory_format=memory_format(network))
    with torch.autocast(images.device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
        outputs = network.supervised(images)
    losses = [weight * loss_function(logits.float(), masks) for weight, logits in outputs]
    loss = torch.stack(losses).sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if plan.clip_norm:
        nn.utils.clip_grad_norm_(network.parameters(), plan.clip_norm)
    optimizer.step()
    return loss.detach()


class _Losses:
    """Losses that stay on the device until some are read at once."""

    def __init__(
        self, progress: Progress, plan: TrainingPlan, observer: Observer | None, at_once: int
    ) -> None:
        self._progress, self._plan, self._observer = progress, plan, observer
        self._at_once = at_once
        self._unread: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        """Take the loss of the step that the progress stands at."""
        self._unread.append(loss)
        if len(self._unread) == self._at_once:
            self.read()

    def read(self) -> None:
        """Check the losses, add them to the running one and tell the observer."""
        losses, self._unread = self._unread, []
        first = self._progress.step - len(losses) + 1
        for step, value in enumerate(torch.stack(losses).tolist() if losses else [], first):
            _check_finite(value, "training", self._plan)
            self._progress.running_loss += value
            if self._observer:
                self._observer.on_step(step, value)


def _columns(seen: Validation | None) -> dict[str, float]:
    """Give loss and IoU of each volume, by the names of their columns in a history."""
    volumes = seen.volumes if seen else ()
    losses = {f"{volume.name}_loss": volume.loss for volume in volumes}
    return losses | {f"{volume.name}_iou": volume.iou for volume in volumes}


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
