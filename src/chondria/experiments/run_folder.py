"""A run folder: everything a job leaves, and a record of how it came to be."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chondria import __version__
from chondria.errors import OutputExistsError

__all__ = ["create_run_folder", "environment", "write_json"]

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "zarr", "tifffile")


def create_run_folder(path: str | Path) -> Path:
    """Make an empty folder for a run.

    Raises
    ------
    OutputExistsError
        If the folder holds anything, or a file has its name.
    """
    folder = Path(path)
    if folder.is_file():
        raise OutputExistsError(f"The output '{folder}' is a file; give the name of a new folder.")
    if folder.is_dir() and any(folder.iterdir()):
        what = "another run" if (folder / "run.json").exists() else "files"
        raise OutputExistsError(
            f"The output folder '{folder}' already holds {what}, which would be lost; give a new "
            "folder or delete it first."
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment() -> dict[str, Any]:
    """Versions, command, machine and time, for run.json."""
    return {
        "chondria": __version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file; renamed when whole."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(values, indent=2) + "\n")
    temporary.replace(path)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
