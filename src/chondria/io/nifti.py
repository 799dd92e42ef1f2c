"""NIfTI-1 files, whose arrays run x, y, z: the bytes of a Z, Y, X array in C order."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.io.damage import damaged_as_format_error, import_optional
from chondria.io.header import NO_ORIGIN, Grid, Header, length_nm, pixel_dtype
from chondria.io.slabs import ArraySink, iter_slabs
from chondria.io.view import ZyxView, map_file, zyx_axes
from chondria.volume import ArraySource

__all__ = ["create_nifti", "open_nifti", "write_nifti_gz"]

_logger = logging.getLogger(__name__)


def open_nifti(path: Path) -> tuple[ArraySource, Header]:
    """Open a NIfTI file: mapped into memory, or read whole where it is zipped or scaled.

    Zooms are lengths only where the header names their unit. Exactly 1 mm is what programs write
    that do not know better, and counts as not stated.

    Raises
    ------
    FormatError
        If the file is truncated or damaged, or holds complex or RGB pixels.
    ShapeError
        If it is neither an image nor a volume.
    MissingPackageError
        If nibabel is not installed.
    """
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    with damaged_as_format_error(path):
        header = _read_header(path, zipped)
        dtype = np.dtype(header.get_data_dtype())
        slope, inter = (number or 0.0 for number in header.get_slope_inter())
    shape = tuple(int(size) for size in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    axes = zyx_axes(shape[::-1], path)
    pixel_dtype(dtype, path)
    offset, plain = int(header.get_data_offset()), (slope, inter) in ((1.0, 0.0), (0.0, 0.0))
    if zipped:
        with damaged_as_format_error(path):
            stored = _unzip(path, offset, dtype, shape[::-1])
    else:
        stored = map_file(path, dtype, offset, shape[::-1])
    if not plain:
        stored = np.asarray(stored * np.float64(slope) + np.float64(inter))
    native = stored.dtype.isnative and stored.ndim == 3
    source: ArraySource = stored if native else ZyxView(stored, axes, path)
    return source, _header(header, len(shape))


@contextmanager
def create_nifti(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create an uncompressed NIfTI file and give it to be written through memory."""
    start = _header_bytes(grid)
    path.write_bytes(start)
    stored = np.memmap(path, grid.dtype, mode="r+", offset=len(start), shape=grid.shape)
    yield stored
    stored.flush()


def write_nifti_gz(path: Path, grid: Grid, data: ArraySource) -> None:
    """Write a compressed NIfTI file (.nii.gz) slab by slab."""
    import gzip

    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(_header_bytes(grid))
        for _, _, slab in iter_slabs(data, grid.dtype):
            stream.write(np.ascontiguousarray(slab).data)


def _read_header(path: Path, zipped: bool) -> Any:
    import gzip

    with gzip.open(path) if zipped else path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(0)
        # A NIfTI-2 header begins with its length of 540 bytes.
        version = 2 if 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big")) else 1
        module = import_optional(f"nibabel.nifti{version}", "nifti")
        return getattr(module, f"Nifti{version}Header").from_fileobj(stream)


def _unzip(path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    import gzip

    values = np.empty(shape, dtype)
    with gzip.open(path) as stream:
        stream.seek(offset)
        content = values.reshape(-1).view(np.uint8)
        if stream.readinto(content.data) < content.nbytes or stream.read(1):
            raise EOFError("the pixels do not fill the shape in the header")
    return values


def _header_bytes(grid: Grid) -> bytes:
    nifti1 = import_optional("nibabel.nifti1", "nifti")
    header = nifti1.Nifti1Header(endianness="<" if sys.byteorder == "little" else ">")
    header.set_data_dtype(grid.dtype)
    header.set_data_shape(grid.shape[::-1])
    z, y, x = (length / 1000 for length in grid.voxel_size_nm or (1000.0, 1000.0, 1000.0))
    affine = np.diag([x, y, z, 1.0])
    affine[:3, 3] = [length / 1000 for length in reversed(grid.origin_nm)]
    header.set_zooms((x, y, z))
    header.set_sform(affine, code=1)
    header.set_xyzt_units("unknown" if grid.voxel_size_nm is None else "micron")
    header["vox_offset"], header["magic"] = 352, b"n+1"
    return bytes(header.binaryblock) + bytes(4)


def _header(header: Any, ndim: int) -> Header:
    unit = str(header.get_xyzt_units()[0])
    # The header holds single precision: its shortest decimal is meant.
    zooms = [float(str(zoom)) for zoom in header.get_zooms()[:ndim]]
    size = [length_nm(zoom, unit) for zoom in reversed(zooms)]
    if all(zoom == 1.0 for zoom in zooms) and unit == "mm":
        _logger.info("a voxel size of 1 mm stands for an unknown one")
        size = [None]
    if not all(size):
        return Header()
    factor = length_nm(1.0, unit) or 0.0
    x, y, z = (float(str(value)) * factor for value in header.get_sform()[:3, 3].astype("f4"))
    coded = int(header["sform_code"]) > 0
    return Header([None] * (3 - ndim) + size, (z, y, x) if coded else NO_ORIGIN)
