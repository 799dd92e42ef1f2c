"""The job of `chondria experiment`: rows of recipes, several seeds each, into one table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from chondria.config.experiment import Experiment, Row, Step, TestSet, recipe_of
from chondria.config.recipe import Recipe
from chondria.data.registry import advising_fetch
from chondria.errors import OutputExistsError, SettingsError
from chondria.evaluation.blocks import iou_interval
from chondria.evaluation.sheet import score
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import create_run_folder, environment, write_json
from chondria.experiments.scoring import TestVolume, open_test_volume, score_model
from chondria.experiments.seeds import run_watched, runs_at_once, seeded, train_or_keep
from chondria.experiments.smoke import smoke_experiment, smoke_recipe
from chondria.experiments.training import TrainingObserver
from chondria.experiments.volume_segmentation import SegmentationSettings
from chondria.report.result_table import ResultRow, write_tables

__all__ = ["ExperimentRun", "chosen_rows", "load_scores", "run_experiment"]


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
    the same command again continues an experiment and repeats nothing.

    Parameters
    ----------
    experiment : Experiment
        Rows, steps, test volume.
    folder : str or Path
        A new folder, or that of this very experiment: experiment.json, a folder for each row
        with one for each seed (a run of `chondria train`, and scores.json), table.csv, table.md
        and table.html.
    only : sequence of str
        Names of rows; all by default.
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
    rows = chosen_rows(experiment, only)
    _check_metrics(experiment)
    recipes = {row.name: recipe_of(experiment, row) for row in rows}
    roots = {name: Path(data_root or recipe.data.root) for name, recipe in recipes.items()}
    if not smoke:
        for root in roots.values():
            _test_volume(experiment.test, root)
    target = _open_folder(Path(folder), experiment, smoke)
    if smoke:
        experiment = smoke_experiment(experiment, target / "phantom")
    steps = {step.name: _settings(step, device) for step in experiment.steps}
    jobs: dict[str, Callable[[Post], Any]] = {}
    for row in rows:
        recipe = recipes[row.name]
        recipe = smoke_recipe(recipe, target / "phantom") if smoke else recipe
        for name, one in seeded(recipe, experiment.runs).items():
            place = target / row.folder / name
            jobs[f"{row.name}, {name}"] = partial(
                _train_and_score, one, place, experiment.test, steps, roots[row.name], device
            )
    run_watched(jobs, runs_at_once(len(jobs), at_once, device), watch)
    table = [line for row in rows for line in _aggregate(experiment, row, target)]
    title = experiment.title or experiment.name
    write_tables(table, target, f"SMOKE, NO RESULT: {title}" if smoke else title, experiment.notes)
    return ExperimentRun(target, table)


def chosen_rows(experiment: Experiment, only: Sequence[str]) -> list[Row]:
    """Find rows by name.

    Raises
    ------
    SettingsError
        If there is no row of a name; lists those that there are.
    """
    rows = {row.name: row for row in experiment.rows}
    for name in only:
        if name not in rows:
            raise SettingsError(
                f"There is no row '{name}' in the experiment '{experiment.name}'; there are: "
                f"{'; '.join(rows)}."
            )
    return [row for name, row in rows.items() if not only or name in only]


def load_scores(folder: Path) -> list[dict[str, Any]]:
    """Read the scores of every run in a row's folder, in the order of their seeds."""
    found = sorted(folder.glob("seed-*/scores.json"), key=lambda path: _seed(path.parent))
    return [json.loads(path.read_text()) for path in found]


def _seed(folder: Path) -> int:
    return int(folder.name.removeprefix("seed-"))


def _open_folder(folder: Path, experiment: Experiment, smoke: bool) -> Path:
    """Make a folder, or find the same experiment in it; more runs of it are the same."""
    said = experiment.model_dump(mode="json", exclude={"runs", "title", "notes"}) | {"smoke": smoke}
    stored = folder / "experiment.json"
    if stored.exists():
        if json.loads(stored.read_text())["experiment"] != said:
            raise OutputExistsError(
                f"The folder '{folder}' holds another experiment (its experiment.json); give a "
                "new folder, or the recipe that it was begun with."
            )
        return folder
    create_run_folder(folder)
    write_json(stored, {"experiment": said} | environment())
    return folder


def _settings(step: Step, device: str) -> SegmentationSettings:
    return SegmentationSettings(**step.model_dump(exclude={"name"}), device=device)


def _train_and_score(
    recipe: Recipe,
    folder: Path,
    test: TestSet,
    steps: dict[str, SegmentationSettings],
    data_root: Path,
    device: str,
    post: Post,
) -> None:
    """One run, from wherever it stands to its scores."""
    stored = folder / "scores.json"
    if stored.exists():
        return
    model = train_or_keep(recipe, folder, data_root, device, post)
    post(("say", "scoring"))
    found = score_model(model, _test_volume(test, data_root), steps)
    write_json(stored, {"seed": recipe.seed, "steps": found})


def _test_volume(test: TestSet, root: Path) -> TestVolume:
    with advising_fetch(test.images, root):
        return open_test_volume(root / test.images, root / test.masks, test.voxel_size_nm)


def _aggregate(experiment: Experiment, row: Row, folder: Path) -> list[ResultRow]:
    """One line for each step and metric."""
    runs = load_scores(folder / row.folder)
    lines = []
    for step in experiment.steps:
        counts = np.array([run["steps"][step.name]["blocks"] for run in runs])
        for metric in experiment.metrics:
            values = [_metric(run["steps"][step.name]["scores"], metric) for run in runs]
            published = row.published.get(step.name, {}).get(metric)
            known = published if isinstance(published, tuple) else (published, None)
            low, high = iou_interval(counts) if metric == "iou" else (None, None)
            lines.append(
                ResultRow(
                    row=row.name,
                    step=step.name,
                    metric=metric,
                    n=len(values),
                    mean=mean(values),
                    sd=stdev(values) if len(values) > 1 else None,
                    smallest=min(values),
                    largest=max(values),
                    low=low,
                    high=high,
                    published_mean=known[0],
                    published_sd=known[1],
                )
            )
    return lines


def _check_metrics(experiment: Experiment) -> None:
    """Refuse an unknown metric before hours of training."""
    nothing = np.zeros((1, 1, 1), bool)
    known = score(nothing, nothing).as_dict()
    for name in experiment.metrics:
        if name not in known:
            raise SettingsError(f"There is no metric '{name}'; there are: {', '.join(known)}.")


def _metric(scores: dict[str, float | None], name: str) -> float:
    """Give a score; not a number where it has none, such as a distance to nothing."""
    value = scores[name]
    return math.nan if value is None else float(value)
