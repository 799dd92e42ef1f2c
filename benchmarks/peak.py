"""What a processor can do at most: products of large matrices; and what a network asks of it."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["flops_per_pixel", "matrix_products", "peak_flops", "training_flops_per_pixel"]

PRODUCTS = 4
SIDES = {"cpu": 2048, "cuda": 8192, "mps": 4096}
PROBE_PX = 256


def matrix_products(precision: str, device: torch.device) -> None:
    """Multiply matrices of ones; time it, and `peak_flops` knows the rest."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    side = SIDES[device.type]
    square = torch.ones(side, side, dtype=dtype, device=device)
    for _ in range(PRODUCTS):
        square @ square


def peak_flops(seconds: float, device: torch.device) -> float:
    """Floating-point operations a second, of `matrix_products` that took so long."""
    return float(PRODUCTS * 2 * SIDES[device.type] ** 3 / seconds)


def flops_per_pixel(network: nn.Module) -> float:
    """Operations of a forward pass."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(_probe(network))
    return counter.get_total_flops() / PROBE_PX**2


def training_flops_per_pixel(network: nn.Module) -> float:
    """Operations of a forward and a backward pass."""
    with FlopCounterMode(display=False) as counter:
        network(_probe(network)).sum().backward()
    network.zero_grad(set_to_none=True)
    return counter.get_total_flops() / PROBE_PX**2


def _probe(network: nn.Module) -> torch.Tensor:
    return torch.zeros(1, 1, PROBE_PX, PROBE_PX, device=next(network.parameters()).device)
