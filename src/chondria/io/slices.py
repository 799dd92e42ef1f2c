"""Folders and lists of image files, one slice each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, InputNotFoundError, ShapeError
from chondria.io.detect import slice_files, volume_format
from chondria.io.header import Grid, Header
from chondria.io.png import encode_png, is_png, read_png, read_png_info
from chondria.io.sidecar import read_sidecar, write_sidecar
from chondria.io.slabs import iter_slabs
from chondria.io.stack import SliceStack
from chondria.io.tiff import open_tiff
from chondria.io.tiff_write import write_tiff_slice
from chondria.volume import ArraySource

__all__ = [
    "SliceFiles",
    "open_slice_files",
    "open_slice_folder",
    "write_png_slices",
    "write_tiff_slices",
]

_THREADS = 4


class SliceFiles:
    """Reads slice z from the z-th file.

    Parameters
    ----------
    files : sequence of Path
        TIFF or PNG files.
    shape : tuple of int
        Rows and columns of every slice.
    """

    def __init__(self, files: Sequence[Path], shape: tuple[int, int]) -> None:
        self._files, self._shape = tuple(files), shape

    def __call__(self, z: int) -> NDArray[Any]:
        """Read slice z as an array (Y, X); raises FormatError if it is damaged or in colour."""
        file = self._files[z]
        image = read_png(file) if is_png(file) else np.asarray(open_tiff(file)[0][0])
        if image.shape != self._shape:
            raise FormatError(
                f"The slice '{file}' has shape {image.shape} and had {self._shape} when the "
                "volume was opened; open it again."
            )
        return image


def open_slice_folder(folder: Path) -> tuple[ArraySource, Header]:
    """Open a folder of slices lazily, in numeric order of their names.

    The voxel size is in ``voxel_size.json`` inside the folder, or in the first slice.

    Raises
    ------
    InputNotFoundError
        If the folder holds no slice.
    FormatError
        If TIFF and PNG are mixed, or a slice is damaged or in colour.
    ShapeError
        If the slices differ in size or pixel type.
    """
    source, header = open_slice_files(slice_files(folder))
    return source, read_sidecar(folder) or header


def open_slice_files(files: Sequence[Path]) -> tuple[ArraySource, Header]:
    """Open image files as slices, in the order given; only their headers are read.

    Raises
    ------
    InputNotFoundError
        If there is no file, or one does not exist.
    FormatError
        If one is neither TIFF nor PNG, damaged or in colour.
    ShapeError
        If they differ in size or pixel type, or one holds several slices.
    """
    if not files:
        raise InputNotFoundError("Found no image files to be the slices of a volume; name one.")
    with ThreadPoolExecutor(_THREADS) as pool:
        grids = list(pool.map(_slice_grid, files))
    first = grids[0]
    for file, grid in zip(files, grids, strict=True):
        if grid != first:
            raise ShapeError(
                f"The slice '{file}' is of shape {grid[0]} and type {grid[1]}, but the first one "
                f"'{files[0]}' is of shape {first[0]} and type {first[1]}; all slices of a volume "
                "have one size and type: mend or remove it."
            )
    shape, dtype = first
    source = SliceStack(SliceFiles(files, shape), (len(files), *shape), dtype)
    if not is_png(files[0]):
        return source, open_tiff(files[0])[1]
    info = read_png_info(files[0])
    if not info.is_grey:
        source[0]  # a colour image is refused now, not after an hour
    return source, info.header


def write_png_slices(path: Path, grid: Grid, data: ArraySource) -> None:
    """Write a folder of PNGs 0000.png, 0001.png, ... and its ``voxel_size.json``."""
    _write_slices(path, grid, data, ".png")


def write_tiff_slices(path: Path, grid: Grid, data: ArraySource) -> None:
    """Write a folder of TIFFs 0000.tif, 0001.tif, ... and its ``voxel_size.json``."""
    _write_slices(path, grid, data, ".tif")


def _slice_grid(file: Path) -> tuple[tuple[int, int], np.dtype[Any]]:
    key = volume_format(file)
    if key == "png":
        info = read_png_info(file)
        return info.shape, info.dtype
    if key != "tiff":
        raise FormatError(
            f"The slice '{file}' is of the format {key}; the slices of a volume are TIFF or PNG "
            "images, and a file of another format is opened by itself."
        )
    source, _ = open_tiff(file)
    depth, rows, columns = source.shape
    if depth != 1:
        raise ShapeError(
            f"The file '{file}' holds {depth} slices of shape {(rows, columns)}, and a slice of a "
            "volume holds one; open the file by itself."
        )
    return (rows, columns), np.dtype(source.dtype)


def _write_slices(path: Path, grid: Grid, data: ArraySource, suffix: str) -> None:
    path.mkdir()
    digits = max(4, len(str(grid.shape[0] - 1)))
    with ThreadPoolExecutor(_THREADS) as pool:
        for start, _, slab in iter_slabs(data, grid.dtype):
            files = [path / f"{start + z:0{digits}d}{suffix}" for z in range(len(slab))]
            list(pool.map(_write_slice, files, slab))
    write_sidecar(path, grid)


def _write_slice(file: Path, image: NDArray[Any]) -> None:
    if file.suffix == ".png":
        file.write_bytes(encode_png(image))
    else:
        write_tiff_slice(file, image)
