"""The thesis's smooth blending (6.3.13), as it was published: slow, and easy to check.

It follows `predict_img_with_smooth_windowing` with two subdivisions of
https://github.com/Vooban/Smoothly-Blend-Image-Patches step by step: the padded slice is flipped and
rotated to eight images, each of which is cut into windows of 256 pixels at a stride of 128; the
windows go through the network, are weighted by a squared spline of mean 1 and added up in float64,
and the eight images, turned back, are averaged. It leaves out what only made that code slower
(collecting garbage five times for each image), and one thing is mended: beyond the mirrored 128
pixels, a slice is padded to the next multiple of the stride, so that every pixel lies under as many
windows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal.windows import triang

__all__ = ["WINDOW", "blended_prediction"]

WINDOW, STRIDE = 256, 128
SUBDIVISIONS = WINDOW // STRIDE

Probability = Callable[[torch.Tensor], torch.Tensor]


def blended_prediction(
    probability_of: Probability, image: NDArray[np.floating], batch: int = 1
) -> NDArray[np.float64]:
    """Predict one normalised slice (Y, X); `probability_of` maps (B, 1, 256, 256) to the same."""
    height, width = image.shape
    pad = [(STRIDE, STRIDE + -n % STRIDE) for n in image.shape]
    padded = np.pad(image, pad, mode="reflect")
    blended = []
    for flipped in (False, True):
        for turns in range(4):
            view = np.rot90(padded[:, ::-1] if flipped else padded, turns)
            back = np.rot90(_blend(probability_of, np.ascontiguousarray(view), batch), -turns)
            blended.append(back[:, ::-1] if flipped else back)
    mean: NDArray[np.float64] = np.mean(blended, axis=0)
    return mean[STRIDE : STRIDE + height, STRIDE : STRIDE + width]


def _blend(
    probability_of: Probability, image: NDArray[np.floating], batch: int
) -> NDArray[np.float64]:
    window = _spline_window()
    corners = [
        (y, x)
        for y in range(0, image.shape[0] - WINDOW + 1, STRIDE)
        for x in range(0, image.shape[1] - WINDOW + 1, STRIDE)
    ]
    patches = np.array([image[y : y + WINDOW, x : x + WINDOW] for y, x in corners])
    predicted = np.concatenate(
        [
            probability_of(torch.from_numpy(patches[start : start + batch, None])).numpy()
            for start in range(0, len(corners), batch)
        ]
    )
    weighted = np.array([patch[0] * window for patch in predicted])
    total = np.zeros(image.shape)
    for (y, x), patch in zip(corners, weighted, strict=True):
        total[y : y + WINDOW, x : x + WINDOW] += patch
    return total / SUBDIVISIONS**2


def _spline_window(power: int = 2) -> NDArray[np.float64]:
    """Squared spline of mean 1 along each axis, and their outer product."""
    quarter = WINDOW // 4
    triangle = triang(WINDOW)
    outer = np.abs(2 * triangle) ** power / 2
    inner = 1 - np.abs(2 * (triangle - 1)) ** power / 2
    outer[quarter:-quarter] = 0
    inner[:quarter] = inner[-quarter:] = 0
    line = outer + inner
    line /= line.mean()
    window: NDArray[np.float64] = np.outer(line, line)
    return window
