"""Everything a training run needs to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from chondria.errors import FormatError

__all__ = ["Progress", "TrainingState", "load_checkpoint", "save_checkpoint"]


@dataclass(slots=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    step : int
        Optimizer steps done.
    best_score : float
        Highest value of the monitored figure so far (a loss counts negative).
    best_step : int
        The step that it was measured at.
    best_weights : dict of Tensor
        The network's state then.
    stale : int
        Validations since.
    running_loss : float
        Sum of the training loss since the last validation.
    history : list of dict
        One row a validation.
    """

    step: int = 0
    best_score: float = float("-inf")
    best_step: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    stale: int = 0
    running_loss: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TrainingState:
    """What changes with every step: network, optimizer, draws, and the average of the weights."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    average: nn.Module | None = None


def save_checkpoint(path: Path, state: TrainingState, progress: Progress) -> None:
    """Write weights, optimizer, random states and progress; renamed when whole."""
    stored = {
        "network": state.network.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "generator": state.generator.get_state(),
        "average": state.average.state_dict() if state.average else {},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "progress": asdict(progress),
    }
    temporary = path.with_name(f".{path.name}.part")
    torch.save(stored, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path, state: TrainingState) -> Progress:
    """Put everything back where it was.

    Raises
    ------
    FormatError
        If the file is damaged or of another network.
    """
    try:
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state.network.load_state_dict(stored["network"])
        state.optimizer.load_state_dict(stored["optimizer"])
        state.generator.set_state(stored["generator"])
        if state.average:
            state.average.load_state_dict(stored["average"])
        torch.set_rng_state(stored["torch"])
        if stored["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(stored["cuda"])
        return Progress(**stored["progress"])
    except Exception as error:
        raise FormatError(
            f"Cannot resume from {path}: it is damaged or of another network ({error}); start anew "
            "in another folder."
        ) from error
