"""How to train: steps, loss, optimizer, precision; checked before anything begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from chondria.errors import SettingsError
from chondria.training.losses import LossKind, make_loss
from chondria.training.optimizers import OptimizerKind, ScheduleKind

__all__ = ["TrainingPlan"]

Monitor = Literal["iou", "loss"]

CHOICES: dict[str, tuple[str, ...]] = {
    "monitor": get_args(Monitor),
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
        Validations without a better one before stopping early; 0 never stops. At most as many as
        the run has.
    monitor : {"iou", "loss"}
        The validation figure that decides which weights are best.
    loss, optimizer, schedule : str
        Names; see `losses` and `optimizers`.
    class_weights : tuple of float
        Of background and mitochondrion, in the cross-entropy (thesis 6.3.2).
    boundary_weight : float
        Of the cross-entropy of outlines, for a network whose second channel they are; 0 where it
        has none.
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
        If there is no step to do, patience could never end, a decay is none, or a name is unknown.
    """

    steps: int
    validate_every: int = 200
    patience: int = 0
    monitor: Monitor = "iou"
    loss: LossKind = "bce_dice"
    class_weights: tuple[float, float] = (1.0, 1.0)
    boundary_weight: float = 0.0
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
        validations = -(-self.steps // self.validate_every)
        if self.patience > validations:
            raise SettingsError(
                f"Found a patience of {self.patience} validations, but a run of {self.steps} steps "
                f"with one every {self.validate_every} has only {validations}; lower the patience "
                "(0 never stops early) or train longer."
            )
        if not 0 <= self.ema_decay < 1:
            raise SettingsError(f"Found ema_decay {self.ema_decay}; it must be in [0, 1).")
        make_loss(self.loss, self.class_weights)
        for name, kinds in CHOICES.items():
            if (found := getattr(self, name)) not in kinds:
                raise SettingsError(f"Found {name} '{found}'; allowed are {', '.join(kinds)}.")
