"""The table of formats: what each is called, how its files end and which pixels it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chondria.errors import FormatError, ShapeError
from chondria.io.header import Grid

__all__ = ["FORMATS", "VolumeFormat", "check_holds", "format_of_suffix", "format_suffix"]

_ALL = "uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64"


@dataclass(frozen=True)
class VolumeFormat:
    """One way to store a volume.

    Parameters
    ----------
    key : str
        Name for ``--format``.
    suffix : str
        How its files end; empty for a folder of slices.
    description : str
        What it is, as part of a sentence.
    pixel_types : tuple of str
        NumPy names of the pixel types that come back equal.
    other_suffixes : tuple of str
        Further endings by which a file of it is recognised.
    """

    key: str
    suffix: str
    description: str
    pixel_types: tuple[str, ...]
    other_suffixes: tuple[str, ...] = ()


def _format(key: str, suffix: str, description: str, types: str, *others: str) -> VolumeFormat:
    return VolumeFormat(key, suffix, description, tuple(types.split()), others)


_MRC = "uint8 uint16 int8 int16 float16 float32"
_NIFTI = "uint8 uint16 uint32 uint64 int8 int16 int32 int64 float32 float64"

#: Every format by its key, in the order in which they are offered.
FORMATS: dict[str, VolumeFormat] = {
    entry.key: entry
    for entry in (
        _format("tiff", ".tif", "TIFF of one page per slice (ImageJ or OME-TIFF)", _ALL, ".tiff"),
        _format("tiff-slices", "", "folder of one TIFF per slice", _ALL),
        _format("png", ".png", "PNG of a single slice", "uint8 uint16"),
        _format("png-slices", "", "folder of one PNG per slice", "uint8 uint16"),
        _format("ome-zarr", ".ome.zarr", "OME-Zarr 0.5 (Zarr version 3)", _ALL, ".zarr"),
        _format("ome-zarr-0.4", ".ome.zarr", "OME-Zarr 0.4 (Zarr version 2)", _ALL),
        _format("zarr", ".zarr", "plain Zarr array (version 3)", _ALL),
        _format("hdf5", ".h5", "HDF5 dataset (file.h5:/path)", _ALL, ".hdf5", ".hdf"),
        _format("mrc", ".mrc", "MRC2014 file", _MRC, ".map", ".rec", ".st"),
        _format("nifti", ".nii", "NIfTI-1 file", _NIFTI, ".nii.gz"),
        _format("npy", ".npy", "NumPy array (voxel size in a .npy.json beside it)", _ALL),
    )
}


def format_suffix(key: str) -> str:
    """Give the ending of a format's files, such as '.tif'; empty for a folder of slices.

    Raises
    ------
    FormatError
        If there is no such format.
    """
    return _entry(key).suffix


def format_of_suffix(path: Path) -> str:
    """Choose the format of an output by its name.

    Raises
    ------
    FormatError
        If no format has such an ending.
    """
    name = path.name.lower()
    for entry in FORMATS.values():
        if any(end and name.endswith(end) for end in (entry.suffix, *entry.other_suffixes)):
            return entry.key
    endings = ", ".join(dict.fromkeys(e.suffix for e in FORMATS.values() if e.suffix))
    raise FormatError(
        f"Cannot tell the format of the output '{path}' by its name; allowed endings are "
        f"{endings}, or give --format with one of {', '.join(FORMATS)}."
    )


def check_holds(key: str, grid: Grid) -> None:
    """Refuse a volume that a format cannot hold without changing its values.

    Raises
    ------
    FormatError
        If there is no such format or it has no such pixels.
    ShapeError
        If a format of one slice is to hold several.
    """
    entry = _entry(key)
    if grid.dtype.name not in entry.pixel_types:
        able = ", ".join(e.key for e in FORMATS.values() if grid.dtype.name in e.pixel_types)
        raise FormatError(
            f"Found pixels of type {grid.dtype.name}, which a {entry.description} cannot hold "
            f"(only {', '.join(entry.pixel_types)}); choose a --format that can: {able}."
        )
    if key == "png" and grid.shape[0] != 1:
        raise ShapeError(
            f"Found a volume of {grid.shape[0]} slices (shape {grid.shape}), and a PNG holds one; "
            "choose --format png-slices for a folder of PNGs."
        )
    if key == "nifti" and max(grid.shape) > np.iinfo(np.int16).max:
        raise ShapeError(
            f"Found a volume of shape {grid.shape}, and a NIfTI-1 file has at most 32767 voxels "
            "along an axis; choose another --format such as ome-zarr."
        )


def _entry(key: str) -> VolumeFormat:
    if key not in FORMATS:
        raise FormatError(f"There is no format '{key}'; allowed are {', '.join(FORMATS)}.")
    return FORMATS[key]
