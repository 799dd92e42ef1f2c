"""Tables of objects as CSV, Parquet and Excel files, each with what its format holds of units."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from chondria.errors import FormatError, MissingPackageError
from chondria.morphometrics.schema import COLUMNS, SUMMARY, Column
from chondria.morphometrics.table import ObjectTable, write_objects_csv

__all__ = ["TABLE_SUFFIXES", "check_table_format", "described", "write_table"]

TABLE_SUFFIXES: Final = (".csv", ".parquet", ".xlsx")
PACKAGES: Final = {".parquet": "pyarrow", ".xlsx": "openpyxl"}
# Excel's limits: rows of a sheet, and whole numbers that a cell holds exactly.
MOST_ROWS: Final = 2**20 - 1
LARGEST_NUMBER: Final = 2**53


def check_table_format(path: str | Path) -> None:
    """Refuse, before any work, a table that could not be written.

    Raises
    ------
    FormatError
        If the ending is none of `TABLE_SUFFIXES`.
    MissingPackageError
        If the package that writes the format is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise FormatError(
            f"Found the ending '{suffix}' of the table '{path}'; allowed are "
            f"{', '.join(TABLE_SUFFIXES)}."
        )
    package = PACKAGES.get(suffix)
    if package and find_spec(package) is None:
        raise MissingPackageError(
            f"Writing {suffix} tables needs the package {package}, which is not installed: "
            "pip install 'chondria[tables]', or give a name that ends with .csv."
        )


def write_table(
    table: ObjectTable, path: str | Path, summary: Mapping[str, float | int | None] | None = None
) -> None:
    """Write a table in the format of the path's ending.

    Parameters
    ----------
    table : ObjectTable
        One row for each object.
    path : str or Path
        ``.csv`` (names carry the units), ``.parquet`` (units and descriptions as metadata of the
        fields, the summary as that of the table) or ``.xlsx`` (sheets of the objects, of the
        volume and of what the columns mean); a file that exists is replaced.
    summary : mapping, optional
        The volume as a whole (`VolumeSummary.as_dict`); a CSV file does not hold it.

    Raises
    ------
    FormatError, MissingPackageError
        As `check_table_format`; also if there are more objects than rows of a sheet.
    """
    check_table_format(path)
    match Path(path).suffix.lower():
        case ".parquet":
            _write_parquet(table, Path(path), dict(summary or {}))
        case ".xlsx":
            _write_excel(table, Path(path), dict(summary or {}))
        case _:
            write_objects_csv(table, path)


def described(names: Mapping[str, Any]) -> Iterator[Column]:
    """Give the schema's entry of each name; one without a unit for what others added.

    Parameters
    ----------
    names : mapping
        Its keys are names of columns.

    Yields
    ------
    Column
        In the same order.
    """
    known = {column.name: column for column in (*COLUMNS, *SUMMARY)}
    for name in names:
        yield known.get(name, Column(name, "float", "", ""))


def _write_parquet(table: ObjectTable, path: Path, summary: dict[str, Any]) -> None:
    import pyarrow
    from pyarrow import parquet

    arrays = [pyarrow.array(values) for values in table.columns.values()]
    fields = [
        pyarrow.field(
            column.name,
            array.type,
            metadata={"unit": column.unit, "description": column.description},
        )
        for column, array in zip(described(table.columns), arrays, strict=True)
    ]
    schema = pyarrow.schema(fields, metadata={"chondria_volume": json.dumps(summary)})
    parquet.write_table(pyarrow.table(arrays, schema=schema), path)


def _write_excel(table: ObjectTable, path: Path, summary: dict[str, Any]) -> None:
    import openpyxl

    if len(table) > MOST_ROWS:
        raise FormatError(
            f"Found {len(table)} objects for '{path}'; a sheet holds {MOST_ROWS}: give a name "
            "that ends with .parquet or .csv."
        )
    book = openpyxl.Workbook(write_only=True)
    objects = book.create_sheet("objects")
    objects.freeze_panes = "B2"
    objects.append(list(table.columns))
    for row in table.rows():
        objects.append([_cell(value) for value in row.values()])
    volume = book.create_sheet("volume")
    volume.append(["measure", "value", "unit", "description"])
    for column, value in zip(described(summary), summary.values(), strict=True):
        volume.append([column.name, value, column.unit, column.description])
    columns = book.create_sheet("columns")
    columns.append(["column", "unit", "description"])
    for column in described(table.columns):
        columns.append([column.name, column.unit, column.description])
    book.save(path)


def _cell(value: float) -> float | int | bool | str | None:
    """Give a value as a cell holds it: nothing for NaN, text for a number that it would round."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if abs(value) < LARGEST_NUMBER else str(value)
