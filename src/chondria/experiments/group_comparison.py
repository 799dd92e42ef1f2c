"""The job of `chondria stats`: conditions compared, from tables of objects to a folder."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from chondria.experiments.group_design import read_design
from chondria.experiments.group_pages import draw_groups, write_pages
from chondria.experiments.group_values import GroupTables, measured_values, read_group_tables
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.groups.measure import MeasureComparison, compare_measure
from chondria.groups.place import is_paired
from chondria.groups.rows import Row, animal_rows, condition_rows, contrast_rows, variance_rows

__all__ = ["GroupSettings", "Groups", "compare_groups", "write_groups"]


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How to compare.

    Attributes
    ----------
    measures : tuple of str
        Columns; none for all sizes, shapes, densities and shares that the tables have.
    method : str
        One of `chondria.groups.comparison.METHODS`.
    scale : str
        One of `chondria.groups.scale.SCALES`.
    keep_border : bool
        Keep objects that touch the border of their volume.
    skip_missing : bool
        Leave out objects without a value, instead of refusing.
    """

    measures: tuple[str, ...] = ()
    method: str = "auto"
    scale: str = "auto"
    keep_border: bool = False
    skip_missing: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """What was compared, and what came of it.

    Attributes
    ----------
    tables : GroupTables
        What it rests on.
    settings : GroupSettings
        How.
    found : tuple of MeasureComparison
        For each measure.
    """

    tables: GroupTables
    settings: GroupSettings
    found: tuple[MeasureComparison, ...]


def compare_groups(
    tables: Sequence[Path | str], design: Path | str, settings: GroupSettings | None = None
) -> Groups:
    """Compare conditions, with mitochondria nested in images, cells and animals.

    Parameters
    ----------
    tables : sequence of Path or str
        Tables of objects (CSV, Parquet), or run folders that hold them.
    design : Path or str
        See `chondria.experiments.group_design.read_design`.
    settings : GroupSettings, optional
        How to compare.

    Returns
    -------
    Groups
        Nothing is written.

    Raises
    ------
    ChondriaError
        A sentence for whatever does not fit.
    """
    settings = settings or GroupSettings()
    read = read_group_tables(read_design(Path(design), [Path(table) for table in tables]))
    measured = measured_values(
        read,
        settings.measures,
        keep_border=settings.keep_border,
        skip_missing=settings.skip_missing,
    )
    conditions = read.design.conditions
    found = [compare_measure(one, conditions, settings.scale, settings.method) for one in measured]
    return Groups(read, settings, tuple(found))


def write_groups(groups: Groups, output: Path | str) -> Path:
    """Write tables, figures and a page into a new folder.

    Parameters
    ----------
    groups : Groups
        What was found.
    output : Path or str
        A new or empty folder.

    Returns
    -------
    Path
        The folder: stats.csv, conditions.csv, animals.csv, variance.csv, stats.md, stats.html,
        superplot-MEASURE.svg, forest.svg, run.json.

    Raises
    ------
    OutputExistsError, InputNotFoundError
        As `chondria.experiments.run_folder.new_run_folder`.
    """
    found = groups.found
    with new_run_folder(output) as folder:
        _write_csv(contrast_rows(found), folder / "stats.csv")
        _write_csv(condition_rows(found), folder / "conditions.csv")
        _write_csv(animal_rows(found), folder / "animals.csv")
        _write_csv(variance_rows(found), folder / "variance.csv")
        figures = draw_groups(found, folder)
        write_pages(found, figures, folder)
        write_json(folder / "run.json", _record(groups))
    return Path(output)


def _record(groups: Groups) -> dict[str, object]:
    tables, design = groups.tables, groups.tables.design
    return environment() | {
        "job": "stats",
        "settings": asdict(groups.settings),
        "design_sha256": design.sha256,
        "paired": is_paired(design.places),
        "tables": [
            {"table": str(table.path), "sha256": table.sha256, "rows": len(table)} | asdict(place)
            for table, place in zip(tables.objects, design.places, strict=True)
        ],
        "images": [{"summary": str(image.path), "sha256": image.sha256} for image in tables.images],
        "measures": [
            {
                "name": one.measured.name,
                "scale": one.scale,
                "at_border_left_out": one.measured.at_border,
                "missing_left_out": one.measured.missing,
                "animals_without_values": list(one.lost_animals),
            }
            for one in groups.found
        ],
    }


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)


def _cell(value: str | int | float) -> str:
    """Write ten digits; nothing where there is no number."""
    if isinstance(value, float):
        return f"{value:.10g}" if math.isfinite(value) else ""
    return str(value)
