"""Outlines of objects over slices: the picture that people look at first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.volume import ArraySource, Volume, VoxelSize

__all__ = ["draw_overview", "outlined"]

# Long edge of one panel in pixels: whole slices stay readable and the file stays small.
PANEL_PX = 700
TRUTH = (0.25, 0.95, 0.35)


def draw_overview(
    image: Volume,
    labels: ArraySource,
    path: str | Path,
    *,
    truth: ArraySource | None = None,
    panels: int = 4,
    title: str = "",
) -> Path:
    """Draw the outlines of objects, a colour each, over evenly spaced slices.

    Parameters
    ----------
    image : Volume, (Z, Y, X)
        Grey levels; the voxel size gives the scale bar.
    labels : ArraySource, (Z, Y, X)
        0 is background, each other number one object.
    path : str or Path
        The PNG to write.
    truth : ArraySource, optional
        True objects, outlined in green.
    panels : int
        Number of slices.
    title : str
        Above the panels.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    depth, height, width = image.shape
    shown = min(panels, depth)
    chosen = [int((part + 0.5) * depth / shown) for part in range(shown)]
    columns = min(2, len(chosen))
    rows = -(-len(chosen) // columns)
    size = 5.5
    figure = Figure(
        figsize=(size * columns, size * rows * min(2.0, height / width) + 0.5), layout="constrained"
    )
    axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    step = max(1, -(-max(height, width) // PANEL_PX))
    for panel, z in zip(axes, chosen, strict=False):
        true = None if truth is None else np.asarray(truth[z])
        panel.imshow(outlined(np.asarray(image.data[z]), np.asarray(labels[z]), true, step))
        panel.set_title(f"slice {z}", fontsize=9)
        _scale_bar(panel, image.voxel_size_nm, width / step, height / step, step)
    for panel in axes:
        panel.axis("off")
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=130)
    return Path(path)


def outlined(
    image: NDArray[Any],
    labels: NDArray[Any],
    truth: NDArray[Any] | None = None,
    step: int = 1,
) -> NDArray[np.float32]:
    """Paint the outlines of labels, and of the truth in green, over a grey slice.

    Parameters
    ----------
    image, labels, truth : ndarray, (Y, X)
        Of one shape.
    step : int
        Every n-th pixel is kept; outlines stay one pixel wide.

    Returns
    -------
    ndarray, (Y / step, X / step, 3)
        Colours from 0 to 1.
    """
    grey = image[::step, ::step].astype(np.float32)
    low, high = np.percentile(grey, (0.5, 99.5))
    rgb = np.repeat(((grey - low) / max(high - low, 1e-6)).clip(0, 1)[..., None], 3, axis=2)
    if truth is not None:
        rgb[_edges(truth[::step, ::step])] = TRUTH
    small = labels[::step, ::step]
    edge = _edges(small)
    rgb[edge] = _colours(small[edge])
    return np.asarray(rgb, dtype=np.float32)


def _edges(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels of an object that touch the background or another object along y or x."""
    edge = np.zeros(labels.shape, dtype=bool)
    for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differs = labels[here] != labels[there]
        edge[here] |= differs
        edge[there] |= differs
    inside: NDArray[np.bool_] = labels != 0
    return edge & inside


def _colours(ids: NDArray[Any]) -> NDArray[np.float32]:
    """Give each identifier a bright colour; neighbours in number are far apart in hue."""
    from matplotlib.colors import hsv_to_rgb

    # Warm and blue hues only: green is the truth's.
    hue = (ids.astype(np.float64) * 0.6180339887) % 1.0 * 0.62 + 0.52
    hsv = np.stack([hue % 1.0, np.full(hue.shape, 0.85), np.ones(hue.shape)], axis=-1)
    return np.asarray(hsv_to_rgb(hsv), dtype=np.float32)


def _scale_bar(
    panel: Any, voxel_size_nm: VoxelSize | None, width: float, height: float, step: int
) -> None:
    """Draw a bar of a round length, about a fifth of the width."""
    if voxel_size_nm is None:
        return
    nm_per_px = voxel_size_nm[2] * step
    lengths: Sequence[int] = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
    length = min(lengths, key=lambda nm: abs(nm - width * nm_per_px / 5))
    y, x = height * 0.95, width * 0.04
    said = f"{length / 1000:g} µm" if length >= 1000 else f"{length} nm"
    panel.plot([x, x + length / nm_per_px], [y, y], color="white", linewidth=3)
    panel.text(x, y - height * 0.025, said, va="bottom", color="white", fontsize=8)
