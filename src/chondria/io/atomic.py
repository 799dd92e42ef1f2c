"""Write under a temporary name, rename when whole: no half-written output, no lost one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chondria.errors import DiskSpaceError, InputNotFoundError, OutputExistsError

__all__ = ["atomic_target", "check_disk_space", "check_free", "write_text_atomically"]

# Headers, sidecars and the file system's own blocks, beyond the pixels.
_SPARE_FACTOR, _SPARE_BYTES = 1.02, 2**20


@contextmanager
def atomic_target(
    path: Path, overwrite: bool, replaceable: Callable[[Path], bool] = Path.is_file
) -> Iterator[Path]:
    """Give a temporary name beside a path and rename it to the path when the block ends well.

    Parameters
    ----------
    path : Path
        File or folder to be made; missing parent folders are made too.
    overwrite : bool
        Whether something that exists already may be replaced.
    replaceable : callable
        Says of an existing path whether it is something that may be replaced.

    Yields
    ------
    Path
        A hidden name in the same folder with the same ending; nothing is there yet. If the block
        raises, whatever was written there is removed.

    Raises
    ------
    OutputExistsError
        If the path exists and may not be replaced.
    DiskSpaceError
        If the disk fills up on the way.
    """
    check_free(path, overwrite, replaceable)
    made = _make_parents(path)
    partial = path.with_name(f".{os.urandom(4).hex()}.partial.{path.name}")
    try:
        yield partial
        _publish(partial, path)
    except BaseException as error:
        _remove(partial)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskSpaceError(
                f"The disk filled up while '{path}' was written, and nothing of it was kept; "
                "free some space or choose another output."
            ) from error
        raise


def check_free(
    path: Path, overwrite: bool, replaceable: Callable[[Path], bool] = Path.is_file
) -> None:
    """Refuse a path that holds something which would be lost; an empty folder is free.

    Raises
    ------
    OutputExistsError
        If it exists and `overwrite` is not given, or it is nothing that may be replaced.
    """
    if not os.path.lexists(path) or _is_empty_folder(path):
        return
    if not overwrite:
        raise OutputExistsError(
            f"The output '{path}' exists already; choose another name or allow it to be "
            "overwritten (--overwrite)."
        )
    if not replaceable(path):
        raise OutputExistsError(
            f"The output '{path}' exists and holds other things than one volume, so it is not "
            "overwritten; choose another name or remove it yourself."
        )


def check_disk_space(folder: Path, nbytes: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Parameters
    ----------
    folder : Path
        Existing folder on the disk in question.
    nbytes : int
        Uncompressed size of what is to be written: an upper estimate.

    Raises
    ------
    DiskSpaceError
        If less than that, and a little to spare, is free.
    """
    needed = int(nbytes * _SPARE_FACTOR) + _SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskSpaceError(
            f"The output may need {_said(needed)} and the disk of '{folder}' has {_said(free)} "
            "free; free some space or choose another output."
        )


def write_text_atomically(path: Path, text: str) -> None:
    """Replace a small text file in one step; an empty text removes it."""
    if not text:
        path.unlink(missing_ok=True)
        return
    with atomic_target(path, overwrite=True) as partial:
        partial.write_text(text, encoding="utf-8")


def _said(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.1f} MB"


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _make_parents(path: Path) -> list[Path]:
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputNotFoundError(
            f"The folder '{path.parent}' for the output cannot be made, because a part of that "
            "path is a file; choose another output."
        ) from error
    return missing


def _publish(partial: Path, path: Path) -> None:
    if _is_empty_folder(path):
        path.rmdir()
    if not os.path.lexists(path) or not (path.is_dir() or partial.is_dir()):
        partial.replace(path)
        return
    # A folder cannot be replaced in one step: the old one steps aside until the new one is in.
    old = partial.with_name(partial.name.replace(".partial.", ".replaced.", 1))
    path.rename(old)
    try:
        partial.replace(path)
    except BaseException:
        old.rename(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
