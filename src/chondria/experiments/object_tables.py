"""Tables of objects, read back from the files of other jobs or of other programs."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, InputNotFoundError, MissingPackageError

__all__ = ["SummaryFile", "TableFile", "find_table", "read_summary", "read_table"]

NAMES = ("objects.csv", "objects.parquet")


@dataclass(frozen=True, eq=False, slots=True)
class TableFile:
    """A table as it was read.

    Attributes
    ----------
    path : Path
        The file.
    columns : dict of str to ndarray, (rows,)
        Texts of a CSV file, or values of a Parquet file.
    sha256 : str
        Of the file.
    """

    path: Path
    columns: dict[str, NDArray[np.generic]]
    sha256: str

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Read a column of numbers; nothing and ``nan`` are not a number.

        Raises
        ------
        FormatError
            If there is no such column, or it holds something else.
        """
        texts = self._column(name)
        filled = np.where(texts == "", "nan", texts) if texts.dtype.kind == "U" else texts
        try:
            return filled.astype(np.float64)
        except ValueError as error:
            row = next(i for i, text in enumerate(filled.tolist()) if not _is_number(text))
            raise FormatError(
                f"Found '{texts[row]}' in row {row + 1} of the column '{name}' of '{self.path}'; "
                "only numbers can be compared."
            ) from error

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Read a column of true and false.

        Raises
        ------
        FormatError
            If there is no such column, or it holds something else.
        """
        texts = np.array([str(value).lower() for value in self._column(name).tolist()], str)
        true, false = np.isin(texts, ("true", "1")), np.isin(texts, ("false", "0"))
        if not np.all(true | false):
            row = int(np.flatnonzero(~(true | false))[0])
            raise FormatError(
                f"Found '{texts[row]}' in row {row + 1} of the column '{name}' of '{self.path}'; "
                "only true and false are allowed."
            )
        return true

    def _column(self, name: str) -> NDArray[np.generic]:
        if name not in self.columns:
            raise FormatError(
                f"There is no column '{name}' in '{self.path}'; it has {', '.join(self.columns)}."
            )
        return self.columns[name]


@dataclass(frozen=True, slots=True)
class SummaryFile:
    """What was measured of the image of a table as a whole.

    Attributes
    ----------
    path : Path
        The file.
    values : dict of str to float
        Not a number where it is undefined.
    sha256 : str
        Of the file.
    """

    path: Path
    values: dict[str, float]
    sha256: str


def find_table(path: Path) -> Path:
    """Find the table of objects of a run folder; any other path is given back.

    Raises
    ------
    InputNotFoundError
        If it does not exist, or the folder has no table.
    """
    if path.is_dir():
        for name in NAMES:
            if (path / name).is_file():
                return path / name
        raise InputNotFoundError(
            f"There is no {' or '.join(NAMES)} in the folder '{path}'; give the folder of a "
            "finished `chondria segment` or `chondria measure`, or a table."
        )
    if not path.is_file():
        raise InputNotFoundError(f"There is no file or folder '{path}'; check the path.")
    return path


def read_table(path: Path) -> TableFile:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : Path
        A file whose first line names its columns.

    Returns
    -------
    TableFile
        Its columns.

    Raises
    ------
    FormatError
        If it is no such table, or has lines of differing lengths.
    MissingPackageError
        If it is a Parquet file and pyarrow is not installed.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if content[:4] == b"PAR1":
        return TableFile(path, _parquet(path), digest)
    try:
        header, *rows = csv.reader(content.decode("utf-8-sig").splitlines())
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise FormatError(
            f"'{path}' is not a table of comma-separated values ({error}); give a CSV or Parquet "
            "file whose first line names its columns."
        ) from error
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise FormatError(
                f"Row {number} of '{path}' has {len(row)} values, and there are {len(header)} "
                "columns; is the file whole, and separated by commas?"
            )
    names = [name.strip() for name in header]
    values = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    columns = {name: np.array(texts, str) for name, texts in zip(names, values, strict=True)}
    return TableFile(path, columns, digest)


def read_summary(table: Path) -> SummaryFile | None:
    """Read what `chondria measure` wrote beside a table: ``NAME.volume.json``.

    Parameters
    ----------
    table : Path
        The file of objects.

    Returns
    -------
    SummaryFile or None
        None where there is none.

    Raises
    ------
    FormatError
        If it is not what `chondria measure` writes.
    """
    path = table.with_suffix(".volume.json")
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        volume = json.loads(content)["volume"]
        values = {
            str(name): math.nan if value is None else float(value) for name, value in volume.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(
            f"'{path}' does not hold what `chondria measure` writes beside a table ({error!r}); "
            "measure the image again, or take the file away."
        ) from error
    return SummaryFile(path, values, hashlib.sha256(content).hexdigest())


def _parquet(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import read_table as read
    except ImportError as error:
        raise MissingPackageError(
            f"'{path}' is a Parquet file, and pyarrow is not installed: pip install "
            "'chondria[tables]'."
        ) from error
    try:
        table = read(path)
    except (ArrowInvalid, OSError) as error:
        raise FormatError(f"The Parquet file '{path}' is damaged ({error}).") from error
    return {name: np.asarray(table[name].to_numpy()) for name in table.column_names}


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True
