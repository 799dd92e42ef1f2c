"""What patches draw with: random numbers and fields, Gaussian kernels; and how they reach a GPU."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["CPU", "field_generator", "gaussian_kernels", "sent", "uniform"]

CPU = torch.device("cpu")


def uniform(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw one number (B,) from a range for each patch of a batch."""
    return torch.rand(batch, generator=generator) * (high - low) + low


def field_generator(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Give what draws a value for every pixel, on the device where the pixels are.

    Elsewhere than on the CPU it is seeded by a draw, so that the state of `generator` stays all
    that a run has to store.
    """
    if device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Send a few numbers to the device without waiting for what it still computes."""
    return values.to(device, non_blocking=True)


def gaussian_kernels(sigma_px: Tensor) -> Tensor:
    """Normalised kernels (B, K), wide enough for the largest sigma."""
    radius = math.ceil(3 * float(sigma_px.max()))
    at = torch.arange(-radius, radius + 1, device=sigma_px.device)
    kernel = torch.exp(-0.5 * (at[None] / sigma_px[:, None]).square())
    return kernel / kernel.sum(1, keepdim=True)
