"""Flips, rotations, zoom and elastic deformation of a batch, drawn first and then applied.

All of them become one sampling grid, so that every patch is interpolated exactly once, image and
mask together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from chondria.data.augment import Augmentation
from chondria.data.draws import CPU, field_generator, gaussian_kernels, uniform

__all__ = ["Geometry", "apply_geometry", "sample_geometry", "window_px"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """What was drawn for a batch: linear maps (B, 2, 2) and displacements (B, P, P, 2) in pixels.

    The last axis is (x, y), as in `torch.nn.functional.grid_sample`.
    """

    matrix: Tensor
    displacement: Tensor | None


def window_px(patch_px: int, augmentation: Augmentation) -> int:
    """Side of the square that a transformed patch can reach into, in pixels."""
    reach = patch_px * (1.0 + augmentation.zoom)
    if augmentation.rotation == "free":
        reach *= math.sqrt(2.0)
    if augmentation.elastic_probability:
        reach += 8.0 * _elastic_deviation_px(augmentation)
    return patch_px if reach == patch_px else math.ceil(reach / 2.0) * 2 + 2


def sample_geometry(
    augmentation: Augmentation,
    batch: int,
    patch_px: int,
    generator: torch.Generator,
    device: torch.device = CPU,
) -> Geometry:
    """Draw the geometry of a batch; displacements on the device."""
    angle = torch.zeros(batch)
    if augmentation.rotation == "free":
        angle = uniform(batch, -math.pi, math.pi, generator)
    elif augmentation.rotation == "quarter":
        angle = torch.randint(0, 4, (batch,), generator=generator) * (math.pi / 2)
    scale = torch.exp(uniform(batch, -1, 1, generator) * math.log1p(augmentation.zoom))
    flip = torch.ones(batch, 2)
    if augmentation.flips:
        flip = torch.randint(0, 2, (batch, 2), generator=generator) * 2.0 - 1.0
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rotation = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2)
    matrix = rotation * flip[:, None, :] * scale[:, None, None]
    return Geometry(matrix, _sample_elastic(augmentation, batch, patch_px, generator, device))


def apply_geometry(windows: Tensor, geometry: Geometry, patch_px: int) -> Tensor:
    """Cut transformed patches out of the windows around them.

    Parameters
    ----------
    windows : Tensor, (B, C, W, W)
        Float pixels; the patch's centre is the window's centre.
    geometry : Geometry
        What `sample_geometry` drew.
    patch_px : int
        Side of the patches.

    Returns
    -------
    Tensor, (B, C, patch_px, patch_px)
        Bilinear interpolation of the windows.
    """
    device = windows.device
    axis = torch.arange(patch_px, device=device, dtype=torch.float32) - (patch_px - 1) / 2
    y, x = axis[:, None], axis[None, :]
    if geometry.displacement is not None:
        dx, dy = geometry.displacement.to(device).unbind(-1)
        y, x = y + dy, x + dx
    # align_corners: -1 and 1 are the centres of the first and last pixel.
    matrix = geometry.matrix.to(device) / ((windows.shape[-1] - 1) / 2)
    # Written out: a product of 2x2 matrices with every pixel is slow as a matrix product.
    rows = [[matrix[:, i, j, None, None] for j in range(2)] for i in range(2)]
    grid = torch.stack([by_x * x + by_y * y for by_x, by_y in rows], -1)
    return functional.grid_sample(windows, grid, padding_mode="border", align_corners=True)


def _elastic_deviation_px(augmentation: Augmentation) -> float:
    """Standard deviation of a displacement: uniform noise smoothed in 2-D, times the amplitude."""
    smoothed = 3**-0.5 / (2 * math.sqrt(math.pi) * augmentation.elastic_sigma)
    return smoothed * augmentation.elastic_alpha


def _sample_elastic(
    augmentation: Augmentation,
    batch: int,
    patch_px: int,
    generator: torch.Generator,
    device: torch.device,
) -> Tensor | None:
    """Draw Simard's displacement fields: smoothed uniform noise, zero for the patches left out."""
    if not augmentation.elastic_probability:
        return None
    drawn = torch.rand(batch, generator=generator) < augmentation.elastic_probability
    deformed = drawn.nonzero()[:, 0].to(device)
    fields, shape = field_generator(generator, device), (batch, 2, patch_px, patch_px)
    # Drawn for all patches, so that what follows does not depend on how many are deformed.
    noise = torch.rand(shape, generator=fields, device=device)[deformed] * 2 - 1
    smoothing = _smoothing_matrix(augmentation.elastic_sigma * patch_px, patch_px).to(device)
    smooth = smoothing @ noise @ smoothing.T
    field = torch.zeros(batch, patch_px, patch_px, 2, device=device)
    field[deformed] = smooth.permute(0, 2, 3, 1) * (augmentation.elastic_alpha * patch_px)
    return field


@lru_cache(maxsize=8)
def _smoothing_matrix(sigma_px: float, n: int) -> Tensor:
    """Mirrored Gaussian smoothing of n values as a matrix (n, n); for wide kernels, far faster."""
    kernel = gaussian_kernels(torch.tensor([sigma_px]))[:, None]
    radius = kernel.shape[-1] // 2
    mirrored = functional.pad(torch.eye(n)[:, None], (radius, radius), mode="reflect")
    return functional.conv1d(mirrored, kernel)[:, 0].T.contiguous()
