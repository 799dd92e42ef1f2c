"""Read TIFF: pages, BigTIFF, ImageJ and OME stacks, lazily."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, ShapeError
from chondria.io.damage import damaged_as_format_error
from chondria.io.grey import as_grey
from chondria.io.header import Header, pixel_dtype
from chondria.io.stack import SliceStack
from chondria.io.tiff_chain import check_chain
from chondria.io.tiff_header import tiff_header
from chondria.io.view import ZyxView, map_file
from chondria.volume import ArraySource

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

__all__ = ["TiffPageReader", "open_tiff"]

_MINISWHITE = 0

_opening = threading.Lock()


def _renew_lock() -> None:
    # A lock that another thread holds while a process forks would never be released in the child.
    global _opening  # noqa: PLW0603
    _opening = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class TiffPageReader:
    """Reads single pages of a TIFF as grey slices; one open file per process.

    Parameters
    ----------
    path : Path
        A TIFF whose first series is a stack of pages of one size.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = -1
        self._tif: TiffFile | None = None

    def __call__(self, z: int) -> NDArray[Any]:
        """Read page z as an array (Y, X).

        Raises
        ------
        FormatError
            If it cannot be decoded or has several channels.
        """
        where = f"page {z + 1} of '{self._path}'"
        with damaged_as_format_error(where):
            tif = self._opened()
            with tif.filehandle.lock:  # finding a page reads its directory
                page: Any = _images(tif)[0].pages[z]
            image = page.asarray()  # locks while it reads, not while it decodes
            return _grey_page(image, page.keyframe, where)

    def _opened(self) -> TiffFile:
        from tifffile import TiffFile

        with _opening:
            # A forked process shares the position in the file with its parent: open it anew.
            if self._tif is None or self._owner != os.getpid():
                self._tif = TiffFile(self._path)
                self._tif.filehandle.set_lock(True)
                self._owner = os.getpid()
            return self._tif

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_path"])  # type: ignore[misc]

    def __del__(self) -> None:
        if self._tif is not None:
            self._tif.close()


def open_tiff(path: Path) -> tuple[ArraySource, Header]:
    """Open a TIFF lazily: mapped into memory where it is uncompressed, else page by page.

    Parameters
    ----------
    path : Path
        The file. A stack that was saved as time points is taken as slices. Images where 0 is
        white are inverted; 1-bit images become 0 and 255; palettes give their indices.

    Returns
    -------
    source : ArraySource, (Z, Y, X)
        The first image of the file.
    header : Header
        What its metadata says.

    Raises
    ------
    FormatError
        If the file is truncated, damaged, or has several differing channels.
    ShapeError
        If its pages differ in size or it has more than one long axis beside Y and X.
    """
    from tifffile import TiffFile

    check_chain(path)
    with damaged_as_format_error(path), TiffFile(path) as tif:
        series = _only_series(tif, path)
        depth = _depth(series, path)
        _check_data(series, path)
        header = tiff_header(tif)
        source = _source(series, path, depth)
    if isinstance(source, SliceStack) and "S" in series.axes:
        source[0]  # a colour image is refused now, not after an hour
    return source, header


def _images(tif: TiffFile) -> list[TiffPageSeries]:
    """Series of a file without thumbnails."""
    return [series for series in tif.series if not series.keyframe.is_reduced]


def _only_series(tif: TiffFile, path: Path) -> TiffPageSeries:
    images = _images(tif)
    if not images or 0 in images[0].shape:
        raise ShapeError(f"The TIFF '{path}' holds no image of non-empty axes.")
    if len(images) > 1:
        shapes = " and ".join(str(image.shape) for image in images[:2])
        raise ShapeError(
            f"The TIFF '{path}' holds {len(images)} separate images (shapes {shapes}, ...); a "
            "volume is one stack of slices of one size and type: save the one to be used."
        )
    said = (tif.imagej_metadata or {}).get("images", 1)
    if images[0].kind != "imagej" and said > len(tif.pages):
        raise FormatError(
            f"The TIFF '{path}' is truncated: ImageJ's description promises {said} slices and "
            f"{len(tif.pages)} are there; copy or export it again."
        )
    return images[0]


def _depth(series: TiffPageSeries, path: Path) -> int:
    """Number of slices: the one long axis beside rows, columns and colours."""
    axes = [(n, size) for n, size in zip(series.axes, series.shape, strict=True) if size != 1]
    long = [(name, size) for name, size in axes if name not in "YXS"]
    if len(long) > 1 or any(name == "C" for name, _ in long):
        said = ", ".join(f"{name}={size}" for name, size in axes)
        raise ShapeError(
            f"Found the axes {said} of shape {series.shape} in '{path}'; allowed are a 2-D image "
            "or a 3-D volume: pick one channel and one time point and save it."
        )
    return long[0][1] if long else 1


def _check_data(series: TiffPageSeries, path: Path) -> None:
    size = path.stat().st_size
    for number, page in enumerate(series.pages, start=1):
        if page is None:
            raise FormatError(
                f"Page {number} of '{path}' is in another file that is missing; copy all files of "
                "the OME-TIFF together."
            )
        if page.parent.filename != path.name:
            continue  # another file of a multi-file OME-TIFF
        ends = zip(page.dataoffsets, page.databytecounts, strict=False)
        if any(offset + count > size for offset, count in ends):
            raise FormatError(
                f"The TIFF '{path}' is truncated: the pixels of page {number} lie beyond its "
                f"{size} bytes; copy or export it again."
            )


def _source(series: TiffPageSeries, path: Path, depth: int) -> ArraySource:
    page: Any = series.keyframe
    shape = (depth, int(page.imagelength), int(page.imagewidth))
    special = "S" in series.axes or page.photometric == _MINISWHITE or page.bitspersample == 1
    if series.dataoffset is not None and not special:
        stored = map_file(path, _stored_dtype(series), int(series.dataoffset), shape)
        native = stored.dtype == pixel_dtype(stored.dtype, path)
        return stored if native else ZyxView(stored, (0, 1, 2), path)
    if len(series.pages) != depth or series.is_truncated:
        planes = np.asarray(series.asarray()).reshape(shape + ((-1,) if "S" in series.axes else ()))
        return np.stack([_grey_page(plane, page, path) for plane in planes])
    dtype = pixel_dtype(series.dtype, path)
    return SliceStack(TiffPageReader(path), shape, dtype)


def _stored_dtype(series: TiffPageSeries) -> np.dtype[Any]:
    order = series.keyframe.parent.byteorder
    stored: np.dtype[Any] = np.dtype(series.dtype).newbyteorder(order)
    return stored


def _grey_page(image: NDArray[Any], page: Any, where: str | Path) -> NDArray[Any]:
    if image.ndim == 3 and page.planarconfig == 2:
        image = np.moveaxis(image, 0, -1)
    image = image.astype(pixel_dtype(image.dtype, where), copy=False)
    if page.bitspersample == 1:
        image = image * np.uint8(255)
    if page.photometric == _MINISWHITE and image.dtype.kind == "u":
        image = np.iinfo(image.dtype).max - image
    return as_grey(image, where)
