"""Outlines of objects over slices: the picture that people look at first."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hsv_to_rgb
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chondria.volume import ArraySource, Volume, VoxelSize

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

__all__ = ["draw_overview", "outlined"]

# Long edge of one panel in pixels: whole slices stay readable and the file stays small.
PANEL_PX = 700
GAP_PX = 12
LINE_PX = 26
TRUTH = (0.25, 0.95, 0.35)
PAPER, INK = "white", "black"


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
    from PIL import Image, ImageDraw

    depth, height, width = image.shape
    shown = min(panels, depth)
    chosen = [int((part + 0.5) * depth / shown) for part in range(shown)]
    step = max(1, -(-max(height, width) // PANEL_PX))
    zoom = max(1, PANEL_PX * step // max(height, width))
    pictures = []
    for z in chosen:
        true = None if truth is None else np.asarray(truth[z])
        rgb = outlined(np.asarray(image.data[z]), np.asarray(labels[z]), true, step)
        pixels = np.rint(rgb * 255).astype(np.uint8).repeat(zoom, 0).repeat(zoom, 1)
        panel = Image.fromarray(pixels)
        _scale_bar(ImageDraw.Draw(panel), panel.size, image.voxel_size_nm, step / zoom)
        pictures.append(panel)
    _arrange(pictures, [f"slice {z}" for z in chosen], title).save(path)
    return Path(path)


def _arrange(pictures: list[PIL.Image.Image], captions: list[str], title: str) -> PIL.Image.Image:
    """Put pictures of one size in two columns, each under its caption, all under the title."""
    from PIL import Image, ImageDraw

    width, height = pictures[0].size
    columns = min(2, len(pictures))
    rows = -(-len(pictures) // columns)
    across, down = width + GAP_PX, height + LINE_PX + GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + LINE_PX + GAP_PX), PAPER)
    draw, font = ImageDraw.Draw(sheet), _font(14)
    draw.text((GAP_PX, GAP_PX), title, INK, font)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x = GAP_PX + index % columns * across
        y = LINE_PX + GAP_PX + index // columns * down
        draw.text((x, y + 3), caption, INK, font)
        sheet.paste(picture, (x, y + LINE_PX))
    return sheet


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
    known, places = np.unique(ids, return_inverse=True)
    # Warm and blue hues only: green is the truth's.
    hues = (known.astype(np.float64) * 0.6180339887 % 1.0 * 0.62 + 0.52) % 1.0
    palette = [hsv_to_rgb(float(hue), 0.85, 1.0) for hue in hues]
    return np.asarray(palette, dtype=np.float32).reshape(-1, 3)[places]


def _font(size: int) -> PIL.ImageFont.FreeTypeFont:
    """Give the font that comes with Matplotlib, which takes half a second to be imported itself."""
    from PIL import ImageFont

    places = find_spec("matplotlib")
    assert places is not None  # it is a dependency
    assert places.submodule_search_locations is not None
    folder = Path(places.submodule_search_locations[0])
    return ImageFont.truetype(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _scale_bar(
    draw: PIL.ImageDraw.ImageDraw,
    size: tuple[int, int],
    voxel_size_nm: VoxelSize | None,
    voxels_per_px: float,
) -> None:
    """Draw a bar of a round length, about a fifth of the width."""
    if voxel_size_nm is None:
        return
    width, height = size
    nm_per_px = voxel_size_nm[2] * voxels_per_px
    lengths: Sequence[int] = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
    length = min(lengths, key=lambda nm: abs(nm - width * nm_per_px / 5))
    said = f"{length / 1000:g} µm" if length >= 1000 else f"{length} nm"
    y, x = int(height * 0.95), int(width * 0.04)
    draw.rectangle((x, y, x + round(length / nm_per_px), y + 3), "white")
    draw.text((x, y - 4), said, "white", _font(14), anchor="ls")
