"""Cut a slice into overlapping tiles whose predictions join into the prediction of the whole.

A network of convolutions and poolings gives a pixel the same value in a tile as in the whole
slice if three things hold, and `tile_grid` makes them hold by construction:

1. tiles start on the grid of the poolings (multiples of `stride_px` from the canvas's corner), so
   that the same pixels are pooled together;
2. what is kept of a tile is a block on that grid, at least `halo_px` away from a border that the
   tile has and the whole slice has not: so far the network sees beyond such a block;
3. where the tile ends with the slice, both end in the same way: no tile leaves the *canvas*, the
   slice with a margin of mirrored pixels, and at its border the network's own padding acts
   on the tile as on the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError
from chondria.volume import ArraySource

__all__ = ["Span", "Tile", "even_spans", "mirror_indices", "read_mirrored", "tile_grid"]

Span = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Tile:
    """What to read for one pass of the network, and which part of the result to keep where.

    Parameters
    ----------
    read : tuple of slice
        Pixels (y, x) that the network sees, in coordinates of the slice; a start below zero or a
        stop beyond the slice means mirrored pixels (`read_mirrored`), not NumPy's negative index.
    crop : tuple of slice
        Part (y, x) of the network's output to keep.
    write : tuple of slice
        Where (y, x) in the slice it belongs; the writes of all tiles partition the slice.
    """

    read: Span
    crop: Span
    write: Span

    @property
    def read_shape(self) -> tuple[int, int]:
        """Number of pixels (y, x) that the network sees."""
        y, x = self.read
        return y.stop - y.start, x.stop - x.start


def tile_grid(
    shape_yx: tuple[int, int],
    tile_px: int,
    halo_px: int,
    stride_px: int = 16,
    margin_px: int = 0,
) -> list[Tile]:
    """Cut a slice into as few tiles of one common size as the limit allows.

    Parameters
    ----------
    shape_yx : tuple of int
        Number of pixels (y, x) of the slice.
    tile_px : int
        Longest edge of what the network may see at once. A slice whose canvas fits is one tile.
    halo_px : int
        How far beyond a block on the grid the network sees.
    stride_px : int
        Grid on which tiles start and end: the product of the network's poolings.
    margin_px : int
        Mirrored pixels around the slice; at the far edges more, to the next point of the grid.

    Returns
    -------
    list of Tile
        In order of rows, then columns. All have the same `read_shape`.

    Raises
    ------
    ShapeError
        If the slice is empty.
    SettingsError
        If the tile has no room for anything between its halos, or a number is negative.
    """
    if min(shape_yx) < 1:
        raise ShapeError(f"Found a slice of shape {tuple(shape_yx)}; it needs at least one pixel.")
    if stride_px < 1 or halo_px < 0 or margin_px < 0:
        raise SettingsError(
            f"Found a stride of {stride_px}, a halo of {halo_px} and a margin of {margin_px} px; "
            "the stride must be at least 1, the others at least 0."
        )
    axes = [_axis_tiles(n, tile_px, halo_px, stride_px, margin_px) for n in shape_yx]
    return [
        Tile(read=(y[0], x[0]), crop=(y[1], x[1]), write=(y[2], x[2])) for y, x in product(*axes)
    ]


def even_spans(n: int, length: int, shared: int = 0, stride: int = 1) -> list[slice]:
    """Cut an axis into as few spans of one length as the limit allows, evenly spaced.

    Parameters
    ----------
    n : int
        Length of the axis, at least 1.
    length : int
        Longest span.
    shared : int
        What neighbours share at least, less than `length`.
    stride : int
        Spans start and end on multiples of this, the last one beyond the axis where it must
        (`mirror_indices`).

    Returns
    -------
    list of slice
        In order, from 0 to the end.
    """
    canvas = _on_grid(n, stride)
    length = min(max(length // stride, 1) * stride, canvas)
    if length == canvas:
        return [slice(0, canvas)]
    step = max((length - shared) // stride, 1) * stride
    count = 1 - (length - canvas) // step
    gap = (canvas - length) // stride
    starts = (gap * i // (count - 1) * stride for i in range(count))
    return [slice(start, start + length) for start in starts]


def mirror_indices(start: int, stop: int, n: int) -> NDArray[np.intp]:
    """Continue an axis beyond its ends by reflection, without repeating the edge.

    Parameters
    ----------
    start, stop : int
        Range wanted; may lie outside the axis, and any number of lengths away.
    n : int
        Length of the axis, at least 1.

    Returns
    -------
    ndarray of intp, (stop - start,)
        Indices into the axis, as `numpy.pad` with mode ``reflect`` would take them.
    """
    period = max(1, 2 * (n - 1))
    position = np.arange(start, stop, dtype=np.intp) % period
    indices: NDArray[np.intp] = np.minimum(position, period - position) if n > 1 else position
    return indices


def read_mirrored(source: ArraySource, z: int, read: Span) -> NDArray[Any]:
    """Read a part of one slice, mirrored where the part leaves it.

    Parameters
    ----------
    source : ArraySource, (Z, Y, X)
        Where the pixels come from; only those needed are read, in one access.
    z : int
        Which slice.
    read : tuple of slice
        Pixels (y, x) wanted, as in `Tile.read`.

    Returns
    -------
    ndarray, (Y, X)
        The pixels, of the source's type.
    """
    rows, columns = (
        mirror_indices(part.start, part.stop, int(n))
        for part, n in zip(read, source.shape[1:], strict=True)
    )
    (y0, y1), (x0, x1) = ((int(i.min()), int(i.max()) + 1) for i in (rows, columns))
    pixels: NDArray[Any] = np.asarray(source[z, y0:y1, x0:x1])
    if all(
        part.start >= 0 and part.stop <= n for part, n in zip(read, source.shape[1:], strict=True)
    ):
        return pixels
    return pixels[np.ix_(rows - y0, columns - x0)]


def _axis_tiles(
    n: int, tile_px: int, halo_px: int, stride_px: int, margin_px: int
) -> list[tuple[slice, slice, slice]]:
    """Read, crop and write along one axis."""
    origin = -margin_px
    canvas = _on_grid(n + 2 * margin_px, stride_px)
    halo = _on_grid(halo_px, stride_px)
    starts, length = _equal_reads(canvas, tile_px, halo, stride_px)
    reads = [slice(origin + start, origin + start + length) for start in starts]
    # Neighbours meet on the grid, in the middle of an overlap of two halos at least.
    cuts = [b.start + (a.stop - b.start) // (2 * stride_px) * stride_px for a, b in pairwise(reads)]
    bounds = [0, *(min(max(cut, 0), n) for cut in cuts), n]
    return [
        (read, slice(start - read.start, stop - read.start), slice(start, stop))
        for read, (start, stop) in zip(reads, pairwise(bounds), strict=True)
        if start < stop
    ]


def _equal_reads(canvas: int, tile_px: int, halo: int, stride: int) -> tuple[list[int], int]:
    """Starts and common length of the fewest reads that cover the canvas, 2 halos shared."""
    if canvas <= tile_px:
        return [0], canvas
    limit = tile_px // stride * stride
    if limit <= 2 * halo:
        raise SettingsError(
            f"Found tiles of {tile_px} px for a network whose predictions need {halo} px around "
            f"them on a grid of {stride} px; give tiles of at least {2 * halo + stride} px."
        )
    count = 1 - (limit - canvas) // (limit - 2 * halo)
    length = _on_grid(-(-(canvas + (count - 1) * 2 * halo) // count), stride)
    gap = (canvas - length) // stride
    return [gap * i // (count - 1) * stride for i in range(count)], length


def _on_grid(length: int, stride: int) -> int:
    """Round up to a multiple of the stride."""
    return -(-length // stride) * stride
