"""Images made up for trying a classifier out: printed digits, and discs and boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["made_up_digits", "made_up_pictures"]

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]

DIGIT_PX = 28


def made_up_digits(count: int, seed: int) -> Arrays:
    """Print digits, one after the other, each somewhat shifted and in noise.

    Returns
    -------
    tuple
        Images (N, 28, 28) and the digit of each, (N,).
    """
    from PIL import Image, ImageDraw, ImageFont

    random = np.random.default_rng(seed)
    font = ImageFont.load_default(22)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = []
    for digit in labels:
        canvas = Image.new("L", (DIGIT_PX, DIGIT_PX))
        x, y = random.integers(5, 10), random.integers(-2, 3)
        ImageDraw.Draw(canvas).text((int(x), int(y)), str(digit), fill=255, font=font)
        images.append(_in_noise(np.asarray(canvas), random))
    return np.stack(images), labels


def made_up_pictures(count: int, shape_yx: tuple[int, int], seed: int) -> Arrays:
    """Draw discs and boxes in turn, each of some colour, size and place, in noise.

    Returns
    -------
    tuple
        Images (N, Y, X, 3) and the class of each, (N,): 0 for a disc.
    """
    random = np.random.default_rng(seed)
    height, width = shape_yx
    y, x = np.mgrid[:height, :width]
    labels = (np.arange(count) % 2).astype(np.uint8)
    images = []
    for label in labels:
        radius = random.uniform(0.15, 0.3) * min(shape_yx)
        dy, dx = (
            np.abs(axis - random.uniform(0.35, 0.65) * n) for axis, n in ((y, height), (x, width))
        )
        inside = np.maximum(dy, dx) < radius if label else np.hypot(dy, dx) < radius
        colour = random.uniform(80, 255, 3)
        images.append(_in_noise(inside[..., None] * colour, random))
    return np.stack(images), labels


def _in_noise(image: NDArray[Any], random: np.random.Generator) -> NDArray[np.uint8]:
    noisy = image + random.normal(0, 20, image.shape)
    return noisy.round().clip(0, 255).astype(np.uint8)
