"""NumPy's .npy files, mapped into memory; the voxel size is in a sidecar ``name.npy.json``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from chondria.errors import FormatError
from chondria.io.damage import damaged_as_format_error
from chondria.io.header import Grid, Header, pixel_dtype
from chondria.io.sidecar import read_sidecar
from chondria.io.slabs import ArraySink
from chondria.io.view import ZyxView, map_file
from chondria.volume import ArraySource, as_zyx

__all__ = ["create_npy", "open_npy"]


def open_npy(path: Path) -> tuple[ArraySource, Header]:
    """Map a .npy file into memory.

    Raises
    ------
    FormatError
        If it is truncated or damaged, or holds pickled objects or complex numbers.
    ShapeError
        If the array is neither an image nor a volume.
    """
    with damaged_as_format_error(path):
        shape, fortran, dtype, offset = _read_header(path)
    pixel_dtype(dtype, path)
    as_zyx(np.broadcast_to(np.zeros((), dtype), shape), str(path))
    stored = as_zyx(map_file(path, dtype, offset, shape, "F" if fortran else "C"), str(path))
    header = read_sidecar(path) or Header()
    native = stored.dtype == pixel_dtype(dtype, path)
    return (stored if native else ZyxView(stored, (0, 1, 2), path)), header


@contextmanager
def create_npy(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create a .npy file and give it to be written through memory; all zero at first."""
    stored = npy_format.open_memmap(path, mode="w+", dtype=grid.dtype, shape=grid.shape)
    yield stored
    stored.flush()


def _read_header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    with path.open("rb") as stream:
        version = npy_format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise FormatError(
                f"The file '{path}' is a .npy of version {version[0]}, which only structured "
                "arrays need; allowed are plain arrays of integers or floats."
            )
        first = version == (1, 0)
        read = npy_format.read_array_header_1_0 if first else npy_format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        return shape, fortran, dtype, stream.tell()
