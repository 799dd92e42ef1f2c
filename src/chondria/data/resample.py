"""Rescale slices in their plane between pixel sizes, whole or lazily, with the same result.

Along each axis the value of an output pixel is a weighted mean of input pixels. With
``scale = n_in / n_out`` and pixel centres at half-integers (as in PIL and PyTorch), output pixel
``i`` lies at ``c = (i + 0.5) * scale`` and input pixel ``j`` weighs

    w[i, j] ~ max(0, 1 - |j + 0.5 - c| / max(1, scale)),      sum over j of w[i, j] = 1:

linear interpolation when the grid gets finer, a triangle filter as wide as the output pixels when
it gets coarser, so that shrinking does not alias. The weights depend on the absolute index only:
any part of the output, computed from the input that it needs, equals that part of the whole.
Z is never resampled: a two-dimensional network sees the plane only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from chondria.errors import ShapeError
from chondria.io.indexing import resolve_key
from chondria.volume import ArraySource

__all__ = [
    "ResampledSource",
    "axis_weights",
    "grid_shape",
    "resample_mask",
    "resample_slice",
    "resample_slices",
]

# A tie in a mask is decided by the float32 sum of the weights, one rounding step off at most.
TIE = 1e-6


def grid_shape(
    shape_yx: tuple[int, int], from_nm_yx: tuple[float, float], to_nm_yx: tuple[float, float]
) -> tuple[int, int]:
    """Count the pixels of another size that cover the same field of view.

    Parameters
    ----------
    shape_yx : tuple of int
        Number of pixels (y, x).
    from_nm_yx, to_nm_yx : tuple of float
        Edge lengths (y, x) in nanometres of the pixels that are there and of those wanted.

    Returns
    -------
    tuple of int
        Number of pixels (y, x), rounded, at least one each.
    """
    y, x = (
        max(1, int(n * old / new + 0.5))
        for n, old, new in zip(shape_yx, from_nm_yx, to_nm_yx, strict=True)
    )
    return y, x


@lru_cache(maxsize=32)
def axis_weights(n_in: int, n_out: int) -> csr_array:
    """Compute the weights that resample one axis.

    Parameters
    ----------
    n_in, n_out : int
        Number of pixels before and after, at least one each.

    Returns
    -------
    csr_array of float32, (n_out, n_in)
        Each row sums to one. Shared between calls: do not change it.

    Raises
    ------
    ShapeError
        If a number of pixels is below one.
    """
    if min(n_in, n_out) < 1:
        raise ShapeError(f"Found {n_in} pixels to resample to {n_out}; both must be at least 1.")
    scale = n_in / n_out
    support = max(1.0, scale)
    centre = (np.arange(n_out)[:, None] + 0.5) * scale
    reach = int(np.ceil(2 * support)) + 1
    column = np.floor(centre - support).astype(np.int64) + np.arange(reach)
    weight = 1.0 - np.abs(column + 0.5 - centre) / support
    weight[(column < 0) | (column >= n_in)] = 0.0
    row, tap = np.nonzero(weight > 0)
    weight = np.maximum(weight, 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    values = weight[row, tap].astype(np.float32)
    return csr_array((values, (row, column[row, tap])), shape=(n_out, n_in))


def resample_slice(slice2d: NDArray[Any], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """Resample one slice to another number of pixels.

    Parameters
    ----------
    slice2d : ndarray, (Y, X)
        Pixels of any real type.
    shape_yx : tuple of int
        Number of pixels (y, x) wanted.

    Returns
    -------
    ndarray of float32, shape_yx
        The same field of view on the new grid.
    """
    rows = axis_weights(slice2d.shape[0], shape_yx[0])
    columns = axis_weights(slice2d.shape[1], shape_yx[1])
    return _apply(slice2d, rows, columns)


def resample_slices(array: NDArray[Any], shape_yx: tuple[int, int]) -> NDArray[Any]:
    """Resample every slice of a stack, keeping its type of pixel.

    Parameters
    ----------
    array : ndarray, (Z, Y, X)
        The stack.
    shape_yx : tuple of int
        Number of pixels (y, x) wanted.

    Returns
    -------
    ndarray, (Z, *shape_yx)
        Of the same type, integers rounded to the nearest; `array` itself if nothing changes.
    """
    if array.shape[1:] == tuple(shape_yx):
        return array
    out = np.empty((array.shape[0], *shape_yx), dtype=array.dtype)
    for z, slice2d in enumerate(array):
        out[z] = _as_type(resample_slice(slice2d, shape_yx), array.dtype)
    return out


def resample_mask(mask: NDArray[Any], shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """Resample every slice of a mask: a pixel is foreground where at least half of it is covered.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X)
        0 is background, anything else foreground.
    shape_yx : tuple of int
        Number of pixels (y, x) wanted.

    Returns
    -------
    ndarray of bool, (Z, *shape_yx)
        The mask on the new grid.
    """
    foreground: NDArray[np.bool_] = mask != 0
    if mask.shape[1:] == tuple(shape_yx):
        return foreground
    out = np.empty((mask.shape[0], *shape_yx), dtype=np.bool_)
    for z, slice2d in enumerate(foreground):
        out[z] = resample_slice(slice2d, shape_yx) >= 0.5 - TIE
    return out


class ResampledSource:
    """A lazy view of a stack on another in-plane grid; reads only the input that a part needs.

    Parameters
    ----------
    source : ArraySource, (Z, Y, X)
        Where the pixels come from.
    shape_yx : tuple of int
        Number of pixels (y, x) of the view.

    Notes
    -----
    ``view[z, y0:y1, x0:x1]`` is indexed by integers and slices, as in NumPy, and equals the same
    part of ``resample_slices(source[:], shape_yx)`` exactly.
    """

    def __init__(self, source: ArraySource, shape_yx: tuple[int, int]) -> None:
        self._source = source
        self.shape: tuple[int, ...] = (int(source.shape[0]), int(shape_yx[0]), int(shape_yx[1]))
        self.dtype: np.dtype[Any] = np.dtype(source.dtype)
        self._same = self.shape == tuple(source.shape)
        self._rows = axis_weights(source.shape[1], shape_yx[0])
        self._columns = axis_weights(source.shape[2], shape_yx[1])

    def __getitem__(self, key: Any) -> NDArray[Any]:
        if self._same:
            return np.asarray(self._source[key])
        (z, y, x), rest = resolve_key(key, self.shape)
        rows, read_y = _part(self._rows, y)
        columns, read_x = _part(self._columns, x)
        pixels = np.asarray(self._source[z, read_y, read_x])
        out = np.empty((pixels.shape[0], rows.shape[0], columns.shape[0]), dtype=self.dtype)
        for i, slice2d in enumerate(pixels):
            out[i] = _as_type(_apply(slice2d, rows, columns), self.dtype)
        part: NDArray[Any] = out[rest]
        return part


def _apply(slice2d: NDArray[Any], rows: csr_array, columns: csr_array) -> NDArray[np.float32]:
    """Weigh the rows, then the columns; float32 sums in one fixed order."""
    tall = rows @ np.asarray(slice2d, dtype=np.float32)
    out: NDArray[np.float32] = np.ascontiguousarray((columns @ tall.T).T)
    return out


def _as_type(values: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert to the pixel type; integers are rounded and kept in their range."""
    if dtype.kind == "b":
        covered: NDArray[np.bool_] = values >= 0.5 - TIE
        return covered
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)
    return values.astype(dtype, copy=False)


def _part(weights: csr_array, wanted: slice) -> tuple[csr_array, slice]:
    """Weights of some output pixels, and the range of the input that they need."""
    part = weights[wanted]
    if part.nnz == 0:
        return part[:, :0], slice(0, 0)
    start, stop = int(part.indices.min()), int(part.indices.max()) + 1
    return part[:, start:stop], slice(start, stop)
