"""What lies in a Zarr folder, from its metadata alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chondria.errors import FormatError

__all__ = ["ZarrNode", "is_zarr", "read_node"]

_METADATA = ("zarr.json", ".zarray", ".zgroup")


@dataclass(frozen=True)
class ZarrNode:
    """One array or group of a Zarr hierarchy.

    Parameters
    ----------
    path : Path
        Its folder.
    kind : {'array', 'group'}
        Which of the two it is.
    version : int
        Zarr format, 2 or 3.
    attributes : dict
        Its attributes.
    """

    path: Path
    kind: str
    version: int
    attributes: dict[str, Any]

    @property
    def multiscales(self) -> list[dict[str, Any]]:
        """Images that an OME-Zarr group describes; empty for any other node."""
        ome = self.attributes.get("ome") if self.version == 3 else self.attributes
        images = ome.get("multiscales", []) if isinstance(ome, dict) else []
        return images if isinstance(images, list) else []

    def children(self) -> list[str]:
        """Names of the arrays and groups directly inside, sorted."""
        return sorted(entry.name for entry in self.path.iterdir() if is_zarr(entry))


def is_zarr(path: Path) -> bool:
    """Tell whether a folder holds Zarr metadata."""
    return any((path / name).is_file() for name in _METADATA)


def read_node(path: Path) -> ZarrNode:
    """Read the metadata of a Zarr folder.

    Raises
    ------
    FormatError
        If the metadata is missing, is no JSON or names no array or group.
    """
    if (path / "zarr.json").is_file():
        metadata = _read_json(path / "zarr.json")
        kind = metadata.get("node_type")
        attributes = metadata.get("attributes", {})
        if kind not in ("array", "group") or not isinstance(attributes, dict):
            raise FormatError(
                f"The Zarr metadata '{path / 'zarr.json'}' is damaged: it names neither an array "
                "nor a group; copy or export the folder again."
            )
        return ZarrNode(path, kind, 3, attributes)
    for name, kind in ((".zarray", "array"), (".zgroup", "group")):
        if (path / name).is_file():
            _read_json(path / name)
            attributes = _read_json(path / ".zattrs") if (path / ".zattrs").is_file() else {}
            return ZarrNode(path, kind, 2, attributes)
    raise FormatError(
        f"The folder '{path}' holds no Zarr metadata ({', '.join(_METADATA)}): it is incomplete "
        "or no Zarr; copy or export it again."
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(
            f"The Zarr metadata '{path}' is truncated or damaged ({error}); copy or export the "
            "folder again."
        ) from error
    if not isinstance(metadata, dict):
        raise FormatError(f"The Zarr metadata '{path}' is damaged: it is no JSON object.")
    return metadata
