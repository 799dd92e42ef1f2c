"""The measures of a design's tables: which there are, and their values without cut objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, SettingsError
from chondria.experiments.group_design import Design
from chondria.experiments.object_tables import (
    SummaryFile,
    TableFile,
    read_summary,
    read_table,
)
from chondria.groups.measure import MeasuredValues
from chondria.groups.scale import is_measure, is_shape, is_size

__all__ = ["GroupTables", "measured_values", "read_group_tables"]

IMAGE_MEASURES = ("density_per_um3", "density_per_um2", "volume_fraction", "area_fraction")


@dataclass(frozen=True, eq=False, slots=True)
class GroupTables:
    """Everything that a design names, read.

    Attributes
    ----------
    design : Design
        What belongs where.
    objects : tuple of TableFile
        A row for each object; one table for each place of the design.
    images : tuple of SummaryFile
        What was measured of each table's image as a whole; none where one image has nothing.
    """

    design: Design
    objects: tuple[TableFile, ...]
    images: tuple[SummaryFile, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Sizes and shapes that every table has, then densities and shares of images."""
        first, *others = (table.columns for table in self.objects)
        common = [name for name in first if all(name in columns for columns in others)]
        found = [name for name in common if is_size(name) or is_shape(name)]
        return (*found, *(name for name in IMAGE_MEASURES if self.is_of_images(name)))

    def is_of_images(self, name: str) -> bool:
        """Tell whether a measure has one value for each image."""
        return bool(self.images) and all(name in image.values for image in self.images)


def read_group_tables(design: Design) -> GroupTables:
    """Read the tables of a design.

    Raises
    ------
    FormatError, MissingPackageError
        As `chondria.experiments.object_tables.read_table`.
    """
    objects = tuple(read_table(path) for path in design.tables)
    images = [read_summary(path) for path in design.tables]
    found = tuple(image for image in images if image is not None)
    return GroupTables(design, objects, found if len(found) == len(objects) else ())


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
    for place, table in enumerate(tables.objects):
        path, numbers = _numbers(tables, place, name)
        if not of_images and not keep_border:
            cut = _cut(table)
            at_border += int(cut.sum())
            numbers = numbers[~cut]
        lacking = ~np.isfinite(numbers)
        if lacking.any() and not skip_missing:
            raise FormatError(
                f"Found {int(lacking.sum())} of {len(numbers)} rows without a finite number in the "
                f"column '{name}' of '{path}'; mend them, or leave such objects out with "
                "--skip-missing."
            )
        missing += int(lacking.sum())
        values.append(numbers[~lacking])
    unit = "image" if of_images else "object"
    return MeasuredValues(name, unit, tuple(values), tables.design.places, at_border, missing)


def _numbers(tables: GroupTables, place: int, name: str) -> tuple[Path, NDArray[np.float64]]:
    """Values of a measure in one table or its image, and the file that they are in."""
    if tables.is_of_images(name):
        image = tables.images[place]
        return image.path, np.array([image.values[name]])
    return tables.objects[place].path, tables.objects[place].numbers(name)


def _cut(table: TableFile) -> NDArray[np.bool_]:
    if "touches_border" not in table.columns:
        raise FormatError(
            f"There is no column 'touches_border' in '{table.path}', so that objects cut by the "
            "border cannot be left out; add it, or keep them all with --keep-border."
        )
    return table.flags("touches_border")
