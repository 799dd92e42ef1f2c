"""What was decided about the worklist: its filled-in table, also as spreadsheets save it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from chondria.errors import FormatError, InputNotFoundError, SettingsError

__all__ = ["Action", "Decision", "read_decisions"]

Action = Literal["keep", "drop", "merge", "split", "add"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decided line of a table.

    Attributes
    ----------
    action : {"keep", "drop", "merge", "split", "add"}
        Leave as it is; take the objects away; join them; part one; make one of a missed place.
    ids : tuple of int
        Objects of the label map that was reviewed.
    place_px : tuple of int or None
        The line's own place (z, y, x).
    points_px : tuple of tuple of int
        One voxel (z, y, x) in each part of an object that is split.
    line : int
        Of the file, for messages.
    """

    action: Action
    ids: tuple[int, ...]
    place_px: Place | None
    points_px: tuple[Place, ...]
    line: int


def read_decisions(path: str | Path) -> list[Decision]:
    """Read a table of decisions, for example a ``worklist.csv`` whose last columns were filled in.

    Parameters
    ----------
    path : str or Path
        Values separated by commas, semicolons or tabs, UTF-8 with or without a byte order mark.
        Columns: `decision`, `ids` (numbers with spaces between), and, where they are needed,
        `z_px`, `y_px`, `x_px` and `points` (``z y x | z y x``). Others are not looked at, nor are
        lines without a decision.

    Returns
    -------
    list of Decision
        In the order of the file.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    FormatError
        If it is no such table, or a number in it is none.
    SettingsError
        If a decision is unknown, lacks objects or places, or nothing was decided.
    """
    rows = _rows(Path(path))
    found = [
        _decision(row, f"line {line} of '{path}'", line)
        for line, row in enumerate(rows, start=2)
        if row.get("decision")
    ]
    if not found:
        raise SettingsError(
            f"Found no decision in '{path}'; write one of {', '.join(ACTIONS)} into the column "
            "'decision' of at least one line."
        )
    return found


def _rows(path: Path) -> list[Mapping[str, str]]:
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no file '{path}'; give a table of decisions, such as the worklist.csv of "
            "`chondria review` with its column 'decision' filled in."
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"The file '{path}' is no text in UTF-8; save the table as CSV (UTF-8)."
        ) from error
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    lines = list(csv.reader(text.splitlines(), delimiter=separator)) or [[]]
    names = [name.strip().lower() for name in lines[0]]
    if "decision" not in names or "ids" not in names:
        raise FormatError(
            f"Found the columns {', '.join(names) or 'none'} in '{path}'; a table of decisions has "
            "'decision' and 'ids' in its first line."
        )
    return [
        dict(zip(names, (value.strip() for value in values), strict=False)) for values in lines[1:]
    ]


def _decision(row: Mapping[str, str], where: str, line: int) -> Decision:
    action = row["decision"].lower()
    if action not in ACTIONS:
        raise SettingsError(
            f"Found the decision '{row['decision']}' in {where}; allowed are {', '.join(ACTIONS)}."
        )
    ids = tuple(_whole(word, where) for word in row.get("ids", "").split())
    place = [row.get(f"{axis}_px", "") for axis in "zyx"]
    points = [part.split() for part in row.get("points", "").split("|") if part.strip()]
    decided = Decision(
        cast(Action, action),
        ids,
        _place(place, where) if all(place) else None,
        tuple(_place(point, where) for point in points),
        line,
    )
    _check(decided, where)
    return decided


def _check(decision: Decision, where: str) -> None:
    wanted = {"drop": (1, None), "merge": (2, None), "split": (1, 1)}.get(decision.action)
    if wanted and not wanted[0] <= len(set(decision.ids)) <= (wanted[1] or len(decision.ids)):
        many = {"drop": "one object or more", "merge": "two objects or more", "split": "one object"}
        raise SettingsError(
            f"Found the objects '{' '.join(map(str, decision.ids))}' in {where}; "
            f"'{decision.action}' is said of {many[decision.action]}: write the numbers into the "
            "column 'ids'."
        )
    if decision.action == "split" and len(decision.points_px) == 1:
        raise SettingsError(
            f"Found one point in {where}; an object is split by two points or more "
            "(z y x | z y x), or at its narrowest place where there is none."
        )
    if decision.action == "add" and decision.place_px is None:
        raise SettingsError(
            f"Found no place in {where}; 'add' needs z_px, y_px and x_px of what was missed."
        )


def _place(words: Sequence[str], where: str) -> Place:
    if len(words) != 3:
        raise FormatError(
            f"Found the point '{' '.join(words)}' in {where}; a point is three numbers z y x in "
            "voxels, and points have | between them."
        )
    z, y, x = (_whole(word, where) for word in words)
    return z, y, x


def _whole(word: str, where: str) -> int:
    number = word.removesuffix(".0").removesuffix(",0")
    if not number.isdecimal():
        raise FormatError(f"Found '{word}' in {where}; a whole number from 0 upwards is needed.")
    return int(number)
