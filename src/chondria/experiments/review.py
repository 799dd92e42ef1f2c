"""The job of `chondria review`: a run folder in, its worklist with pictures out."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from chondria.data.inspection_order import SliceOrder
from chondria.errors import OutputExistsError, SettingsError
from chondria.experiments.reporting import write_report
from chondria.experiments.reviewed_run import ReviewedRun, open_run
from chondria.experiments.run_image import open_run_image
from chondria.report.crops import draw_crop
from chondria.review.worklist import Entry, make_worklist
from chondria.volume import Volume

__all__ = ["COLUMNS", "DEFAULT_ENTRIES", "odd_slices", "review"]

DEFAULT_ENTRIES: Final = 50
COLUMNS: Final = (
    *("rank", "kind", "ids", "z_px", "y_px", "x_px", "z_nm", "y_nm", "x_nm"),
    *("score", "reason", "crop", "decision", "points"),
)


def review(
    folder: str | Path,
    *,
    image: str | Path | None = None,
    entries: int = DEFAULT_ENTRIES,
    voxel_size_nm: Sequence[float] | None = None,
) -> list[Entry]:
    """Write the worklist of a run: ``worklist.csv`` and the pictures in ``worklist/``.

    The run's ``report.html`` then shows it.

    Parameters
    ----------
    folder : str or Path
        A run folder of `chondria segment` or `chondria apply`.
    image : str or Path, optional
        Where its image is, if no longer where run.json says.
    entries : int
        At most so many lines, from 1 upwards.
    voxel_size_nm : sequence of float, optional
        (z, y, x) in nm; overrules what the run says.

    Returns
    -------
    list of Entry
        What was written, the most suspicious first.

    Raises
    ------
    OutputExistsError
        If the run has a worklist, which may hold decisions.
    SettingsError
        If fewer than one entry is asked for.
    ChondriaError
        If the run or its image cannot be used.
    """
    if entries < 1:
        raise SettingsError(f"Found {entries} entries to be listed; give 1 or more.")
    run = open_run(folder, voxel_size_nm)
    table, pictures = run.folder / "worklist.csv", run.folder / "worklist"
    for path in (table, pictures):
        if path.exists():
            raise OutputExistsError(
                f"'{path}' exists already and may hold decisions; rename or delete it first."
            )
    picture = open_run_image(run.record, run.labels, image, run.voxel_size_nm)
    labels = run.labels.numpy()
    found = make_worklist(
        labels, run.probability.numpy(), run.voxel_size_nm, odd_slices(picture), picture.numpy()
    )
    found = found[:entries]
    try:
        pictures.mkdir()
        _draw(found, picture, run, pictures)
        _write_table(found, run, table)
        write_report(run.folder, picture)
    except BaseException:
        shutil.rmtree(pictures, ignore_errors=True)
        table.unlink(missing_ok=True)
        raise
    return found


def odd_slices(image: Volume) -> dict[int, str]:
    """Name the slices that the grey values set apart from their neighbours, with the reason."""
    order = SliceOrder()
    for z in range(image.shape[0]):
        order.add(np.nan_to_num(np.asarray(image.data[z], np.float64)))
    swapped, odd, jumps = order.suspects()
    said = {z: f"The image changes sharply between slices {z} and {z + 1}." for z in jumps}
    said |= {z: f"The image of slice {z} is unlike both of its neighbours." for z in odd}
    return said | {z: f"Slices {z} and {z + 1} look exchanged in the image." for z in swapped}


def _draw(found: list[Entry], image: Volume, run: ReviewedRun, folder: Path) -> None:
    labels = run.labels.numpy()
    for entry in found:
        about = entry.suspicion
        whole = {"field_nm": None} if about.kind == "slice" else {}
        path = folder / _crop_name(entry)
        draw_crop(image.data, labels, about.place_px, run.voxel_size_nm, path, **whole)


def _crop_name(entry: Entry) -> str:
    return f"{entry.rank:04d}-{entry.suspicion.kind}.png"


def _write_table(found: list[Entry], run: ReviewedRun, path: Path) -> None:
    """Write the table; renamed when whole."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for entry in found:
            about = entry.suspicion
            place_nm = (
                f"{start + at * edge:.10g}"
                for start, at, edge in zip(
                    run.labels.origin_nm, about.place_px, run.voxel_size_nm, strict=True
                )
            )
            ids = " ".join(map(str, about.ids))
            crop = f"worklist/{_crop_name(entry)}"
            place = (*about.place_px, *place_nm)
            score = f"{entry.score:.4f}"
            writer.writerow(
                (entry.rank, about.kind, ids, *place, score, about.reason, crop, "", "")
            )
    temporary.replace(path)
