"""Show any stored array as Z, Y, X in native byte order, without reading it whole."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, ShapeError
from chondria.io.damage import damaged_as_format_error
from chondria.io.header import pixel_dtype
from chondria.io.indexing import resolve_key
from chondria.io.recent import KEPT_BYTES, RecentArrays
from chondria.volume import ArraySource

__all__ = ["ZyxAxes", "ZyxView", "map_file", "zyx_axes"]

ZyxAxes = tuple[int | None, int, int]


class ZyxView:
    """A lazy view of a stored array whose axes are Z, Y and X.

    Parameters
    ----------
    source : ArraySource
        Array of any number of axes.
    axes : tuple
        Which axes of `source` are Z, Y and X; Z is None for a 2-D image. All others have
        length one.
    where : str or Path
        What to call the source in an error message.
    """

    def __init__(self, source: ArraySource, axes: ZyxAxes, where: str | Path) -> None:
        self._source, self._axes, self._where = source, axes, str(where)
        self.shape = tuple(1 if axis is None else int(source.shape[axis]) for axis in axes)
        self.dtype = pixel_dtype(source.dtype, where)
        self.ndim = 3
        self._recent = RecentArrays()

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Box (z, y, x) that the source stores as one unit, if it has such a box."""
        stored = getattr(self._source, "chunks", None)
        if stored is None:
            return None
        return tuple(1 if axis is None else int(stored[axis]) for axis in self._axes)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a box; NumPy basic indexing.

        Raises
        ------
        FormatError
            If the stored bytes cannot be decoded.
        """
        box, rest = resolve_key(key, self.shape)
        deeper = self._whole_chunks(box)
        if deeper is None:
            return self._read(box)[rest]
        place = tuple((part.start, part.stop, part.step) for part in (deeper, *box[1:]))
        values = self._recent.fetch(place, lambda: self._read((deeper, *box[1:])))
        # A copy: what is kept must not change with what is given away.
        return values[box[0].start - deeper.start : box[0].stop - deeper.start][rest].copy()

    def _whole_chunks(self, box: tuple[slice, ...]) -> slice | None:
        """Range of slices that is decoded anyway for a box, if it is more and can be kept."""
        first, depth = box[0], (self.chunks or (1,))[0]
        start = first.start // depth * depth
        stop = min(-(-first.stop // depth) * depth, self.shape[0])
        rows, columns = (len(range(part.start, part.stop, part.step)) for part in box[1:])
        nbytes = (stop - start) * rows * columns * self.dtype.itemsize
        thin = first.step == 1 and 0 < first.stop - first.start < stop - start
        return slice(start, stop, 1) if thin and 0 < nbytes <= KEPT_BYTES else None

    def _read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        inner: list[Any] = [0] * len(self._source.shape)
        for axis, part in zip(self._axes, box, strict=True):
            if axis is not None:
                inner[axis] = part
        with damaged_as_format_error(self._where):
            values = np.asarray(self._source[tuple(inner)])
        kept = sorted(axis for axis in self._axes if axis is not None)
        values = values.transpose([kept.index(axis) for axis in self._axes if axis is not None])
        if self._axes[0] is None:
            values = values[np.newaxis][box[0]]
        return values.astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)


def zyx_axes(shape: tuple[int, ...], where: str | Path) -> ZyxAxes:
    """Find Z, Y and X of an array without named axes.

    Parameters
    ----------
    shape : tuple of int
        Shape of the stored array; with more than three axes those of length one are left out.
    where : str or Path
        What to call the array in an error message.

    Raises
    ------
    ShapeError
        If neither an image nor a volume is left.
    """
    kept = list(range(len(shape)))
    if len(shape) > 3:
        kept = [axis for axis in kept if shape[axis] != 1]
    if len(kept) not in (2, 3) or 0 in shape:
        raise ShapeError(
            f"Found {len(shape)} axes of shape {tuple(shape)} in {where}; allowed are a 2-D image "
            "(Y, X) or a 3-D volume (Z, Y, X) of one channel: pick one channel and time point."
        )
    return (None if len(kept) == 2 else kept[0]), kept[-2], kept[-1]


def map_file(
    path: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...], order: Any = "C"
) -> NDArray[Any]:
    """Map raw pixels of a file into memory; pages are read when touched.

    Parameters
    ----------
    path : Path
        The file.
    dtype : numpy.dtype
        Stored type, either byte order.
    offset : int
        Position of the first pixel in bytes.
    shape : tuple of int
        Shape of the stored array, without empty axes.
    order : {'C', 'F'}
        Whether the last or the first axis runs fastest.

    Returns
    -------
    ndarray
        Copy-on-write: changes stay in memory and never reach the file.

    Raises
    ------
    FormatError
        If the file is shorter than its header says.
    """
    needed = offset + math.prod(shape) * dtype.itemsize
    found = path.stat().st_size
    if found < needed:
        raise FormatError(
            f"The file {path} is truncated: it holds {found} bytes and its header promises "
            f"{needed}; copy or export it again."
        )
    return np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape, order=order)
