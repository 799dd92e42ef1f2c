"""Datasets of HDF5 files, named as ``file.h5:/path``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chondria.errors import FormatError, InputNotFoundError
from chondria.io.damage import damaged_as_format_error, import_optional
from chondria.io.header import (
    Grid,
    Header,
    header_from_dict,
    header_to_dict,
    length_nm,
)
from chondria.io.slabs import ArraySink, SlabBuffer
from chondria.io.view import ZyxView, zyx_axes
from chondria.io.zarr_arrays import choose_storage
from chondria.volume import ArraySource

__all__ = ["DEFAULT_DATASET", "Hdf5Source", "create_hdf5", "list_datasets", "open_hdf5"]

#: Name of the dataset where an output names only the file.
DEFAULT_DATASET = "/volume"


class Hdf5Source:
    """A dataset that is opened anew in every process, so that it can be pickled and forked.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        The dataset in it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._owner = -1
        self._file: Any = None
        dataset = self._dataset()
        self.shape = tuple(int(size) for size in dataset.shape)
        self.dtype = np.dtype(dataset.dtype)
        self.chunks = dataset.chunks
        self.attributes = dict(dataset.attrs)

    def __getitem__(self, key: Any) -> Any:
        """Read a box of the dataset."""
        return self._dataset()[key]

    def _dataset(self) -> Any:
        if self._file is None or self._owner != os.getpid():
            self._file = import_optional("h5py", "hdf5").File(self._path, "r")
            self._owner = os.getpid()
        return self._file[self._name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_owner": -1, "_file": None}


def open_hdf5(path: Path, name: str | None = None) -> tuple[ArraySource, Header]:
    """Open a dataset lazily.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        The dataset; without it, the only image or volume in the file.

    Returns
    -------
    source : ArraySource, (Z, Y, X)
        The dataset; further axes must have length one.
    header : Header
        From the attribute ``voxel_size_nm`` (ours) or ``element_size_um`` (Fiji, ilastik), z, y, x.

    Raises
    ------
    InputNotFoundError
        If there is no such dataset.
    FormatError
        If the file is damaged or holds several datasets and none was named.
    ShapeError
        If the dataset is neither an image nor a volume.
    """
    datasets = list_datasets(path)
    said = ", ".join(f"{key} {shape}" for key, shape in datasets.items()) or "none"
    if name is None:
        images = [key for key, shape in datasets.items() if len(shape) == 3]
        images = images or [key for key, shape in datasets.items() if len(shape) >= 2]
        if len(images) != 1:
            raise FormatError(
                f"The file '{path}' holds {len(images)} datasets that may be meant (datasets: "
                f"{said}); name one as '{path}:/dataset'."
            )
        name = images[0]
    if "/" + name.strip("/") not in datasets:
        raise InputNotFoundError(
            f"There is no dataset '{name}' in '{path}'; its datasets are: {said}."
        )
    where = f"{path}:{name}"
    with damaged_as_format_error(where):
        source = Hdf5Source(path, name)
    return ZyxView(source, zyx_axes(source.shape, where), where), _header(source, where)


def list_datasets(path: Path) -> dict[str, tuple[int, ...]]:
    """Give the shape of every dataset of numbers in a file by its name.

    Raises
    ------
    FormatError
        If the file is truncated or damaged.
    MissingPackageError
        If h5py is not installed.
    """
    h5py = import_optional("h5py", "hdf5")
    found: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            found["/" + name] = tuple(int(size) for size in item.shape)

    with damaged_as_format_error(path), h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


@contextmanager
def create_hdf5(path: Path, grid: Grid, name: str = DEFAULT_DATASET) -> Iterator[ArraySink]:
    """Create a file with one dataset (gzip, chunks) and give it to be written."""
    h5py = import_optional("h5py", "hdf5")
    storage = choose_storage(grid)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            name,
            grid.shape,
            grid.dtype,
            chunks=storage.chunk,
            compression="gzip",
            compression_opts=1,
            shuffle=grid.dtype.itemsize > 1,
        )
        dataset.attrs.update(header_to_dict(grid))
        if grid.voxel_size_nm is not None:
            dataset.attrs["element_size_um"] = [length / 1000 for length in grid.voxel_size_nm]
        buffer = SlabBuffer(dataset, storage.chunk[0])
        yield buffer
        buffer.close()


def _header(source: Hdf5Source, where: str) -> Header:
    stated = header_from_dict(source.attributes, where)
    micrometres = source.attributes.get("element_size_um")
    if stated.voxel_size_nm is not None or micrometres is None:
        return stated
    with damaged_as_format_error(f"the attribute element_size_um of {where}"):
        size = [length_nm(float(length), "um") for length in np.ravel(micrometres)]
    return Header(size, stated.origin_nm)
