"""Contrast, brightness, gamma, blur and noise of a batch, drawn first and then applied."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from chondria.data.augment import Augmentation
from chondria.data.draws import CPU, field_generator, gaussian_kernels, sent, uniform

__all__ = ["Intensity", "apply_intensity", "sample_intensity"]


@dataclass(frozen=True, slots=True)
class Intensity:
    """What was drawn for a batch; one value a patch (B,), and unit noise (B, slices, Y, X)."""

    contrast: Tensor
    brightness: Tensor
    gamma: Tensor
    noise_deviation: Tensor
    noise: Tensor | None
    blur_px: Tensor


def sample_intensity(
    augmentation: Augmentation,
    batch: int,
    shape: tuple[int, int],
    generator: torch.Generator,
    device: torch.device = CPU,
    slices: int = 1,
) -> Intensity:
    """Draw the intensity changes of a batch of patches (Y, X).

    The noise, of every slice its own, is drawn on the device.
    """
    a = augmentation
    noise = None
    if a.noise:
        fields = field_generator(generator, device)
        noise = torch.randn((batch, slices, *shape), generator=fields, device=device)
    blurred = torch.randint(0, 2, (batch,), generator=generator)
    return Intensity(
        contrast=uniform(batch, 1 - a.contrast, 1 + a.contrast, generator),
        brightness=uniform(batch, -a.brightness, a.brightness, generator),
        gamma=uniform(batch, -a.gamma, a.gamma, generator),
        noise_deviation=uniform(batch, 0, a.noise, generator),
        noise=noise,
        blur_px=uniform(batch, 0, a.blur_px, generator) * blurred,
    )


def apply_intensity(images: Tensor, intensity: Intensity) -> Tensor:
    """Blur, bend, stretch, shift and add noise to normalised images (B, slices, Y, X)."""

    def per_patch(values: Tensor) -> Tensor:
        return sent(values, images.device)[:, None, None, None]

    blurred = intensity.blur_px.nonzero()[:, 0]
    if len(blurred):
        where = sent(blurred, images.device)
        # Made where the numbers are: their largest decides the shape.
        kernels = sent(gaussian_kernels(intensity.blur_px[blurred].clamp(min=0.05)), images.device)
        images = images.index_copy(0, where, _convolve(images[where], kernels))
    # A gamma-like bend for signed values: dark and bright ends move against the middle.
    bent = images + per_patch(intensity.gamma) * (images.clamp(-3, 3).square() - 1) / 2
    images = bent * per_patch(intensity.contrast) + per_patch(intensity.brightness)
    if intensity.noise is not None:
        images = images + intensity.noise * per_patch(intensity.noise_deviation)
    return images


def _convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolve each patch (B, slices, Y, X) with its kernel (B, K), along y and x, mirrored."""
    batch, radius = images.shape[0], kernels.shape[1] // 2
    stacked = images.transpose(0, 1)
    for axis, pad in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        shape = [batch, 1, 1, 1]
        shape[axis] = kernels.shape[1]
        mirrored = functional.pad(stacked, pad, mode="reflect")
        stacked = functional.conv2d(mirrored, kernels.reshape(shape), groups=batch)
    return stacked.transpose(0, 1)
