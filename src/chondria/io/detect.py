"""Tell the format of an input by its content, and by its name only where content says nothing."""

from __future__ import annotations

import re
from pathlib import Path

from chondria.errors import FormatError, InputNotFoundError
from chondria.io.damage import check_exists
from chondria.io.formats import FORMATS
from chondria.io.ome_zarr import find_level
from chondria.io.stack import natural_key
from chondria.io.zarr_node import is_zarr, read_node

__all__ = ["SLICE_SUFFIXES", "slice_files", "split_hdf5", "volume_format"]

#: Endings of files that can be slices, by the format of the folder.
SLICE_SUFFIXES = {".tif": "tiff-slices", ".tiff": "tiff-slices", ".png": "png-slices"}

_HEAD = 512
_HDF5_PATH = re.compile(r"(?P<file>.+\.(?:h5|hdf5|hdf|he5|ilp|nwb)):(?P<dataset>.+)", re.IGNORECASE)
_MAGIC = (
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"\x93NUMPY", "npy"),
    (344, b"n+1\0", "nifti"),
    (4, b"n+2\0", "nifti"),
    (208, b"MAP", "mrc"),
)
_KNOWN_OTHERS = (
    (b"\xff\xd8\xff", "a JPEG, which changes pixel values when it is saved"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"BM", "a BMP"),
    (b"GIF8", "a GIF"),
)


def volume_format(path: str | Path) -> str:
    """Name the format of an existing input, as a key of `FORMATS`.

    Parameters
    ----------
    path : str or Path
        A file, a folder of slices, a Zarr folder, or ``file.h5:/dataset``.

    Returns
    -------
    str
        Key of the format; an output is written in it unless another is asked for.

    Raises
    ------
    InputNotFoundError
        If there is no such file or folder, or the folder holds no image.
    FormatError
        If the content is of no format that can be read.
    """
    file, _ = split_hdf5(path)
    check_exists(file)
    return _folder_format(file) if file.is_dir() else _file_format(file)


def split_hdf5(path: str | Path) -> tuple[Path, str | None]:
    """Split ``file.h5:/dataset`` into the file and the dataset (None for any other path)."""
    match = _HDF5_PATH.fullmatch(str(path))
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match["file"]), match["dataset"]


def slice_files(folder: Path) -> list[Path]:
    """List the images of a folder in numeric order.

    Parameters
    ----------
    folder : Path
        Folder of slices; hidden files and files that are no images are left out.

    Raises
    ------
    InputNotFoundError
        If there is no TIFF and no PNG.
    FormatError
        If there are both.
    """
    visible = sorted(
        (entry for entry in folder.iterdir() if not entry.name.startswith(".")),
        key=lambda entry: natural_key(entry.name),
    )
    files = [entry for entry in visible if entry.suffix.lower() in SLICE_SUFFIXES]
    files = [entry for entry in files if entry.is_file()]
    if not files:
        inside = ", ".join(entry.name for entry in visible[:5]) or "nothing"
        raise InputNotFoundError(
            f"The folder '{folder}' holds no TIFF or PNG slices (found: {inside}); name a folder "
            "of slices or a file."
        )
    if len({SLICE_SUFFIXES[file.suffix.lower()] for file in files}) > 1:
        suffixes = ", ".join(sorted({file.suffix for file in files}))
        raise FormatError(
            f"The folder '{folder}' mixes slices of different formats ({suffixes}); leave only "
            "one kind in it."
        )
    return files


def _folder_format(folder: Path) -> str:
    if is_zarr(folder):
        node = read_node(folder)
        if node.kind == "group":
            return "ome-zarr" if node.version == 3 else "ome-zarr-0.4"
        level = find_level(node.path)
        return "zarr" if level is None else volume_format(level[0].path)
    if folder.name.lower().endswith(".zarr"):
        read_node(folder)  # says which metadata is missing
    return SLICE_SUFFIXES[slice_files(folder)[0].suffix.lower()]


def _file_format(file: Path) -> str:
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise FormatError(f"The file '{file}' is empty (0 bytes); copy or export it again.")
    zipped = head.startswith(b"\x1f\x8b")
    content = _unzipped(file) if zipped else head
    for offset, magic, key in _MAGIC:
        if content[offset:].startswith(magic) and (key == "nifti" or not zipped):
            return key
    mrc = FORMATS["mrc"]
    if file.suffix.lower() in (mrc.suffix, *mrc.other_suffixes):
        return "mrc"  # files older than the format's 'MAP' mark
    looks = [f" (it looks like {said})" for magic, said in _KNOWN_OTHERS if head.startswith(magic)]
    readable = "; ".join(entry.description for entry in FORMATS.values())
    raise FormatError(
        f"The content of '{file}' is of no format that can be read{''.join(looks)}: the file is "
        f"damaged or must be converted to one of: {readable}."
    )


def _unzipped(file: Path) -> bytes:
    import gzip

    try:
        with gzip.open(file) as stream:
            return stream.read(_HEAD)
    except (OSError, EOFError):
        return b""
