"""A stack of slices that are read when they are asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.io.indexing import resolve_key
from chondria.io.recent import RecentArrays

__all__ = ["SliceStack", "natural_key"]

_READERS = min(8, os.cpu_count() or 1)


def natural_key(name: str) -> tuple[tuple[Any, ...], str]:
    """Sort key that puts 'slice2' before 'slice10': runs of digits count as numbers.

    Parameters
    ----------
    name : str
        A file's name.

    Returns
    -------
    tuple
        Comparable with every other key; equal only for equal names.
    """
    parts = re.split(r"([0-9]+)", name)
    texts = [part.casefold() if place % 2 == 0 else int(part) for place, part in enumerate(parts)]
    return tuple(texts), name


class SliceStack:
    """A (Z, Y, X) array source that reads one z slice at a time and remembers the latest.

    Parameters
    ----------
    read : callable
        ``read(z)`` gives slice z as an array (Y, X) of `dtype`. It is called from several
        threads; for use in other processes it must pickle.
    shape : tuple of int
        Number of voxels (z, y, x).
    dtype : numpy.dtype
        Type of the voxels.
    """

    def __init__(
        self, read: Callable[[int], NDArray[Any]], shape: tuple[int, int, int], dtype: Any
    ) -> None:
        self._read = read
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.ndim = 3
        self._recent = RecentArrays()

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a box; NumPy basic indexing. Raises whatever `read` raises."""
        box, rest = resolve_key(key, self.shape)
        planes = range(self.shape[0])[box[0]]
        rows, columns = (
            len(range(n)[part]) for n, part in zip(self.shape[1:], box[1:], strict=True)
        )
        out = np.empty((len(planes), rows, columns), self.dtype)

        def fill(place: int) -> None:
            z = planes[place]
            out[place] = self._recent.fetch(z, lambda: self._read(z))[box[1:]]

        if len(planes) < 4 or out.size == 0:
            for place in range(len(planes) if out.size else 0):
                fill(place)
        else:  # decoders release the interpreter's lock
            with ThreadPoolExecutor(_READERS) as pool:
                list(pool.map(fill, range(len(planes))))
        values: NDArray[Any] = out[rest]
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)
