"""MRC2014 files (Cheng et al. 2015, doi:10.1016/j.jsb.2015.04.002), mapped into memory."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chondria.errors import FormatError
from chondria.io.damage import damaged_as_format_error, import_optional
from chondria.io.header import NO_ORIGIN, Grid, Header, length_nm, pixel_dtype
from chondria.io.slabs import ArraySink
from chondria.io.view import ZyxView, map_file
from chondria.volume import ArraySource, VoxelSize

__all__ = ["create_mrc", "open_mrc"]

_logger = logging.getLogger(__name__)

_HEADER_BYTES = 1024
_IMOD_STAMP = 1146047817
_NM_PER_ANGSTROM = 0.1


def open_mrc(path: Path) -> tuple[ArraySource, Header]:
    """Map an MRC file into memory.

    Mode 0 is signed, except in files of IMOD that say otherwise. A voxel of exactly 1 Å is what
    programs write that do not know its size, and counts as not stated.

    Raises
    ------
    FormatError
        If the file is truncated or damaged, of complex pixels, or of unusual axis order.
    MissingPackageError
        If mrcfile is not installed.
    """
    mrcfile = import_optional("mrcfile", "mrc")
    with damaged_as_format_error(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the header is judged below
        with mrcfile.open(path, header_only=True, permissive=True) as file:
            header = file.header.copy()
        dtype = np.dtype(mrcfile.utils.data_dtype_from_header(header))
    shape = (int(header.nz), int(header.ny), int(header.nx))
    order = (int(header.mapc), int(header.mapr), int(header.maps))
    if order not in ((1, 2, 3), (0, 0, 0)) or min(shape) < 1:
        raise FormatError(
            f"The header of '{path}' states the shape {shape} and the axis order {order}; allowed "
            "are non-empty volumes with columns, rows and sections along X, Y, Z (1, 2, 3)."
        )
    if dtype == np.int8 and _is_unsigned(header):
        dtype = np.dtype(np.uint8)
    pixel_dtype(dtype, path)
    stored = map_file(path, dtype, _HEADER_BYTES + int(header.nsymbt), shape)
    return _native(stored, path), _header(header)


@contextmanager
def create_mrc(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create an MRC file and give it to be written through memory.

    The format has no 8-bit unsigned pixels: uint8 is stored as uint16 (mode 6), equal in values.
    """
    mrcfile = import_optional("mrcfile", "mrc")
    mode = mrcfile.utils.mode_from_dtype(grid.dtype)
    with mrcfile.new_mmap(path, shape=grid.shape, mrc_mode=mode) as file:
        z, y, x = grid.voxel_size_nm or (0.0, 0.0, 0.0)
        file.voxel_size = tuple(length / _NM_PER_ANGSTROM for length in (x, y, z))
        shift = (length / _NM_PER_ANGSTROM for length in reversed(grid.origin_nm))
        file.header.origin.x, file.header.origin.y, file.header.origin.z = shift
        yield file.data
        file.flush()


def _is_unsigned(header: Any) -> bool:
    """IMOD marks its files; bit 0 of its flags says that bytes are signed."""
    stamp, flags = np.frombuffer(
        header.extra2.tobytes(), np.dtype("<i4").newbyteorder(header.nx.dtype.byteorder), 2, 40
    )
    return bool(stamp == _IMOD_STAMP) and not int(flags) & 1


def _native(stored: Any, path: Path) -> ArraySource:
    return stored if stored.dtype.isnative else ZyxView(stored, (0, 1, 2), path)


def _header(header: Any) -> Header:
    cells = [float(str(header.cella[axis])) for axis in "zyx"]
    counts = [int(header[name]) for name in ("mz", "my", "mx")]
    if any(count < 1 for count in counts) or all(
        cell == count for cell, count in zip(cells, counts, strict=True)
    ):
        if any(counts):
            _logger.info("a voxel size of 1 Å stands for an unknown one")
        return Header()
    # The header holds single precision: seven digits are meant.
    size = [length_nm(float(f"{c / n:.7g}"), "Å") for c, n in zip(cells, counts, strict=True)]
    z, y, x = (float(str(header.origin[axis])) * _NM_PER_ANGSTROM for axis in "zyx")
    origin: VoxelSize = (z, y, x)
    return Header(size if all(size) else None, origin if all(size) else NO_ORIGIN)
