"""Flips, rotations, zoom and elastic deformation of a batch, drawn first and then applied.

All of them become one sampling grid, so that every patch is interpolated exactly once, image and
mask together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from chondria.data.augment import Augmentation
from chondria.data.draws import CPU, field_generator, gaussian_kernels, sent, uniform
from chondria.errors import SettingsError

__all__ = ["Geometry", "apply_geometry", "sample_geometry", "window_shape"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """What was drawn for a batch: linear maps (B, 2, 2) and displacements (B, Y, X, 2) in pixels.

    The last axis is (x, y), as in `torch.nn.functional.grid_sample`.
    """

    matrix: Tensor
    displacement: Tensor | None


def window_shape(shape: tuple[int, int], augmentation: Augmentation) -> tuple[int, int]:
    """Height and width, in pixels, that transformed patches of a shape can reach into.

    Raises
    ------
    SettingsError
        If patches that are no squares should be turned by quarters.
    """
    height, width = shape
    if augmentation.rotation == "quarter" and height != width:
        raise SettingsError(
            f"Found patches of {height}x{width} pixels and quarter turns, which only squares can "
            "take; choose augmentation.change.rotation=half."
        )
    zoom, beyond = 1.0 + augmentation.zoom, 0.0
    reach = [height * zoom, width * zoom]
    if augmentation.rotation == "free":
        reach = [math.hypot(height, width) * zoom] * 2
    if augmentation.elastic_probability:
        beyond = 8.0 * _elastic_deviation_px(augmentation)
    rows, columns = (_window_px(n, far + beyond) for n, far in zip(shape, reach, strict=True))
    return rows, columns


def _window_px(n: int, reach: float) -> int:
    """Length of a window, odd where the patch's is, so that their middles are the same."""
    return n if reach == n else math.ceil(reach / 2.0) * 2 + 2 + n % 2


def sample_geometry(
    augmentation: Augmentation,
    batch: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Geometry:
    """Draw the geometry of a batch of patches (Y, X); displacements on the device."""
    angle = torch.zeros(batch)
    if augmentation.rotation == "free":
        angle = uniform(batch, -math.pi, math.pi, generator)
    elif augmentation.rotation == "half":
        angle = torch.randint(0, 2, (batch,), generator=generator) * math.pi
    elif augmentation.rotation == "quarter":
        angle = torch.randint(0, 4, (batch,), generator=generator) * (math.pi / 2)
    scale = torch.exp(uniform(batch, -1, 1, generator) * math.log1p(augmentation.zoom))
    flip = torch.ones(batch, 2)
    if augmentation.flips:
        flip = torch.randint(0, 2, (batch, 2), generator=generator) * 2.0 - 1.0
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rotation = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2)
    matrix = rotation * flip[:, None, :] * scale[:, None, None]
    return Geometry(matrix, _sample_elastic(augmentation, batch, shape, generator, device))


def apply_geometry(windows: Tensor, geometry: Geometry, shape: tuple[int, int]) -> Tensor:
    """Cut transformed patches out of the windows around them.

    Parameters
    ----------
    windows : Tensor, (B, C, V, W)
        Float pixels; the patch's centre is the window's centre.
    geometry : Geometry
        What `sample_geometry` drew.
    shape : tuple of int
        Height and width of the patches.

    Returns
    -------
    Tensor, (B, C, Y, X)
        Bilinear interpolation of the windows.
    """
    device = windows.device
    axes = [torch.arange(n, device=device, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    y, x = axes[0][:, None], axes[1][None, :]
    if geometry.displacement is not None:
        dx, dy = sent(geometry.displacement, device).unbind(-1)
        y, x = y + dy, x + dx
    matrix = sent(geometry.matrix, device)
    # align_corners: -1 and 1 are the centres of the first and last pixel.
    halves = [(n - 1) / 2 for n in reversed(windows.shape[-2:])]
    # Written out: a product of 2x2 matrices with every pixel is slow as a matrix product.
    rows = [[matrix[:, i, j, None, None] / halves[i] for j in range(2)] for i in range(2)]
    grid = torch.stack([by_x * x + by_y * y for by_x, by_y in rows], -1)
    return functional.grid_sample(windows, grid, padding_mode="border", align_corners=True)


def _elastic_deviation_px(augmentation: Augmentation) -> float:
    """Standard deviation of a displacement: uniform noise smoothed in 2-D, times the amplitude."""
    smoothed = 3**-0.5 / (2 * math.sqrt(math.pi) * augmentation.elastic_sigma)
    return smoothed * augmentation.elastic_alpha


def _sample_elastic(
    augmentation: Augmentation,
    batch: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    device: torch.device,
) -> Tensor | None:
    """Draw Simard's displacement fields: smoothed uniform noise, zero for the patches left out."""
    if not augmentation.elastic_probability:
        return None
    drawn = torch.rand(batch, generator=generator) < augmentation.elastic_probability
    deformed = sent(drawn.nonzero()[:, 0], device)
    fields, width = field_generator(generator, device), shape[1]
    # Drawn for all patches, so that what follows does not depend on how many are deformed.
    noise = torch.rand((batch, 2, *shape), generator=fields, device=device)[deformed] * 2 - 1
    sigma_px = augmentation.elastic_sigma * width
    along_y, along_x = (_smoothing_matrix(sigma_px, n, device) for n in shape)
    smooth = along_y @ noise @ along_x.T
    field = torch.zeros(batch, *shape, 2, device=device)
    field[deformed] = smooth.permute(0, 2, 3, 1) * (augmentation.elastic_alpha * width)
    return field


@lru_cache(maxsize=8)
def _smoothing_matrix(sigma_px: float, n: int, device: torch.device) -> Tensor:
    """Mirrored Gaussian smoothing of n values as a matrix (n, n); for wide kernels, far faster."""
    kernel = gaussian_kernels(torch.tensor([sigma_px]))[:, None]
    radius = kernel.shape[-1] // 2
    # NumPy mirrors as often as it takes: a low patch's kernel can be longer than its columns.
    mirrored = np.pad(np.eye(n, dtype=np.float32), ((0, 0), (radius, radius)), mode="reflect")
    smoothed = functional.conv1d(torch.from_numpy(mirrored)[:, None], kernel)[:, 0]
    return smoothed.T.contiguous().to(device)
