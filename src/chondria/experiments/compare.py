"""The job of `chondria compare`: two rows of experiments, or two steps of one row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chondria.errors import InputNotFoundError, SettingsError
from chondria.evaluation.blocks import Counts
from chondria.evaluation.comparison import Comparison, compare_counts
from chondria.experiments.seeds import load_scores

__all__ = ["compare_rows"]


def compare_rows(a: str, b: str) -> Comparison:
    """Compare the runs of two rows, or two steps of the same runs.

    Parameters
    ----------
    a, b : str
        A row's folder, with ``@`` and the name of a step where there are several. An experiment's
        folder stands for its row where it has one only.

    Returns
    -------
    Comparison
        Runs of one folder are paired: the same weights, scored in two ways.

    Raises
    ------
    InputNotFoundError
        If there are no scores.
    SettingsError
        If a step is unknown or has to be named, or the rows were scored on other blocks.
    """
    (folder_a, counts_a), (folder_b, counts_b) = (_read(name) for name in (a, b))
    if counts_a.shape[1:] != counts_b.shape[1:]:
        raise SettingsError(
            f"Found scores on {counts_a.shape[1]} blocks in '{a}' and on {counts_b.shape[1]} in "
            f"'{b}'; only scores on the same test volume can be compared."
        )
    return compare_counts(counts_a, counts_b, paired=folder_a == folder_b)


def _read(name: str) -> tuple[Path, Counts]:
    path, _, step = name.partition("@")
    folder = _row_folder(Path(path))
    runs = load_scores(folder)
    if "steps" not in runs[0]:
        raise SettingsError(
            f"Found runs of a classification in '{name}'; only segmentations can be compared, "
            "block by block of their test volume."
        )
    chosen = _step(runs[0]["steps"], step, name)
    counts = np.array([run["steps"][chosen]["blocks"] for run in runs], np.int64)
    return folder.resolve(), counts


def _row_folder(folder: Path) -> Path:
    if list(folder.glob("seed-*/scores.json")):
        return folder
    rows = sorted({path.parent.parent for path in folder.glob("*/seed-*/scores.json")})
    if len(rows) == 1:
        return rows[0]
    if rows:
        names = ", ".join(str(row) for row in rows)
        raise SettingsError(f"Found several rows in '{folder}'; give the folder of one: {names}.")
    raise InputNotFoundError(
        f"Found no scores in '{folder}'; give the folder of a row that `chondria experiment` wrote."
    )


def _step(steps: dict[str, Any], wanted: str, name: str) -> str:
    if not wanted and len(steps) == 1:
        return next(iter(steps))
    if wanted in steps:
        return wanted
    said = f"There is no step '{wanted}' in '{name}'" if wanted else f"Found several in '{name}'"
    raise SettingsError(f"{said}; write FOLDER@STEP with one of: {', '.join(steps)}.")
