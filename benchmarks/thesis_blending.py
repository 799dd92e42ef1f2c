"""The thesis's smooth blending (6.3.13), written down as it is described: slow, and easy to check.

Every one of the eight flips and rotations of a slice is cut into windows of 256 pixels at a stride
of 128, each window goes through the network, and the probabilities are added up under a squared
spline window of mean 1. Mirrored padding of 128 pixels, and up to the next multiple of the stride,
so that every pixel lies under as many windows (the original fails on shapes that are no multiple).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal.windows import triang

__all__ = ["blended_prediction"]

WINDOW, STRIDE, BATCH = 256, 128, 8


def blended_prediction(
    probability_of: Callable[[torch.Tensor], torch.Tensor], image: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Predict one normalised slice (Y, X); `probability_of` maps (B, 1, 256, 256) to the same."""
    height, width = image.shape
    pad = [(STRIDE, STRIDE + -n % STRIDE) for n in image.shape]
    padded = np.pad(image, pad, mode="reflect")
    total = np.zeros_like(padded)
    for turns in range(4):
        for flipped in (False, True):
            view = np.rot90(padded[:, ::-1] if flipped else padded, turns)
            back = np.rot90(_blend(probability_of, np.ascontiguousarray(view)), -turns)
            total += back[:, ::-1] if flipped else back
    return total[STRIDE : STRIDE + height, STRIDE : STRIDE + width] / 8


def _blend(
    probability_of: Callable[[torch.Tensor], torch.Tensor], image: NDArray[np.float32]
) -> NDArray[np.float32]:
    window = _spline_window()
    corners = [
        (y, x)
        for y in range(0, image.shape[0] - WINDOW + 1, STRIDE)
        for x in range(0, image.shape[1] - WINDOW + 1, STRIDE)
    ]
    total = np.zeros_like(image)
    for start in range(0, len(corners), BATCH):
        some = corners[start : start + BATCH]
        patches = np.stack([image[y : y + WINDOW, x : x + WINDOW] for y, x in some])[:, None]
        for (y, x), patch in zip(some, probability_of(torch.from_numpy(patches)), strict=True):
            total[y : y + WINDOW, x : x + WINDOW] += patch[0].numpy() * window
    return total / (WINDOW // STRIDE) ** 2


def _spline_window(power: int = 2) -> NDArray[np.float32]:
    """Squared spline of mean 1 along each axis, and their outer product."""
    quarter = WINDOW // 4
    triangle = triang(WINDOW)
    outer = np.abs(2 * triangle) ** power / 2
    inner = 1 - np.abs(2 * (triangle - 1)) ** power / 2
    outer[quarter:-quarter] = 0
    inner[:quarter] = inner[-quarter:] = 0
    line = outer + inner
    line /= line.mean()
    return np.outer(line, line).astype(np.float32)
