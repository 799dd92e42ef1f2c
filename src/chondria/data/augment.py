"""Augmentation in batch on the device: sample parameters first, then apply them deterministically.

Geometry (flips, rotations, zoom, elastic deformation) becomes one sampling grid, so that every
patch is interpolated exactly once, image and mask together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from chondria.errors import SettingsError

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Geometry",
    "Intensity",
    "apply_geometry",
    "apply_intensity",
    "sample_geometry",
    "sample_intensity",
    "window_px",
]


# Smallest and largest of each number; those not named may be any from zero on. A smoothing kernel
# is cut at three deviations and has to fit into the mirrored patch.
RANGES: dict[str, tuple[float, float]] = {
    "elastic_probability": (0.0, 1.0),
    "elastic_sigma": (0.01, 0.3),
    "blur_px": (0.0, 5.0),
}


def _check_range(name: str, value: object) -> None:
    low, high = RANGES.get(name, (0.0, math.inf))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and low <= value <= high):  # type: ignore[arg-type, operator]
        limits = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
        raise SettingsError(f"Found the augmentation {name} '{value}'; give a number {limits}.")


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges that random transforms are drawn from; the defaults change nothing.

    Attributes
    ----------
    flips : bool
        Mirror along y and x, each with probability one half.
    rotation : {"none", "quarter", "free"}
        Multiples of 90 degrees, or any angle with mirror fill.
    zoom : float
        Scale drawn log-uniformly from 1 / (1 + zoom) to 1 + zoom.
    elastic_probability : float
        Share of patches that are deformed (thesis 6.3.7).
    elastic_alpha, elastic_sigma : float
        Simard et al. (2003): displacement amplitude and smoothness as shares of the patch width.
    contrast, brightness : float
        Factor from 1 - c to 1 + c; offset from -b to b, in standard deviations of the image.
    gamma : float
        Bend of the grey scale, from -gamma to gamma.
    noise : float
        Largest standard deviation of added Gaussian noise, in standard deviations of the image.
    blur_px : float
        Largest standard deviation of a Gaussian blur in pixels, for half of the patches.

    Raises
    ------
    SettingsError
        If a value is of another kind or out of bounds.
    """

    flips: bool = False
    rotation: str = "none"
    zoom: float = 0.0
    elastic_probability: float = 0.0
    elastic_alpha: float = 2.0
    elastic_sigma: float = 0.08
    contrast: float = 0.0
    brightness: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0
    blur_px: float = 0.0

    def __post_init__(self) -> None:
        if self.rotation not in ("none", "quarter", "free"):
            raise SettingsError(
                f"Found the rotation '{self.rotation}'; allowed are none, quarter and free."
            )
        if not isinstance(self.flips, bool):
            raise SettingsError(f"Found flips '{self.flips}'; allowed are true and false.")
        for item in fields(self):
            if item.name not in ("flips", "rotation"):
                _check_range(item.name, getattr(self, item.name))


# `keras` and `custom` are the thesis's two sets (6.3.1, 6.3.7); `em` is what our models train with.
AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "keras": Augmentation(flips=True, rotation="free"),
    "custom": Augmentation(flips=True, rotation="quarter", elastic_probability=0.4),
    "em": Augmentation(
        flips=True,
        rotation="free",
        zoom=0.25,
        elastic_probability=0.3,
        elastic_alpha=1.0,
        contrast=0.3,
        brightness=0.3,
        gamma=0.2,
        noise=0.25,
        blur_px=1.0,
    ),
}


@dataclass(frozen=True, slots=True)
class Geometry:
    """What was drawn for a batch: linear maps (B, 2, 2) and displacements (B, P, P, 2) in pixels.

    The last axis is (x, y), as in `torch.nn.functional.grid_sample`.
    """

    matrix: Tensor
    displacement: Tensor | None


@dataclass(frozen=True, slots=True)
class Intensity:
    """What was drawn for a batch; one value a patch (B,), and unit noise (B, 1, P, P)."""

    contrast: Tensor
    brightness: Tensor
    gamma: Tensor
    noise_deviation: Tensor
    noise: Tensor | None
    blur_px: Tensor


def window_px(patch_px: int, augmentation: Augmentation) -> int:
    """Side of the square that a transformed patch can reach into, in pixels."""
    reach = patch_px * (1.0 + augmentation.zoom)
    if augmentation.rotation == "free":
        reach *= math.sqrt(2.0)
    if augmentation.elastic_probability:
        reach += 8.0 * _elastic_deviation_px(augmentation)
    return patch_px if reach == patch_px else math.ceil(reach / 2.0) * 2 + 2


def sample_geometry(
    augmentation: Augmentation, batch: int, patch_px: int, generator: torch.Generator
) -> Geometry:
    """Draw the geometry of a batch."""
    angle = torch.zeros(batch)
    if augmentation.rotation == "free":
        angle = _uniform(batch, -math.pi, math.pi, generator)
    elif augmentation.rotation == "quarter":
        angle = torch.randint(0, 4, (batch,), generator=generator) * (math.pi / 2)
    scale = torch.exp(_uniform(batch, -1, 1, generator) * math.log1p(augmentation.zoom))
    flip = torch.ones(batch, 2)
    if augmentation.flips:
        flip = torch.randint(0, 2, (batch, 2), generator=generator) * 2.0 - 1.0
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rotation = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2)
    matrix = rotation * flip[:, None, :] * scale[:, None, None]
    return Geometry(matrix, _sample_elastic(augmentation, batch, patch_px, generator))


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


def sample_intensity(
    augmentation: Augmentation, batch: int, patch_px: int, generator: torch.Generator
) -> Intensity:
    """Draw the intensity changes of a batch."""
    a = augmentation
    noise = None
    if a.noise:
        noise = torch.randn(batch, 1, patch_px, patch_px, generator=generator)
    blurred = torch.randint(0, 2, (batch,), generator=generator)
    return Intensity(
        contrast=_uniform(batch, 1 - a.contrast, 1 + a.contrast, generator),
        brightness=_uniform(batch, -a.brightness, a.brightness, generator),
        gamma=_uniform(batch, -a.gamma, a.gamma, generator),
        noise_deviation=_uniform(batch, 0, a.noise, generator),
        noise=noise,
        blur_px=_uniform(batch, 0, a.blur_px, generator) * blurred,
    )


def apply_intensity(images: Tensor, intensity: Intensity) -> Tensor:
    """Blur, bend, stretch, shift and add noise to normalised images (B, 1, Y, X)."""

    def per_patch(values: Tensor) -> Tensor:
        return values.to(images.device)[:, None, None, None]

    blurred = intensity.blur_px.nonzero()[:, 0]
    if len(blurred):
        where = blurred.to(images.device)
        sharp, sigma_px = images[where], intensity.blur_px[blurred].to(images.device)
        images = images.index_copy(0, where, _blur(sharp, sigma_px))
    # A gamma-like bend for signed values: dark and bright ends move against the middle.
    bent = images + per_patch(intensity.gamma) * (images.clamp(-3, 3).square() - 1) / 2
    images = bent * per_patch(intensity.contrast) + per_patch(intensity.brightness)
    if intensity.noise is not None:
        images = images + intensity.noise.to(images.device) * per_patch(intensity.noise_deviation)
    return images


def _uniform(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(batch, generator=generator) * (high - low) + low


def _elastic_deviation_px(augmentation: Augmentation) -> float:
    """Standard deviation of a displacement: uniform noise smoothed in 2-D, times the amplitude."""
    smoothed = 3**-0.5 / (2 * math.sqrt(math.pi) * augmentation.elastic_sigma)
    return smoothed * augmentation.elastic_alpha


def _sample_elastic(
    augmentation: Augmentation, batch: int, patch_px: int, generator: torch.Generator
) -> Tensor | None:
    """Draw Simard's displacement fields: smoothed uniform noise, zero for the patches left out."""
    if not augmentation.elastic_probability:
        return None
    deformed = torch.rand(batch, generator=generator) < augmentation.elastic_probability
    # Drawn for all patches, so that what follows does not depend on how many are deformed.
    noise = torch.rand(batch, 2, patch_px, patch_px, generator=generator)[deformed] * 2 - 1
    smoothing = _smoothing_matrix(augmentation.elastic_sigma * patch_px, patch_px)
    smooth = smoothing @ noise @ smoothing.T
    field = torch.zeros(batch, patch_px, patch_px, 2)
    field[deformed] = smooth.permute(0, 2, 3, 1) * (augmentation.elastic_alpha * patch_px)
    return field


@lru_cache(maxsize=8)
def _smoothing_matrix(sigma_px: float, n: int) -> Tensor:
    """Mirrored Gaussian smoothing of n values as a matrix (n, n); for wide kernels, far faster."""
    kernel = _gaussian(torch.tensor([sigma_px]))[:, None]
    radius = kernel.shape[-1] // 2
    mirrored = functional.pad(torch.eye(n)[:, None], (radius, radius), mode="reflect")
    return functional.conv1d(mirrored, kernel)[:, 0].T.contiguous()


def _blur(images: Tensor, sigma_px: Tensor) -> Tensor:
    return _convolve(images, _gaussian(sigma_px.clamp(min=0.05)))


def _gaussian(sigma_px: Tensor) -> Tensor:
    """Normalised kernels (B, K), wide enough for the largest sigma."""
    radius = math.ceil(3 * float(sigma_px.max()))
    at = torch.arange(-radius, radius + 1, device=sigma_px.device)
    kernel = torch.exp(-0.5 * (at[None] / sigma_px[:, None]).square())
    return kernel / kernel.sum(1, keepdim=True)


def _convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolve each image (B, 1, Y, X) with its own kernel (B, K), along y and x, mirrored."""
    batch, radius = images.shape[0], kernels.shape[1] // 2
    stacked = images.transpose(0, 1)
    for axis, pad in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        shape = [batch, 1, 1, 1]
        shape[axis] = kernels.shape[1]
        mirrored = functional.pad(stacked, pad, mode="reflect")
        stacked = functional.conv2d(mirrored, kernels.reshape(shape), groups=batch)
    return stacked.transpose(0, 1)
