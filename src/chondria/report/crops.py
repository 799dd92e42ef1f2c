"""What a line of the worklist is about: a place with its outlines, from above and beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.report.overview import outlined
from chondria.volume import ArraySource, VoxelSize

__all__ = ["draw_crop"]

PANEL_PX: Final = 320
GAP_PX: Final = 8
FIELD_NM: Final = 1200.0


def draw_crop(
    image: ArraySource,
    labels: ArraySource,
    place_px: Sequence[int],
    voxel_size_nm: VoxelSize,
    path: str | Path,
    field_nm: float | None = FIELD_NM,
) -> Path:
    """Draw three views of a place: the slice, the slice with outlines, and z against x.

    Parameters
    ----------
    image, labels : ArraySource, (Z, Y, X)
        Grey values and a label map.
    place_px : sequence of int
        The middle (z, y, x), marked in both views with outlines.
    voxel_size_nm : tuple of float
        (z, y, x) in nm; the view from beside has its true proportions.
    path : str or Path
        The PNG to write.
    field_nm : float, optional
        Edge of what is seen; the whole slice if None.

    Returns
    -------
    Path
        The picture.
    """
    from PIL import Image, ImageDraw

    z, y, x = place_px
    windows = [
        _window(at, n, edge, field_nm)
        for at, n, edge in zip(place_px, labels.shape, voxel_size_nm, strict=True)
    ]
    rows, columns = windows[1:]
    grey, found = (np.asarray(array[z, rows, columns]) for array in (image, labels))
    tall, cut = (np.asarray(array[windows[0], y, columns]) for array in (image, labels))
    at = (y - rows.start, x - columns.start)
    panels = [
        _panel(grey, np.zeros_like(found), None, voxel_size_nm[1:]),
        _panel(grey, found, at, voxel_size_nm[1:]),
        _panel(tall, cut, (z - windows[0].start, at[1]), (voxel_size_nm[0], voxel_size_nm[2])),
    ]
    height = max(panel.height for panel in panels)
    width = sum(panel.width + GAP_PX for panel in panels) - GAP_PX
    sheet = Image.new("RGB", (width, height), "white")
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, 0))
        left += panel.width + GAP_PX
    draw = ImageDraw.Draw(sheet)
    draw.text((4, height - 14), f"z {z}, y {y}, x {x}", "white")
    sheet.save(path)
    return Path(path)


def _window(at: int, size: int, edge_nm: float, field_nm: float | None) -> slice:
    """Cut so many voxels around a place, moved inwards at the border."""
    wanted = size if field_nm is None else min(size, max(1, round(field_nm / edge_nm)))
    start = min(max(0, at - wanted // 2), size - wanted)
    return slice(start, start + wanted)


def _panel(
    grey: NDArray[Any],
    labels: NDArray[Any],
    at: tuple[int, int] | None,
    edges_nm: tuple[float, float],
) -> Any:
    """Draw one view in its true proportions, with a ring around the place."""
    from PIL import Image, ImageDraw

    rgb = np.rint(outlined(grey, labels) * 255).astype(np.uint8)
    extent = [n * edge for n, edge in zip(grey.shape, edges_nm, strict=True)]
    scale = PANEL_PX / max(extent)
    height, width = (max(1, round(side * scale)) for side in extent)
    panel = Image.fromarray(rgb).resize((width, height), Image.Resampling.NEAREST)
    if at is not None:
        y, x = ((i + 0.5) * edge * scale for i, edge in zip(at, edges_nm, strict=True))
        ImageDraw.Draw(panel).ellipse((x - 9, y - 9, x + 9, y + 9), outline="yellow", width=2)
    return panel
