"""The design of a comparison: which table is of which condition, animal, cell and image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chondria.errors import DesignError, InputNotFoundError
from chondria.experiments.object_tables import find_table, read_table
from chondria.groups.place import Place, is_paired

__all__ = ["Design", "read_design"]

NEEDED = ("table", "condition", "animal")
OPTIONAL = ("cell", "image")


@dataclass(frozen=True, slots=True)
class Design:
    """Tables and where they come from.

    Attributes
    ----------
    tables : tuple of Path
        Files of objects, one for each place.
    places : tuple of Place
        In the order of the design's rows.
    conditions : tuple of str
        In the order in which they first occur: the first is the reference.
    sha256 : str
        Of the design's file.
    """

    tables: tuple[Path, ...]
    places: tuple[Place, ...]
    conditions: tuple[str, ...]
    sha256: str


def read_design(path: Path, tables: Sequence[Path]) -> Design:
    """Read a design and find the table of each row among those that were given.

    Parameters
    ----------
    path : Path
        A CSV file with the columns table, condition, animal and, if wanted, cell and image. A table
        is named by its path (from here, or from the design's folder), or by the name of its file
        or folder, with or without its ending.
    tables : sequence of Path
        Files of objects or run folders.

    Returns
    -------
    Design
        Complete: every table has one row and every row one table.

    Raises
    ------
    InputNotFoundError
        If a file is missing.
    FormatError
        If the design is no CSV file.
    DesignError
        If a column or a value is missing, rows and tables do not fit, or some animals have several
        conditions and others not all of them.
    """
    if not path.is_file():
        raise InputNotFoundError(f"There is no design '{path}'; give a CSV file.")
    file = read_table(path)
    columns = {name: [str(x).strip() for x in file.columns[name]] for name in file.columns}
    _check_columns(columns, path)
    count = len(file)
    cells, images = (columns.get(name, [""] * count) for name in OPTIONAL)
    found = _match(columns["table"], tables, path)
    if "image" not in columns:  # each table is an image of its own
        images = [str(number) for number in range(count)]
    rows = zip(columns["condition"], columns["animal"], cells, images, strict=True)
    places = tuple(Place(*row) for row in rows)
    is_paired(places)  # refuses a design that is neither paired nor not
    conditions = tuple(dict.fromkeys(columns["condition"]))
    if len(conditions) < 2:
        raise DesignError(
            f"Found one condition only, '{conditions[0]}', in the design '{path}'; a comparison "
            "needs two or more."
        )
    return Design(found, places, conditions, file.sha256)


def _check_columns(columns: dict[str, list[str]], path: Path) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise DesignError(
            f"There is no column '{missing[0]}' in the design '{path}'; it needs "
            f"{', '.join(NEEDED)}, and may have {' and '.join(OPTIONAL)}; it has "
            f"{', '.join(columns)}."
        )
    if not columns["table"]:
        raise DesignError(f"The design '{path}' has no rows; write one for each table.")
    for name in (*NEEDED, *(name for name in OPTIONAL if name in columns)):
        if "" in columns[name]:
            row = columns[name].index("") + 1
            raise DesignError(
                f"Row {row} of the design '{path}' has no {name}; fill it in, or leave the whole "
                f"{'row' if name in NEEDED else 'column'} out."
            )


def _match(names: Sequence[str], tables: Sequence[Path], path: Path) -> tuple[Path, ...]:
    """Find the table of each row, once each."""
    tables = list({find_table(table).resolve(): table for table in tables}.values())
    files = [find_table(table) for table in tables]
    found: list[int] = []
    for row, name in enumerate(names, start=1):
        fitting = _fitting(name, tables, files, path.parent)
        if len(fitting) != 1:
            raise DesignError(_misfit(name, row, [str(tables[i]) for i in fitting], path))
        if fitting[0] in found:
            raise DesignError(
                f"Row {row} of the design '{path}' names the table '{name}' a second time; a table "
                "belongs to one image."
            )
        found += fitting
    for i, table in enumerate(tables):
        if i not in found:
            raise DesignError(
                f"The table '{table}' has no row in the design '{path}'; add one, or leave the "
                "table out."
            )
    return tuple(files[i] for i in found)


def _misfit(name: str, row: int, fitting: list[str], path: Path) -> str:
    where = f"The table '{name}' in row {row} of the design '{path}'"
    if not fitting:
        return f"{where} is not among the tables given; add it, or take the row out."
    return f"{where} may be {' or '.join(fitting)}; write its path."


def _fitting(name: str, tables: Sequence[Path], files: Sequence[Path], folder: Path) -> list[int]:
    """Find what a name may stand for: a path first, a file's or folder's own name else."""
    paths = [place.resolve() for place in (Path(name), folder / name) if place.exists()]
    pairs = list(enumerate(zip(tables, files, strict=True)))
    exact = [i for i, (given, file) in pairs if {given.resolve(), file.resolve()} & set(paths)]
    return exact or [i for i, (given, file) in pairs if name in _names(given, file)]


def _names(given: Path, file: Path) -> set[str]:
    """A table's own name; objects.csv has that of its folder."""
    named = file.parent if given.is_dir() or file.stem == "objects" else file
    return {named.resolve().name, file.stem if named == file else named.resolve().name}
