"""Voxel size and origin in a small JSON file, for formats that have no place for them."""

from __future__ import annotations

import json
from pathlib import Path

from chondria.errors import FormatError
from chondria.io.atomic import write_text_atomically
from chondria.io.header import Grid, Header, header_from_dict, header_to_dict

__all__ = ["FOLDER_SIDECAR", "read_sidecar", "sidecar_of", "write_sidecar"]

#: Name of the file inside a folder of slices.
FOLDER_SIDECAR = "voxel_size.json"


def sidecar_of(path: Path) -> Path:
    """Give the sidecar's path: ``name.npy.json`` of a file, ``voxel_size.json`` in a folder."""
    return path / FOLDER_SIDECAR if path.is_dir() else path.with_name(f"{path.name}.json")


def read_sidecar(path: Path) -> Header | None:
    """Read the sidecar of a file or folder of slices; None if there is none.

    Raises
    ------
    FormatError
        If it is there and cannot be read.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        return None
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(
            f"The file '{sidecar}' is no JSON ({error}); allowed is "
            '{"voxel_size_nm": [30, 4, 4]} in Z, Y, X order: mend or remove it.'
        ) from error
    return header_from_dict(said, sidecar)


def write_sidecar(path: Path, grid: Grid) -> None:
    """Write the sidecar of a file or folder, or remove an old one if there is nothing to say."""
    said = header_to_dict(grid)
    write_text_atomically(sidecar_of(path), json.dumps(said) + "\n" if said else "")
