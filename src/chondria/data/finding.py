"""What an inspection has to say: one line of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "name_slices"]

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
        What was looked at, for example "grey levels".
    found : str
        What it is like, with figures.
    level : {"ok", "warning", "error"}
        An error stops any work; a warning may well be how the specimen is.
    advice : str
        What to do about it; empty where nothing need be done.
    """

    what: str
    found: str
    level: Level = "ok"
    advice: str = ""


def name_slices(slices: Sequence[int], at_most: int = 6) -> str:
    """Name slices by their index, runs as ranges.

    Parameters
    ----------
    slices : sequence of int
        Indices along z, from 0, in rising order.
    at_most : int
        Runs that are named; the rest is counted.

    Returns
    -------
    str
        For example ``z=3, 7-9 and 4 more``.
    """
    runs: list[list[int]] = []
    for z in slices:
        if runs and z == runs[-1][1] + 1:
            runs[-1][1] = z
        else:
            runs.append([z, z])
    said = ", ".join(
        f"{first}" if first == last else f"{first}-{last}" for first, last in runs[:at_most]
    )
    rest = sum(last - first + 1 for first, last in runs[at_most:])
    return f"z={said}" + (f" and {rest} more" if rest else "")
