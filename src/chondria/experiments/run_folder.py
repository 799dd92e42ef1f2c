"""A run folder: everything a job leaves, and a record of how it came to be."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chondria import __version__
from chondria.errors import InputNotFoundError, OutputExistsError, SettingsError
from chondria.experiments.folder_lock import LOCK, sole_use
from chondria.io.stack import natural_key

__all__ = [
    "PAGE",
    "check_writable",
    "create_run_folder",
    "environment",
    "new_run_folder",
    "open_run_folder",
    "open_same_job",
    "reports_in",
    "write_json",
]

PAGE = "report.html"
PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "scikit-learn", "zarr", "tifffile")


def create_run_folder(path: str | Path) -> Path:
    """Make an empty folder for a run.

    Raises
    ------
    OutputExistsError
        If the folder holds anything, or a file has its name.
    InputNotFoundError
        If it cannot be made where it is wanted.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"The output '{folder}' is a file; give the name of a new folder.")
    if folder.is_dir() and _entries(folder):
        what = "another run" if (folder / "run.json").exists() else "files"
        raise OutputExistsError(
            f"The output folder '{folder}' already holds {what}, which would be lost; give a new "
            "folder or delete it first."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputNotFoundError(
            f"The output folder '{folder}' cannot be made ({error.strerror}); give the name of a "
            "new folder elsewhere."
        ) from error
    return folder


@contextmanager
def new_run_folder(path: str | Path) -> Iterator[Path]:
    """Make an empty folder for a run; should the block fail, nothing of it is left.

    Parameters
    ----------
    path : str or Path
        A new or empty folder; missing parents are made too.

    Yields
    ------
    Path
        The folder. If the block raises, what it holds is removed, and so is every folder that was
        made here.

    Raises
    ------
    OutputExistsError, InputNotFoundError
        As `create_run_folder`.
    """
    made = [folder for folder in (Path(path), *Path(path).parents) if not folder.exists()]
    folder = create_run_folder(path)
    try:
        yield folder
    except BaseException:
        for entry in _entries(folder):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for empty in made:
            if not any(empty.iterdir()):
                empty.rmdir()
        raise


@contextmanager
def open_run_folder(folder: Path, recipe: str, resume: bool) -> Iterator[Path]:
    """Give a new folder for a recipe's run, or that of the run to resume.

    Parameters
    ----------
    folder : Path
        Where the run is or will be.
    recipe : str
        Kept as recipe.yaml when the block ends well.
    resume : bool
        Whether a run was begun there, with this very recipe.

    Yields
    ------
    Path
        The folder; a new one goes again if the block raises (see `new_run_folder`).

    Raises
    ------
    SettingsError
        If there is no run to resume.
    OutputExistsError
        If there is one of another recipe, or one and `resume` was not asked for.
    """
    stored = folder / "recipe.yaml"
    if not resume:
        with new_run_folder(folder):
            yield folder
            stored.write_text(recipe)
        return
    if not stored.is_file():
        raise SettingsError(f"There is no run to resume in '{folder}'; start it without --resume.")
    if stored.read_text() != recipe:
        raise OutputExistsError(
            f"The run in '{folder}' was started with another recipe (its recipe.yaml); resume it "
            "with that one or give a new folder."
        )
    yield folder


@contextmanager
def open_same_job(folder: Path, kind: str, said: dict[str, Any]) -> Iterator[Path]:
    """Make the folder of a job of many runs, or find the very same job in it; for it alone.

    Parameters
    ----------
    folder : Path
        Where the job is or will be.
    kind : str
        What it is: ``KIND.json`` holds what was said of it, beside versions and machine.
    said : dict
        Everything that decides its results, as JSON has it.

    Yields
    ------
    Path
        The folder, which no other job may use meanwhile (`sole_use`).

    Raises
    ------
    OutputExistsError
        If it holds something else, or another process is at work in it.
    InputNotFoundError
        If it cannot be made where it is wanted.
    """
    stored = folder / f"{kind}.json"
    with sole_use(folder):
        if not stored.exists():
            create_run_folder(folder)
            write_json(stored, {kind: said} | environment())
        elif json.loads(stored.read_text())[kind] != said:
            raise OutputExistsError(
                f"The folder '{folder}' holds another {kind} (its {kind}.json); give a new "
                "folder, or the recipe that it was begun with."
            )
        yield folder


def reports_in(folder: Path) -> list[str]:
    """Find the pages of the runs below a folder, as paths from there with slashes between."""
    found = (path.relative_to(folder).as_posix() for path in folder.glob(f"*/**/{PAGE}"))
    return sorted(found, key=natural_key)


def check_writable(path: Path) -> None:
    """Refuse, before any work, the name of a file that could not be written.

    Raises
    ------
    InputNotFoundError
        If its folder does not exist.
    OutputExistsError
        If it is a folder.
    """
    if not path.parent.is_dir():
        raise InputNotFoundError(
            f"There is no folder '{path.parent}' for the file '{path.name}'; make it first or give "
            "another path."
        )
    if path.is_dir():
        raise OutputExistsError(f"The output '{path}' is a folder; give the name of a file.")


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


def _entries(folder: Path) -> list[Path]:
    """List what a folder holds, but for the lock of whoever works in it."""
    return [entry for entry in folder.iterdir() if entry.name != LOCK]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
