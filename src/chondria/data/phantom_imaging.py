"""The microscope: from the density of a section to 8-bit grey values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.data.phantom_style import PhantomStyle

__all__ = ["image_section"]


def image_section(
    density: NDArray[np.float32],
    pixel_nm: tuple[float, float],
    style: PhantomStyle,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Blur a section, add noise and drift, and give it 8 bits.

    Parameters
    ----------
    density : ndarray, (rows, columns)
        Staining, 0 for empty resin, about 1 for a membrane.
    pixel_nm : tuple of float
        Edge lengths (y, x) of a pixel.
    style : PhantomStyle
        Grey levels, blur and noise.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray, (rows, columns)
        Grey values, bright where nothing is stained.
    """
    sigma = [style.psf_nm / pixel for pixel in pixel_nm]
    blurred = ndimage.gaussian_filter(density, sigma, mode="nearest", truncate=3.0)
    contrast = np.float32(style.white_level - style.black_level)
    grey = np.float32(style.white_level) - contrast * blurred
    grey += _drift(grey.shape, rng) * np.float32(style.illumination_sd)
    # Counting electrons: the variance grows with the signal.
    shot = np.sqrt(np.maximum(grey, 8) / np.float32(128)) * np.float32(style.noise_sd)
    grey += shot * rng.standard_normal(grey.shape, np.float32)
    grain = ndimage.gaussian_filter(rng.standard_normal(grey.shape, np.float32), 0.8)
    # 2 * sigma * sqrt(pi) restores the standard deviation that the blur took away.
    grey += np.float32(style.grain_sd * 2 * 0.8 * np.sqrt(np.pi)) * grain
    image: NDArray[np.uint8] = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return image


def _drift(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Slow brightness field: an offset and a gentle surface, standard deviation about 1."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    a = rng.standard_normal(6).astype(np.float32)
    surface = a[1] * y[:, None] + a[2] * x + a[3] * y[:, None] * x
    surface = (
        surface + a[4] * (y[:, None] ** 2 - np.float32(0.33)) + a[5] * (x**2 - np.float32(0.33))
    )
    drift: NDArray[np.float32] = np.float32(0.6) * (a[0] + surface)
    return drift
