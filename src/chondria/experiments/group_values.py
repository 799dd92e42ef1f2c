"""The measures of a design's tables: which there are, and their values without cut objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chondria.errors import FormatError, SettingsError
from chondria.experiments.group_design import Design
from chondria.experiments.object_tables import TableFile, read_table
from chondria.groups.measure import MeasuredValues
from chondria.groups.scale import is_measure, is_shape, is_size

__all__ = ["GroupTables", "measured_values", "read_group_tables"]

SUMMARY = "summary.csv"


@dataclass(frozen=True, eq=False, slots=True)
class GroupTables:
    """Everything that a design names, read.

    Attributes
    ----------
    design : Design
        What belongs where.
    objects : tuple of TableFile
        A row for each object; one table for each place of the design.
    images : tuple of TableFile
        A row for each image: the `summary.csv` beside each table; none where one has none.
    """

    design: Design
    objects: tuple[TableFile, ...]
    images: tuple[TableFile, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Sizes and shapes that every table has, then densities and shares of images."""
        first, *others = (table.columns for table in self.objects)
        common = [name for name in first if all(name in columns for columns in others)]
        found = [name for name in common if is_size(name) or is_shape(name)]
        return (*found, *(name for name in self._of_images() if name not in found))

    def _of_images(self) -> list[str]:
        if not self.images:
            return []
        first, *others = (table.columns for table in self.images)
        return [
            name
            for name in first
            if all(name in columns for columns in others)
            and ("_per_" in name or name.endswith("_fraction"))
        ]

    def is_of_images(self, name: str) -> bool:
        """Tell whether a measure has one value for each image."""
        of_objects = all(name in table.columns for table in self.objects)
        return not of_objects and all(
            name in table.columns for table in self.images or self.objects
        )


def read_group_tables(design: Design) -> GroupTables:
    """Read the tables of a design.

    Raises
    ------
    FormatError, MissingPackageError
        As `chondria.experiments.object_tables.read_table`.
    """
    objects = tuple(read_table(path) for path in design.tables)
    beside = [_summary(path) for path in design.tables]
    images = [read_table(path) for path in beside if path is not None]
    return GroupTables(design, objects, tuple(images) if len(images) == len(objects) else ())


def measured_values(
    tables: GroupTables, names: Sequence[str], *, keep_border: bool, skip_missing: bool
) -> list[MeasuredValues]:
    """Take measures out of the tables.

    Parameters
    ----------
    tables : GroupTables
        What was read.
    names : sequence of str
        Columns; none for all of `GroupTables.measures`.
    keep_border : bool
        Keep objects that touch the border of their volume: their sizes and shapes are cut.
    skip_missing : bool
        Leave out objects without a value, instead of refusing.

    Returns
    -------
    list of MeasuredValues
        In the order of the names.

    Raises
    ------
    SettingsError
        If a column is no measure.
    FormatError
        If a column is missing, or a value.
    """
    chosen = tuple(dict.fromkeys(names)) or tables.measures
    if not chosen:
        raise FormatError(
            "The tables have no size or shape in common (volumes of stacks and areas of single "
            "slices are not compared); name a column with --measure."
        )
    return [_measured(tables, name, keep_border, skip_missing) for name in chosen]


def _measured(
    tables: GroupTables, name: str, keep_border: bool, skip_missing: bool
) -> MeasuredValues:
    if not is_measure(name):
        raise SettingsError(
            f"'{name}' is no measure of mitochondria that could be compared; the tables have "
            f"{', '.join(tables.measures)}."
        )
    of_images = tables.is_of_images(name)
    values, at_border, missing = [], 0, 0
    for table in tables.images if of_images else tables.objects:
        numbers = table.numbers(name)
        if not of_images and not keep_border:
            cut = _cut(table)
            at_border += int(cut.sum())
            numbers = numbers[~cut]
        lacking = ~np.isfinite(numbers)
        if lacking.any() and not skip_missing:
            raise FormatError(
                f"Found {int(lacking.sum())} of {len(numbers)} rows without a finite number in the "
                f"column '{name}' of '{table.path}'; mend them, or leave such objects out with "
                "--skip-missing."
            )
        missing += int(lacking.sum())
        values.append(numbers[~lacking])
    unit = "image" if of_images else "object"
    return MeasuredValues(name, unit, tuple(values), tables.design.places, at_border, missing)


def _cut(table: TableFile) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if "touches_border" not in table.columns:
        raise FormatError(
            f"There is no column 'touches_border' in '{table.path}', so that objects cut by the "
            "border cannot be left out; add it, or keep them all with --keep-border."
        )
    return table.flags("touches_border")


def _summary(path: Path) -> Path | None:
    """The table of the whole image that lies beside a table of objects."""
    beside = path.with_name(SUMMARY)
    return beside if path.stem == "objects" and beside.is_file() else None
