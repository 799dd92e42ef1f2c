"""One process at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from chondria.errors import InputNotFoundError, OutputExistsError

__all__ = ["LOCK", "sole_use"]

LOCK = ".lock"


@contextmanager
def sole_use(path: str | Path) -> Iterator[Path]:
    """Keep every other process out of a folder while the block runs.

    The operating system holds the lock, and lets go of it when the process ends, however it ends:
    what was killed blocks nobody.

    Parameters
    ----------
    path : str or Path
        A folder; it is made where it is not there, and goes again if nothing was put into it.

    Yields
    ------
    Path
        The folder, with a file `LOCK` in it for as long as the block runs.

    Raises
    ------
    OutputExistsError
        If another process is at work there, or a file has its name.
    InputNotFoundError
        If it cannot be made where it is wanted.
    """
    folder = Path(path)
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    _make(folder)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as busy:
        raise OutputExistsError(
            f"Another process is at work in '{folder}'; wait until it is done, end it, or give a "
            "new folder."
        ) from busy
    try:
        yield folder
    finally:
        # While it is still held: who opened the file meanwhile finds it gone, and makes another.
        with suppress(OSError):  # Windows keeps open files, and the lock removes its own there
            (folder / LOCK).unlink()
        lock.release()
        for empty in made:
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputExistsError(
            f"The output '{folder}' is a file; give the name of a new folder."
        ) from error
    except OSError as error:
        raise InputNotFoundError(
            f"The output folder '{folder}' cannot be made ({error.strerror}); give the name of a "
            "new folder elsewhere."
        ) from error
