"""The thesis's smooth blending (6.3.13): overlapping windows, faded into each other by a spline.

Windows overlap by half of their width along each axis, and each weighs most in its middle: what a
network says of a window's border, where it knows half of the surroundings, hardly counts. It is
the method of https://github.com/Vooban/Smoothly-Blend-Image-Patches with two subdivisions, on a
grid that covers slices of any shape: the published one leaves out pixels of those whose sides are
no multiples of half a window. Both ends of the grid lie on it, so that the eight flips and
rotations of the padded slice consist of those of its windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError
from chondria.io.slabs import ArraySink
from chondria.tiling import Tile

__all__ = ["WINDOW_STEP_PX", "BlendedSlices", "check_window", "spline_window", "window_grid"]

# Windows are halved by the overlap and by the spline, and pooled by networks.
WINDOW_STEP_PX = 16


def check_window(window_px: int, stride_px: int = WINDOW_STEP_PX) -> None:
    """Refuse a width of windows that cannot be halved and pooled.

    Raises
    ------
    SettingsError
        If it is no multiple of the stride above zero.
    """
    if window_px < 1 or window_px % stride_px:
        raise SettingsError(
            f"Found blending windows of {window_px} px; their width must be a multiple of "
            f"{stride_px} px, such as 256."
        )


def spline_window(window_px: int) -> NDArray[np.float64]:
    """Compute the weights of a window along one axis: a squared spline of mean 1.

    Parameters
    ----------
    window_px : int
        Width of the window, a multiple of 4.

    Returns
    -------
    ndarray of float64, (window_px,)
        Of a triangle ``t``: ``2 t^2`` up to a half, and then ``1 - 2 (t - 1)^2``. The weights of
        windows that lie half of their width apart add up to 2 at every pixel.
    """
    from scipy.signal.windows import triang

    triangle = triang(window_px)
    line: NDArray[np.float64] = np.where(
        triangle < 0.5, 2 * triangle**2, 1 - 2 * (triangle - 1) ** 2
    )
    line /= line.mean()
    return line


def window_grid(shape_yx: tuple[int, int], window_px: int) -> list[Tile]:
    """Lay windows over a slice so that two along each axis lie over every pixel.

    Parameters
    ----------
    shape_yx : tuple of int
        Number of pixels (y, x) of the slice.
    window_px : int
        Width of the square windows, an even number.

    Returns
    -------
    list of Tile
        In order of rows, then columns, from half a window before the slice to at least half a
        window beyond it. What they write overlaps (`BlendedSlices`).
    """
    axes = [_axis_windows(n, window_px) for n in shape_yx]
    return [
        Tile(read=(y[0], x[0]), crop=(y[1], x[1]), write=(y[2], x[2])) for y, x in product(*axes)
    ]


class BlendedSlices:
    """Adds up the windows of each slice under their weights, and hands whole slices on.

    Parameters
    ----------
    sink : ArraySink, (Z, Y, X)
        Takes each slice when its last window has come: 0 to 1 if it is of a floating type,
        ``round(255 p)`` if uint8.
    windows : iterable of Tile
        All windows of a slice, as `window_grid` lays them; each is to be added once.
    """

    def __init__(self, sink: ArraySink, windows: Iterable[Tile]) -> None:
        self._sink = sink
        windows = list(windows)
        self._count = len(windows)
        self._weights = [_axis_weights(windows, axis) for axis in (0, 1)]
        self._slices: dict[int, NDArray[np.float32]] = {}
        self._missing: dict[int, int] = {}

    def add(self, z: int, window: Tile, probability: NDArray[np.float32]) -> None:
        """Add what the network found in one window (Y, X) of a slice."""
        if z not in self._slices:
            self._slices[z] = np.zeros(self._sink.shape[1:], np.float32)
            self._missing[z] = self._count
        self._slices[z][window.write] += probability[window.crop] * self.weights(window)
        self._missing[z] -= 1
        if self._missing[z] == 0:
            self._hand_on(z, self._slices.pop(z))

    def weights(self, window: Tile) -> NDArray[np.float32]:
        """Weights of the part of a window that lies in the slice; all windows' add up to 1."""
        rows, columns = (
            weights[read.start] for weights, read in zip(self._weights, window.read, strict=True)
        )
        product_yx: NDArray[np.float32] = np.outer(rows, columns)
        return product_yx

    def _hand_on(self, z: int, blended: NDArray[np.float32]) -> None:
        del self._missing[z]
        if np.dtype(self._sink.dtype) == np.uint8:
            blended = np.rint(255 * blended)
        # Rounding of the weights may end just beyond 1.
        self._sink[z, :, :] = blended.clip(0, 255 if self._sink.dtype == np.uint8 else 1)


def _axis_windows(n: int, window_px: int) -> list[tuple[slice, slice, slice]]:
    """Read, crop and write along one axis."""
    spans = []
    for start in range(-window_px // 2, n, window_px // 2):
        write = slice(max(start, 0), min(start + window_px, n))
        crop = slice(write.start - start, write.stop - start)
        spans.append((slice(start, start + window_px), crop, write))
    return spans


def _axis_weights(windows: list[Tile], axis: int) -> dict[int, NDArray[np.float32]]:
    """Weights along one axis of the windows that start at a pixel, divided by those of all."""
    spans = {w.read[axis].start: (w.crop[axis], w.write[axis]) for w in windows}
    line = spline_window(windows[0].read_shape[axis])
    total = np.zeros(max(write.stop for _, write in spans.values()))
    for crop, write in spans.values():
        total[write] += line[crop]
    return {
        start: (line[crop] / total[write]).astype(np.float32)
        for start, (crop, write) in spans.items()
    }
