"""Volumes in pieces that fit in memory: read in slabs, write in any order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chondria.io.indexing import resolve_key
from chondria.volume import ArraySource

__all__ = ["ArraySink", "SlabBuffer", "iter_blocks", "iter_slabs"]

_SLAB_BYTES = 128 * 2**20


class ArraySink(ArraySource, Protocol):
    """An array that takes values: ``sink[z0:z1, y0:y1, x0:x1] = values``."""

    def __setitem__(self, key: Any, values: Any, /) -> None: ...


def iter_slabs(data: ArraySource, dtype: Any) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Read an array from the first to the last slice, a few slices at a time.

    Parameters
    ----------
    data : ArraySource, (Z, Y, X)
        Any array; slabs follow its storage chunks, so that none is decoded twice.
    dtype : numpy.dtype
        Type of the slabs.

    Yields
    ------
    start, stop : int
        Range of slices.
    slab : ndarray, (stop - start, Y, X)
        Their values.
    """
    depth, height, width = data.shape
    fitting = max(1, _SLAB_BYTES // (height * width * np.dtype(data.dtype).itemsize))
    unit = _unit(data)[0]
    step = max(unit, fitting // unit * unit) if unit <= 8 * fitting else fitting
    for start in range(0, depth, step):
        stop = min(start + step, depth)
        yield start, stop, np.asarray(data[start:stop]).astype(dtype, copy=False)


def iter_blocks(
    source: ArraySource, sink: ArraySource
) -> Iterator[tuple[tuple[slice, slice], NDArray[Any]]]:
    """Read an array in blocks of whole rows that suit the storage of the array to be written.

    Parameters
    ----------
    source : ArraySource, (Z, Y, X)
        Where the values come from.
    sink : ArraySource, (Z, Y, X)
        Where they go; blocks are multiples of its shards or chunks.

    Yields
    ------
    place : tuple of slice
        Range of slices and of rows.
    block : ndarray
        ``source[place]``.
    """
    depth, height, width = source.shape
    unit_z, unit_y = _unit(sink) if _unit(sink) != (1, 1) else _unit(source)
    step_z = min(unit_z, depth)
    row_bytes = width * np.dtype(source.dtype).itemsize
    fitting = max(1, _SLAB_BYTES // (step_z * row_bytes))
    step_y = height if fitting >= height else max(unit_y, fitting // unit_y * unit_y)
    if step_y == height:
        step_z *= max(1, fitting // height)
    for z in range(0, depth, step_z):
        for y in range(0, height, step_y):
            place = slice(z, min(z + step_z, depth)), slice(y, min(y + step_y, height))
            yield place, np.asarray(source[place])


def _unit(data: ArraySource) -> tuple[int, int]:
    """Depth and height of the box that an array stores as one, (1, 1) where unknown."""
    box = getattr(data, "shards", None) or getattr(data, "chunks", None)
    if box is None or len(box) != 3 or not all(isinstance(edge, int) for edge in box):
        return 1, 1
    return int(box[0]), int(box[1])


class SlabBuffer:
    """Gathers small writes and passes them on as whole slabs of storage units.

    Compressed chunks can only be rewritten whole: 256 single slices written into shards of 256
    slices would compress each shard 256 times.

    Parameters
    ----------
    sink : ArraySink, (Z, Y, X)
        Where the slabs go.
    depth : int
        Number of slices in a slab, a multiple of the sink's storage units.
    """

    def __init__(self, sink: ArraySink, depth: int) -> None:
        self._sink, self._depth = sink, depth
        self.shape, self.dtype = tuple(sink.shape), np.dtype(sink.dtype)
        self.shards = (depth, *self.shape[1:])
        self._slab: NDArray[Any] | None = None
        self._held = -1
        self._written: set[int] = set()
        self._lock = threading.RLock()

    def __setitem__(self, key: Any, values: Any) -> None:
        """Write a box: integers, slices with steps of one, '...'; values are broadcast.

        Raises
        ------
        IndexError
            If the index is out of bounds or not such a box.
        """
        box, rest = resolve_key(key, self.shape)
        if any(part.step != 1 for part in box) or any(r == slice(None, None, -1) for r in rest):
            raise IndexError(f"write with steps of one, not {key!r}")
        sizes = [part.stop - part.start for part in box]
        kept = [size for size, r in zip(sizes, rest, strict=True) if r != 0]
        whole = np.broadcast_to(values, kept).reshape(sizes)
        first, z = box[0].start, box[0].start
        with self._lock:
            while z < box[0].stop:
                stop = min((z // self._depth + 1) * self._depth, box[0].stop)
                self._write(z, stop, box[1:], whole[z - first : stop - first])
                z = stop

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read values back; zero where none were written."""
        box, rest = resolve_key(key, self.shape)
        with self._lock:
            self._flush()
            values: NDArray[Any] = np.asarray(self._sink[box])[rest]
        return values

    def close(self) -> None:
        """Write what is held, and zeros wherever nothing was written: the file is then whole."""
        with self._lock:
            self._flush()
            for number in range(-(-self.shape[0] // self._depth)):
                if number not in self._written:
                    self._sink[self._range(number)] = 0

    def _range(self, number: int) -> slice:
        return slice(number * self._depth, min((number + 1) * self._depth, self.shape[0]))

    def _write(self, z: int, stop: int, yx: tuple[slice, ...], values: NDArray[Any]) -> None:
        number = z // self._depth
        place = self._range(number)
        if values.shape == (place.stop - place.start, *self.shape[1:]):
            if self._held == number:
                self._slab = None
            self._sink[place] = values.astype(self.dtype, copy=False)
            self._written.add(number)
            return
        slab = self._load(number)
        slab[(slice(z - place.start, stop - place.start), *yx)] = values

    def _load(self, number: int) -> NDArray[Any]:
        if self._slab is None or self._held != number:
            self._flush()
            place = self._range(number)
            if number in self._written:
                self._slab = np.array(self._sink[place])
            else:
                self._slab = np.zeros((place.stop - place.start, *self.shape[1:]), self.dtype)
            self._held = number
        return self._slab

    def _flush(self) -> None:
        if self._slab is not None:
            self._sink[self._range(self._held)] = self._slab
            self._written.add(self._held)
            self._slab = None
