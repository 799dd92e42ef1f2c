"""Find a data set by its name, and say how to get it where it is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from chondria.data.dataset import DataSet
from chondria.data.known_sets import KNOWN_SETS
from chondria.errors import InputNotFoundError, SettingsError

__all__ = ["advising_fetch", "fetch_command", "find_dataset"]


def find_dataset(name: str) -> DataSet:
    """Find a data set of the registry.

    Raises
    ------
    SettingsError
        If there is none of that name; names the nearest.
    """
    if name in KNOWN_SETS:
        return KNOWN_SETS[name]
    near = difflib.get_close_matches(name.lower(), KNOWN_SETS, n=1, cutoff=0.4)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise SettingsError(
        f"There is no data set '{name}'{hint}; the registry holds {', '.join(KNOWN_SETS)}."
    )


def fetch_command(name: str, folder: Path, verb: str = "fetch") -> str:
    """Give the command that fetches (or checks) a set into a data folder."""
    return f"chondria datasets {verb} {name} --data {folder}"


@contextmanager
def advising_fetch(path: str, folder: Path) -> Iterator[None]:
    """Let the error about a missing path say how to fetch the set that it belongs to.

    Parameters
    ----------
    path : str
        As a recipe has it, relative to the data folder; its first part may be a set's name.
    folder : Path
        The data folder.

    Raises
    ------
    InputNotFoundError
        What the block raised, with the command added where the registry knows the set.
    """
    try:
        yield
    except InputNotFoundError as error:
        name = next(iter(PurePath(path).parts), "")
        if name not in KNOWN_SETS:
            raise
        command = fetch_command(name, folder)
        said = f"{str(error).rstrip('.')}; get the set '{name}' with '{command}'."
        raise InputNotFoundError(said) from error
