"""What a run folder of a segmentation holds, read back: volumes lazily, tables as plain values."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chondria.errors import FormatError, InputNotFoundError
from chondria.experiments.evaluation import find_labels
from chondria.io import open_volume
from chondria.report.content import PlainTable
from chondria.volume import Volume

__all__ = [
    "RunContents",
    "find_probability",
    "is_calibration",
    "is_training",
    "read_json",
    "read_run",
    "read_table",
]


@dataclass(frozen=True, eq=False, slots=True)
class RunContents:
    """A run folder's files; what it lacks is empty.

    Attributes
    ----------
    folder : Path
        Where it is.
    record : dict
        run.json.
    labels : Volume, (Z, Y, X)
        0 is background, each other number one object.
    probability : Volume or None, (Z, Y, X)
        uint8, 255 is certainty.
    objects : PlainTable
        objects.csv.
    summary : dict
        What objects.volume.json says of the volume as a whole.
    metrics : dict
        metrics.json: scores, and against which truth (see `reporting.record_scores`).
    calibration, errors : dict
        calibration.json and errors.json (docs/report.md).
    worklist : PlainTable or None
        worklist.csv.
    """

    folder: Path
    record: dict[str, Any]
    labels: Volume
    probability: Volume | None
    objects: PlainTable
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    worklist: PlainTable | None = None


def is_training(folder: str | Path) -> bool:
    """Tell whether a folder is of a training, finished or not."""
    return (Path(folder) / "recipe.yaml").is_file()


def is_calibration(folder: str | Path) -> bool:
    """Tell whether a folder is of a calibration."""
    run = Path(folder)
    return (run / "candidates.csv").is_file() and not (run / "objects.csv").exists()


def read_run(folder: str | Path) -> RunContents:
    """Read the run folder of a segmentation.

    Raises
    ------
    InputNotFoundError
        If there is no such folder, or no segmentation in it.
    FormatError
        If a file in it is damaged.
    """
    run = Path(folder)
    for name in ("run.json", "objects.csv"):
        if not (run / name).is_file():
            raise InputNotFoundError(
                f"There is no {name} in '{run}', so it is no finished segmentation; give the "
                "folder of `chondria segment`."
            )
    worklist = run / "worklist.csv"
    probability = find_probability(run)
    return RunContents(
        folder=run,
        record=read_json(run / "run.json"),
        labels=open_volume(find_labels(run)),
        probability=open_volume(probability) if probability else None,
        objects=read_table(run / "objects.csv"),
        summary=read_json(run / "objects.volume.json").get("volume", {}),
        metrics=read_json(run / "metrics.json"),
        calibration=read_json(run / "calibration.json"),
        errors=read_json(run / "errors.json"),
        worklist=read_table(worklist) if worklist.is_file() else None,
    )


def find_probability(run: Path) -> Path | None:
    """Find the probabilities in a run folder; None where there are none."""
    return next((p for p in sorted(run.glob("probability*")) if p.suffix != ".json"), None)


def read_table(path: Path) -> PlainTable:
    """Read a CSV file; each text that is a number or a truth value becomes one.

    Raises
    ------
    FormatError
        If it has no line of names, or a line of another length.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        names, *rows = list(csv.reader(stream)) or [[]]
    if not names or any(len(row) != len(names) for row in rows):
        raise FormatError(
            f"Found a table with lines of different lengths, or none, in '{path}'; delete it or "
            "make it again."
        )
    return PlainTable(names, [[_value(text) for text in row] for row in rows])


def read_json(path: Path) -> dict[str, Any]:
    """Read an object of JSON; an absent file is empty.

    Raises
    ------
    FormatError
        If the file is damaged, or holds something else.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(
            f"Cannot read '{path}' as JSON ({error}); delete it or make it again."
        ) from error
    if not isinstance(found, dict):
        raise FormatError(f"Found no object of JSON in '{path}'; delete it or make it again.")
    return found


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
