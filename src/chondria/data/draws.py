"""What geometry and intensity both draw with: uniform numbers and Gaussian kernels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["gaussian_kernels", "uniform"]


def uniform(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw one number (B,) from a range for each patch of a batch."""
    return torch.rand(batch, generator=generator) * (high - low) + low


def gaussian_kernels(sigma_px: Tensor) -> Tensor:
    """Normalised kernels (B, K), wide enough for the largest sigma."""
    radius = math.ceil(3 * float(sigma_px.max()))
    at = torch.arange(-radius, radius + 1, device=sigma_px.device)
    kernel = torch.exp(-0.5 * (at[None] / sigma_px[:, None]).square())
    return kernel / kernel.sum(1, keepdim=True)
