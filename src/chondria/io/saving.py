"""Save any volume: whole from memory, or piece by piece where it does not fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chondria.errors import FormatError
from chondria.io.atomic import atomic_target, check_disk_space, check_free
from chondria.io.detect import SLICE_SUFFIXES, split_hdf5
from chondria.io.formats import check_holds, format_of_suffix
from chondria.io.hdf5 import DEFAULT_DATASET, create_hdf5, list_datasets
from chondria.io.header import NO_ORIGIN, Grid, pixel_dtype
from chondria.io.mrc import create_mrc
from chondria.io.nifti import create_nifti, write_nifti_gz
from chondria.io.npy import create_npy
from chondria.io.ome_zarr import create_ome_zarr, create_ome_zarr_04
from chondria.io.png import write_png
from chondria.io.sidecar import FOLDER_SIDECAR, sidecar_of, write_sidecar
from chondria.io.slabs import ArraySink, iter_blocks
from chondria.io.slices import write_png_slices, write_tiff_slices
from chondria.io.tiff_write import create_tiff, write_tiff
from chondria.io.zarr_arrays import create_zarr
from chondria.io.zarr_node import is_zarr, read_node
from chondria.volume import ArraySource, Volume, as_voxel_size

__all__ = ["create_volume", "save_volume"]

_Creator = Callable[[Path, Grid], AbstractContextManager[ArraySink]]
_Writer = Callable[[Path, Grid, ArraySource], None]

_CREATORS: dict[str, _Creator] = {
    "tiff": create_tiff,
    "ome-zarr": create_ome_zarr,
    "ome-zarr-0.4": create_ome_zarr_04,
    "zarr": create_zarr,
    "mrc": create_mrc,
    "nifti": create_nifti,
    "npy": create_npy,
}
# Formats that are compressed in the order of slices; the others are created and filled.
_WRITERS: dict[str, _Writer] = {
    "tiff": write_tiff,
    "tiff-slices": write_tiff_slices,
    "png": write_png,
    "png-slices": write_png_slices,
}


def save_volume(
    volume: Volume, path: str | Path, format: str | None = None, *, overwrite: bool = False
) -> Path:
    """Save a volume; it appears under its name only when it is whole.

    Parameters
    ----------
    volume : Volume
        Values (Z, Y, X); lazy ones are read a few slices at a time. True and False become 1 and 0.
    path : str or Path
        File or folder to be made, or ``file.h5:/dataset``; missing parent folders are made too.
    format : str, optional
        Key of `FORMATS`; without it, the ending of the path decides.
    overwrite : bool
        Whether an existing file, or a folder that holds nothing but a volume, may be replaced.

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    OutputExistsError
        If the path exists and may not be replaced.
    FormatError
        If the format is unknown or cannot hold such pixels.
    ShapeError
        If the format cannot hold such a shape.
    DiskSpaceError
        If the disk has too little room.
    MissingPackageError
        If an optional package is needed.
    """
    file, key, dataset = _choose_target(path, format)
    grid = Grid.of(volume)
    with _partial_target(file, key, dataset, grid, overwrite) as partial:
        check_disk_space(partial.parent, _file_bytes(key, grid))
        _write(partial, key, dataset, grid, volume.data)
    return Path(path)


@contextmanager
def create_volume(
    path: str | Path,
    shape: Sequence[int],
    dtype: Any,
    voxel_size_nm: Sequence[float] | None = None,
    format: str | None = None,
    *,
    overwrite: bool = False,
    origin_nm: tuple[float, float, float] = NO_ORIGIN,
) -> Iterator[ArraySink]:
    """Create a volume that is written piece by piece, also one larger than memory.

    Parameters
    ----------
    path, format, overwrite
        As for `save_volume`.
    shape : sequence of int
        Number of voxels (z, y, x).
    dtype : numpy.dtype
        Type of the voxels.
    voxel_size_nm : sequence of float, optional
        Voxel size (z, y, x) in nanometres.
    origin_nm : tuple of float
        Position of the first voxel's centre (z, y, x) in nanometres.

    Yields
    ------
    ArraySink, (Z, Y, X)
        Takes ``sink[z0:z1, y0:y1, x0:x1] = values`` from any thread and gives values back; what
        is never written is zero. Whole slices in order are fastest. When the block ends without
        an error the volume appears under its name; otherwise nothing is left.

    Raises
    ------
    OutputExistsError, FormatError, ShapeError, VoxelSizeError, DiskSpaceError, MissingPackageError
        As `save_volume`.

    Notes
    -----
    Formats that are compressed slice by slice (folders of slices, PNG, .nii.gz) pass through an
    uncompressed temporary file beside the output.
    """
    file, key, dataset = _choose_target(path, format)
    grid = _given_grid(shape, dtype, voxel_size_nm, origin_nm)
    with _partial_target(file, key, dataset, grid, overwrite) as partial:
        creator = _creator(partial, key, dataset)
        factor = 1 if creator else 2
        check_disk_space(partial.parent, factor * _file_bytes(key, grid))
        if creator:
            with creator(partial, grid) as sink:
                yield sink
            return
        scratch = partial.with_name(f"{partial.name}.npy")
        try:
            with create_npy(scratch, grid) as sink:
                yield sink
            _write(partial, key, dataset, grid, sink)
        finally:
            scratch.unlink(missing_ok=True)


def _choose_target(path: str | Path, format: str | None) -> tuple[Path, str, str]:
    file, dataset = split_hdf5(path)
    key = format or format_of_suffix(file)
    if dataset is not None and key != "hdf5":
        raise FormatError(
            f"The output '{path}' names a dataset of an HDF5 file, but the format is {key}; leave "
            "the dataset out or choose --format hdf5."
        )
    return file, key, dataset or DEFAULT_DATASET


def _given_grid(
    shape: Sequence[int],
    dtype: Any,
    voxel_size_nm: Sequence[float] | None,
    origin_nm: tuple[float, float, float],
) -> Grid:
    z, y, x = Volume(np.broadcast_to(np.zeros(1, np.uint8), tuple(shape))).shape
    size = None if voxel_size_nm is None else as_voxel_size(voxel_size_nm)
    return Grid((z, y, x), pixel_dtype(dtype, "the volume to be written"), size, origin_nm)


@contextmanager
def _partial_target(
    file: Path, key: str, dataset: str, grid: Grid, overwrite: bool
) -> Iterator[Path]:
    check_holds(key, grid)
    if key == "npy":
        check_free(sidecar_of(file), overwrite)
    replaceable = functools.partial(_replaceable, dataset=dataset if key == "hdf5" else None)
    with atomic_target(file, overwrite, replaceable) as partial:
        yield partial
        if key == "npy":
            write_sidecar(file, grid)


def _creator(path: Path, key: str, dataset: str) -> _Creator | None:
    if key == "hdf5":
        return functools.partial(create_hdf5, name=dataset)
    return None if path.name.lower().endswith(".nii.gz") else _CREATORS.get(key)


def _write(path: Path, key: str, dataset: str, grid: Grid, data: ArraySource) -> None:
    creator = _creator(path, key, dataset)
    if key in _WRITERS:
        _WRITERS[key](path, grid, data)
    elif creator is None:
        write_nifti_gz(path, grid, data)
    else:
        with creator(path, grid) as sink:
            for place, block in iter_blocks(data, sink):
                sink[place] = block


def _file_bytes(key: str, grid: Grid) -> int:
    widened = key == "mrc" and grid.dtype.name == "uint8"
    return grid.nbytes * (2 if widened else 1)


def _replaceable(path: Path, dataset: str | None) -> bool:
    """Tell whether overwriting loses one volume and no more: never a folder of other things."""
    if path.is_file():
        try:
            return dataset is None or set(list_datasets(path)) <= {"/" + dataset.strip("/")}
        except FormatError:
            return True
    if is_zarr(path):
        node = read_node(path)
        return node.kind == "array" or bool(node.multiscales)
    visible = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    return all(
        entry.is_file() and (entry.suffix.lower() in SLICE_SUFFIXES or entry.name == FOLDER_SIDECAR)
        for entry in visible
    )
