"""Write TIFF: ImageJ stacks where ImageJ knows the pixels, OME-TIFF otherwise, BigTIFF if large."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.io.header import Grid, header_to_dict
from chondria.io.slabs import ArraySink, iter_slabs
from chondria.io.tiff_header import imagej_metadata, ome_metadata
from chondria.volume import ArraySource

__all__ = ["create_tiff", "write_tiff", "write_tiff_slice"]

# Offsets of a classic TIFF end at 4 GiB; the rest is for its directories.
_CLASSIC_BYTES = 2**32 - 2**26
_IMAGEJ_TYPES = ("uint8", "uint16", "int16", "float32")
_OME_TYPES = (*_IMAGEJ_TYPES, "int8", "int32", "uint32", "float64")


def write_tiff(path: Path, grid: Grid, data: ArraySource) -> None:
    """Write a compressed TIFF, a page per slice, slab by slab (zlib with differences)."""
    import tifffile

    pages = itertools.chain.from_iterable(slab for _, _, slab in iter_slabs(data, grid.dtype))
    tifffile.imwrite(
        path,
        (np.ascontiguousarray(page) for page in pages),
        shape=grid.shape,
        dtype=grid.dtype,
        **_compression(grid.dtype),
        **_settings(grid),
    )


@contextmanager
def create_tiff(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create an uncompressed TIFF and give it to be written through memory; zero at first."""
    import tifffile

    stored = tifffile.memmap(path, shape=grid.shape, dtype=grid.dtype, **_settings(grid))
    yield stored.reshape(grid.shape)
    stored.flush()


def write_tiff_slice(path: Path, image: NDArray[Any]) -> None:
    """Write one slice (Y, X) of a folder; its voxel size is in the folder's sidecar."""
    import tifffile

    tifffile.imwrite(
        path,
        np.ascontiguousarray(image),
        photometric="minisblack",
        metadata=None,
        **_compression(image.dtype),
    )


def _compression(dtype: np.dtype[Any]) -> dict[str, Any]:
    differences = 2 if dtype.kind in "iu" else None
    return {"compression": "zlib", "compressionargs": {"level": 1}, "predictor": differences}


def _settings(grid: Grid) -> dict[str, Any]:
    bigtiff = grid.nbytes > _CLASSIC_BYTES
    common: dict[str, Any] = {"photometric": "minisblack", "bigtiff": bigtiff}
    if grid.dtype.name in _IMAGEJ_TYPES and not bigtiff:
        metadata, resolution = imagej_metadata(grid)
        return {**common, "imagej": True, "metadata": metadata, "resolution": resolution}
    if grid.dtype.name in _OME_TYPES:
        return {**common, "ome": True, "metadata": ome_metadata(grid)}
    return {**common, "metadata": {"axes": "ZYX", **header_to_dict(grid)}}
