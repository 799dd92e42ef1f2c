"""Open any volume: the format by its content, the voxel size by the user or the file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from chondria.errors import VoxelSizeError
from chondria.io.damage import check_exists
from chondria.io.detect import split_hdf5, volume_format
from chondria.io.hdf5 import open_hdf5
from chondria.io.header import Header
from chondria.io.mrc import open_mrc
from chondria.io.nifti import open_nifti
from chondria.io.npy import open_npy
from chondria.io.ome_zarr import open_ome_zarr
from chondria.io.png import open_png
from chondria.io.slices import open_slice_files, open_slice_folder
from chondria.io.stack import natural_key
from chondria.io.tiff import open_tiff
from chondria.io.zarr_arrays import open_zarr
from chondria.volume import ArraySource, Volume, VoxelSize, as_voxel_size

__all__ = ["open_slices", "open_volume"]

_logger = logging.getLogger(__name__)

_OPENERS: dict[str, Callable[[Path], tuple[ArraySource, Header]]] = {
    "tiff": open_tiff,
    "tiff-slices": open_slice_folder,
    "png": open_png,
    "png-slices": open_slice_folder,
    "ome-zarr": open_ome_zarr,
    "ome-zarr-0.4": open_ome_zarr,
    "zarr": open_zarr,
    "hdf5": open_hdf5,
    "mrc": open_mrc,
    "nifti": open_nifti,
    "npy": open_npy,
}


def open_volume(path: str | Path, voxel_size_nm: Sequence[float] | None = None) -> Volume:
    """Open an image or volume of any format that can be read.

    The values are read when they are asked for wherever the format allows it.

    Parameters
    ----------
    path : str or Path
        A file, a folder of TIFF or PNG slices, a Zarr folder (array, OME-Zarr image or one of its
        levels), or ``file.h5:/dataset``. The format is told by the content.
    voxel_size_nm : sequence of float, optional
        Voxel size (z, y, x) in nanometres; overrules what the file says.

    Returns
    -------
    Volume
        Values (Z, Y, X) in native byte order, one channel. Its voxel size is None where neither
        the caller nor the file states one. A single slice whose file states only y and x gets the
        length of y along z.

    Raises
    ------
    InputNotFoundError
        If there is no such file, folder or dataset, or the folder holds no image.
    FormatError
        If the content is unknown, truncated or damaged, in colours, or of unusable pixels.
    ShapeError
        If it is neither an image nor a volume, or slices differ in size.
    VoxelSizeError
        If the voxel size that is given, or stated by the file, is not plausible.
    MissingPackageError
        If an optional package is needed.
    """
    file, dataset = split_hdf5(path)
    key = volume_format(path)
    source, header = open_hdf5(file, dataset) if key == "hdf5" else _OPENERS[key](file)
    return _volume(source, header, voxel_size_nm, str(path))


def open_slices(
    paths: Sequence[str | Path], voxel_size_nm: Sequence[float] | None = None
) -> Volume:
    """Open several image files as the slices of one volume.

    Parameters
    ----------
    paths : sequence of str or Path
        TIFF or PNG files of one size. They are put in numeric order of their names, since a
        shell hands on 'slice10.png' before 'slice2.png'.
    voxel_size_nm : sequence of float, optional
        Voxel size (z, y, x) in nanometres; overrules what the first file says.

    Returns
    -------
    Volume
        Values (Z, Y, X), read slice by slice.

    Raises
    ------
    InputNotFoundError, FormatError, ShapeError, VoxelSizeError
        As `open_volume`.
    """
    files = sorted((Path(path) for path in paths), key=lambda file: natural_key(str(file)))
    for file in files:
        check_exists(file)
    source, header = open_slice_files(files)
    return _volume(source, header, voxel_size_nm, str(files[0]))


def _volume(
    source: ArraySource, header: Header, given: Sequence[float] | None, where: str
) -> Volume:
    size = _stated_size(header, source, where) if given is None else as_voxel_size(given)
    return Volume(source, size, header.origin_nm)


def _stated_size(header: Header, source: ArraySource, where: str) -> VoxelSize | None:
    stated = list(header.voxel_size_nm or [])
    if len(stated) == 3 and stated[0] is None and source.shape[0] == 1:
        stated[0] = stated[1]  # a single image has no neighbours along z to be measured against
    lengths = [length for length in stated if length is not None]
    if len(lengths) < len(stated) or not stated:
        if lengths:
            _logger.warning("'%s' states no voxel size along all of Z, Y, X: none is used", where)
        return None
    try:
        return as_voxel_size(lengths)
    except VoxelSizeError as error:
        raise VoxelSizeError(
            f"The header of '{where}' states a voxel size that cannot be: {error} To overrule it, "
            "give --voxel-size Z,Y,X in nm."
        ) from error
