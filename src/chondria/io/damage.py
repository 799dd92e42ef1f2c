"""What is wrong with a file, said in one sentence instead of a library's traceback."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from chondria.errors import (
    ChondriaError,
    FormatError,
    InputNotFoundError,
    MissingPackageError,
)

__all__ = ["check_exists", "damaged_as_format_error", "import_optional"]


@contextmanager
def damaged_as_format_error(where: str | Path) -> Iterator[None]:
    """Turn whatever a decoder raises into a FormatError that names the file.

    Decoders raise RuntimeError, ValueError, KeyError, struct.error and classes of their own for
    broken bytes, so everything is caught but what is not the file's fault.

    Parameters
    ----------
    where : str or Path
        The file, and perhaps the slice, that is being read.

    Raises
    ------
    FormatError
        If the block raises anything but our own errors, a lack of memory or of permission.
    """
    try:
        yield
    except (ChondriaError, MemoryError, PermissionError):
        raise
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise FormatError(
            f"Cannot read {where}: the file is truncated, damaged or of an unknown variant "
            f"({said[:200]}); copy or export it again."
        ) from error


def check_exists(path: Path) -> None:
    """Refuse a path that does not exist, naming the nearest one that does.

    Raises
    ------
    InputNotFoundError
        If there is no such file or folder, or it may not be read.
    """
    if path.exists():
        if not os.access(path, os.R_OK):
            raise InputNotFoundError(
                f"The file or folder '{path}' may not be read by this user; change its permissions."
            )
        return
    import difflib

    parent = path.parent
    names = [entry.name for entry in parent.iterdir()] if parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    hint = f"; did you mean '{parent / near[0]}'?" if near else "; check the path."
    if not parent.is_dir():
        hint = f": the folder '{parent}' does not exist either; check the path."
    raise InputNotFoundError(f"There is no file or folder '{path}'{hint}")


def import_optional(package: str, extra: str) -> ModuleType:
    """Import a package that only some formats need.

    Parameters
    ----------
    package : str
        Name of the module.
    extra : str
        The extra of chondria that installs it.

    Raises
    ------
    MissingPackageError
        If it is not installed; the message names the command that installs it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"This format needs the package {package}, which is not installed: "
            f"pip install 'chondria[{extra}]'."
        ) from error
