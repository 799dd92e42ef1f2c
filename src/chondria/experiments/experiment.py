"""The job of `chondria experiment`: rows of recipes, several seeds each, into one table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chondria.config.experiment import Experiment, Row, Step, TestSet, recipe_of, steps_of
from chondria.config.names import chosen
from chondria.config.recipe import Recipe
from chondria.evaluation.blocks import iou_interval
from chondria.experiments.metrics import check_metrics, metric_value
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import open_same_job, reports_in, write_json
from chondria.experiments.scoring import open_test_set, score_model
from chondria.experiments.seeds import (
    check_same_recipe,
    load_scores,
    run_watched,
    runs_at_once,
    seeded,
    train_or_keep,
)
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.smoke import marked_title, smoke_experiment, smoke_recipe
from chondria.experiments.training import TrainingObserver
from chondria.report.result_table import ResultRow, write_tables

__all__ = ["ExperimentRun", "run_experiment"]


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """What an experiment left behind: its folder, and one line for each row, step and metric."""

    folder: Path
    table: list[ResultRow]


def run_experiment(
    experiment: Experiment,
    folder: str | Path,
    *,
    only: Sequence[str] = (),
    data_root: str | Path | None = None,
    device: str = "auto",
    at_once: int | None = None,
    smoke: bool = False,
    watch: Callable[[str], TrainingObserver] | None = None,
) -> ExperimentRun:
    """Train every row with its seeds, score every run on the test volume, and aggregate.

    A run that is whole is kept and one that was interrupted goes on from its checkpoint, so that
    the same command again continues an experiment and repeats nothing. An experiment may gain
    rows, runs, metrics and steps; of a new step only the scoring is done.

    Parameters
    ----------
    experiment : Experiment
        Rows, steps, test volume.
    folder : str or Path
        A new folder, or that of this experiment: experiment.json, a folder for each row
        with one for each seed (a run of `chondria train`, and scores.json), table.csv, table.md
        and table.html.
    only : sequence of str
        Names of rows; all by default. The table shows what was scored before as well.
    data_root : str or Path, optional
        Where paths start; by default the recipe's own root.
    device : str
        See `chondria.inference.device.choose_device`.
    at_once : int, optional
        How many runs share the device; by default all on a GPU, and one for every core on a CPU.
    smoke : bool
        Small networks and a phantom instead of the data: everything runs, and nothing is a result.
    watch : callable
        Gives an observer for the run of a name.

    Returns
    -------
    ExperimentRun
        The folder and the table.

    Raises
    ------
    ChondriaError
        If a row cannot be trained or scored, or the folder holds something else.
    """
    rows = chosen("row", experiment.rows, only, experiment.name)
    check_metrics(experiment.metrics)
    recipes = {row.name: recipe_of(experiment, row) for row in rows}
    roots = {name: Path(data_root or recipe.data.root) for name, recipe in recipes.items()}
    if not smoke:
        for row in rows:
            if row.trained:
                open_test_set(row.test or experiment.test, roots[row.name])
    with open_same_job(
        Path(folder), "experiment", {"name": experiment.name, "smoke": smoke}
    ) as target:
        if smoke:
            experiment = smoke_experiment(experiment, target / "phantom")
            rows = chosen("row", experiment.rows, only, experiment.name)
        jobs: dict[str, Callable[[Post], Any]] = {}
        for row in (row for row in rows if row.trained):
            test = row.test or experiment.test
            steps = steps_of(experiment, row)
            recipe = recipes[row.name]
            recipe = smoke_recipe(recipe, target / "phantom") if smoke else recipe
            for name, one in seeded(recipe, experiment.runs).items():
                place = target / row.folder / name
                check_same_recipe(one, place)
                jobs[f"{row.name}, {name}"] = partial(
                    _train_and_score, one, place, test, steps, roots[row.name], device
                )
        if jobs:
            run_watched(jobs, runs_at_once(len(jobs), at_once, device), watch, here=smoke)
        shown = [
            row for row in experiment.rows if row in rows or _is_scored(experiment, row, target)
        ]
        table = [line for row in shown for line in _aggregate(experiment, row, target)]
        title = marked_title(experiment.title or experiment.name, smoke)
        write_tables(table, target, title, experiment.notes, reports_in(target))
        return ExperimentRun(target, table)


def _is_scored(experiment: Experiment, row: Row, folder: Path) -> bool:
    """Tell whether earlier commands scored a row after every step that it has now."""
    runs = load_scores(folder / row.folder)
    steps = {step.name for step in steps_of(experiment, row)}
    return bool(runs) and all(steps <= run["steps"].keys() for run in runs)


def _settings(step: Step, device: str) -> SegmentationSettings:
    return SegmentationSettings(**step.model_dump(exclude={"name"}), device=device)


def _train_and_score(
    recipe: Recipe,
    folder: Path,
    test: TestSet,
    steps: tuple[Step, ...],
    data_root: Path,
    device: str,
    post: Post,
) -> None:
    """One run, from wherever it stands to its scores."""
    stored, asked = folder / "scores.json", test.model_dump(mode="json")
    known = json.loads(stored.read_text()) if stored.exists() else {}
    whole = known.get("steps", {}) if known.get("test") == asked else {}
    missing = [step for step in steps if whole.get(step.name, {}).get("asked") != _said(step)]
    if not missing:
        return
    model = train_or_keep(recipe, folder, data_root, device, post)
    post(("say", "scoring"))
    settings = {step.name: _settings(step, device) for step in missing}
    found = score_model(model, open_test_set(test, data_root), settings)
    for step in missing:
        found[step.name]["asked"] = _said(step)
    write_json(stored, {"seed": recipe.seed, "test": asked, "steps": whole | found})


def _said(step: Step) -> dict[str, Any]:
    return step.model_dump(mode="json", exclude={"name"})


def _aggregate(experiment: Experiment, row: Row, folder: Path) -> list[ResultRow]:
    """One line for each step and metric."""
    runs = load_scores(folder / row.folder) if row.trained else []
    lines = []
    for step in steps_of(experiment, row):
        published = row.published.get(step.name, {})
        # Of a row that only shows what was published, nothing else is shown.
        metrics = experiment.metrics if row.trained else tuple(published)
        for metric in metrics:
            lines.append(_line(row.name, step.name, metric, runs, published.get(metric)))
    return lines


def _line(
    row: str,
    step: str,
    metric: str,
    runs: Sequence[dict[str, Any]],
    published: float | tuple[float, float] | None,
) -> ResultRow:
    values = [metric_value(run["steps"][step]["scores"], metric) for run in runs]
    counts = [run["steps"][step]["blocks"] for run in runs]
    with_interval = metric == "iou" and runs
    low, high = iou_interval(np.array(counts)) if with_interval else (None, None)
    line = ResultRow.of(row, step, metric, values, published)
    return replace(line, low=low, high=high)
