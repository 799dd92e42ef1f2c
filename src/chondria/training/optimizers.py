"""Optimizers by name, and the learning rate as a function of the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch.nn import Parameter

from chondria.errors import SettingsError

__all__ = ["OptimizerKind", "ScheduleKind", "build_optimizer", "learning_rate"]

OptimizerKind = Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "adagrad"]
ScheduleKind = Literal["constant", "one_cycle"]

WARM_UP = 0.1  # share of the steps


def build_optimizer(
    kind: OptimizerKind,
    parameters: Iterable[Parameter],
    rate: float,
    momentum: float = 0.99,
    weight_decay: float = 0.01,
) -> torch.optim.Optimizer:
    """Build an optimizer.

    Parameters
    ----------
    kind : {"sgd", "nesterov", "adam", "adamw", "rmsprop", "adagrad"}
        Stochastic gradient descent with momentum (the thesis's default) or with Nesterov's; or
        those with adaptive rates (thesis 2.7).
    parameters : iterable of Parameter
        What is optimised.
    rate : float
        Learning rate.
    momentum : float
        For ``sgd`` and ``nesterov`` only.
    weight_decay : float
        For ``adamw`` only.

    Raises
    ------
    SettingsError
        If the kind is unknown.
    """
    match kind:
        case "sgd" | "nesterov":
            nesterov = kind == "nesterov"
            return torch.optim.SGD(
                parameters, lr=rate, momentum=momentum, nesterov=nesterov, fused=True
            )
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=weight_decay, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, lr=rate, alpha=0.9)  # 0.9 as in Keras
        case "adagrad":
            return torch.optim.Adagrad(parameters, lr=rate)
    allowed = ", ".join(get_args(OptimizerKind))
    raise SettingsError(f"Found the optimizer '{kind}'; allowed are {allowed}.")


def learning_rate(kind: ScheduleKind, step: int, steps: int, peak: float) -> float:
    """Learning rate of a step; a function of the step alone, so that a resumed run needs no state.

    ``one_cycle`` (Smith and Topin 2018, arXiv:1708.07120) climbs linearly over the first tenth of
    the steps from a twenty-fifth of the peak, then falls to zero along a cosine.

    Raises
    ------
    SettingsError
        If the kind is unknown.
    """
    if kind == "constant":
        return peak
    if kind != "one_cycle":
        raise SettingsError(f"Found the schedule '{kind}'; allowed are constant and one_cycle.")
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return peak * (0.04 + 0.96 * step / warm)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
