"""The job of `chondria study overfitting`: fixed lengths of training, watched on three volumes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from chondria.config.experiment import TestSet
from chondria.config.overfitting import OverfittingStudy, study_recipe
from chondria.config.recipe import DataSettings, ImageSet, Recipe
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.evaluation.correlation import Correlation, correlate
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import open_same_job, reports_in
from chondria.experiments.scoring import open_test_set
from chondria.experiments.seeds import run_watched, runs_at_once, seeded, train_or_keep
from chondria.experiments.smoke import SMOKE_RUNS, marked_title, smoke_recipe, smoke_test
from chondria.experiments.training import TrainingObserver
from chondria.experiments.training_data import TrainingData, load_training_data
from chondria.report.overfitting import draw_learning_curves, draw_loss_correlation
from chondria.report.tables import TextTable, html_page, markdown_page

__all__ = ["OverfittingRun", "run_overfitting_study"]

# Columns of a history by what was scored. Slices learned from are scored as they are, without
# augmentation or dropout; the history's train_loss is of augmented patches.
LEARNED = "learned"
LOSS = {"training": f"{LEARNED}_loss", "validation": "validation_loss", "test": "test_loss"}
IOU = {"training": f"{LEARNED}_iou", "validation": "validation_iou", "test": "test_iou"}

SMOKE_STEPS = (2, 4)
SEEDS_APART = 1000

History = list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class OverfittingRun:
    """What a study left behind.

    Attributes
    ----------
    folder : Path
        Tables and pictures.
    table : TextTable
        A line for each length, at the end of its trainings.
    correlations : dict of str to Correlation
        Of the test loss with ``training`` and ``validation`` loss, over all runs.
    """

    folder: Path
    table: TextTable
    correlations: dict[str, Correlation]


def run_overfitting_study(
    study: OverfittingStudy,
    folder: str | Path,
    *,
    data_root: str | Path | None = None,
    device: str = "auto",
    at_once: int | None = None,
    smoke: bool = False,
    watch: Callable[[str], TrainingObserver] | None = None,
) -> OverfittingRun:
    """Train each length with its seeds, and see when the test volume stops to gain.

    What is whole is kept, so that the same command again continues and repeats nothing.

    Parameters
    ----------
    study : OverfittingStudy
        Recipe, lengths, test volume.
    folder : str or Path
        A new folder, or that of this very study: study.json, a folder for each length with one for
        each seed (a run of `chondria train`), history.csv, runs.csv, table.md, table.html,
        curves.png and correlation.png.
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
    OverfittingRun
        Losses and IoU are those of the last weights, not of the best; at the model's pixel size.

    Raises
    ------
    ChondriaError
        If data or settings cannot be used, or the folder holds something else.
    """
    root = Path(data_root or study_recipe(study, study.steps[0]).data.root)
    if not smoke:
        open_test_set(study.test, root)
    with open_same_job(Path(folder), "study", _what_decides(study, smoke)) as target:
        if smoke:
            told = {
                "runs": SMOKE_RUNS,
                "steps": SMOKE_STEPS,
                "test": smoke_test(target / "phantom"),
            }
            study = study.model_copy(update=told)
        runs = {
            (steps, run.seed): (run, target / f"steps-{steps}" / name)
            for steps in study.steps
            for name, run in _seeded(study, steps, target if smoke else None).items()
        }
        jobs = {
            f"{steps} steps, seed-{seed}": partial(_train, run, place, study, root, device)
            for (steps, seed), (run, place) in runs.items()
        }
        run_watched(jobs, runs_at_once(len(jobs), at_once, device), watch, here=smoke)
        histories = {key: _history(place, study) for key, (_, place) in runs.items()}
        title = marked_title(study.title or study.name, smoke)
        return _report(study, histories, target, title)


def _what_decides(study: OverfittingStudy, smoke: bool) -> dict[str, Any]:
    """Give what the results of runs depend on; more runs or lengths of them are the same job."""
    aside = {"runs", "title", "notes", "steps", "epoch_steps", "published"}
    return study.model_dump(mode="json", exclude=aside) | {"smoke": smoke}


def _seeded(study: OverfittingStudy, steps: int, smoke_in: Path | None) -> dict[str, Recipe]:
    """Give the recipes of a length; its seeds are no other length's, so that all are independent.

    With one seed, and rates that do not fall, a short training would be the start of a long one.
    """
    recipe = study_recipe(study, steps)
    if smoke_in:
        recipe = smoke_recipe(recipe, smoke_in / "phantom")
        told = {"training": recipe.training.model_copy(update={"steps": steps})}
        recipe = recipe.model_copy(update=told)
    first = recipe.seed + SEEDS_APART * steps
    return seeded(recipe.model_copy(update={"seed": first}), study.runs)


def _train(
    recipe: Recipe, folder: Path, study: OverfittingStudy, root: Path, device: str, post: Post
) -> None:
    watched = partial(_watched, study.test, study.watched_slices)
    train_or_keep(recipe, folder, root, device, post, watched)


def _watched(
    test: TestSet, slices: int, recipe: Recipe, data: TrainingData, root: Path
) -> list[TrainingVolume]:
    """Give some slices that are learned from, and some of the test volume."""
    learned = next(volume for volume, _ in data if len(volume.split.train))
    # What is watched is a few slices anyway: `every` would only thin them out before.
    images = ImageSet(name="test", **test.model_dump(exclude={"every"}))
    asked = recipe.model_copy(update={"data": DataSettings(sets=(images,))})
    [(unseen, _)] = load_training_data(asked, root)
    return [
        replace(volume, name=name, split=Split((), _spread(volume.split.train, slices)))
        for name, volume in ((LEARNED, learned), ("test", unseen))
    ]


def _spread(slices: Sequence[int], most: int) -> list[int]:
    """Choose slices at even distances."""
    chosen = np.linspace(0, len(slices) - 1, min(most, len(slices))).round()
    return [slices[int(index)] for index in chosen]


def _history(folder: Path, study: OverfittingStudy) -> History:
    with (folder / "history.csv").open(newline="") as stream:
        rows = [{key: float(text) for key, text in row.items()} for row in csv.DictReader(stream)]
    if study.epoch_steps:
        rows = [row | {"epoch": row["step"] / study.epoch_steps} for row in rows]
    return rows


def _report(
    study: OverfittingStudy,
    histories: Mapping[tuple[int, int], History],
    folder: Path,
    title: str,
) -> OverfittingRun:
    unit = "epoch" if study.epoch_steps else "step"
    ends: dict[float, History] = {}
    for rows in histories.values():
        ends.setdefault(rows[-1][unit], []).append(rows[-1])
    longest = [rows for (steps, _), rows in histories.items() if steps == study.steps[-1]]
    table = TextTable(_headings(unit), [_line(length, rows) for length, rows in ends.items()])
    losses = {role: [rows[-1][key] for rows in histories.values()] for role, key in LOSS.items()}
    known = dict(zip(LOSS, zip(*study.published, strict=True), strict=False))
    correlations, said = {}, {}
    for role in ("training", "validation"):
        correlations[role] = correlate(losses[role], losses["test"])
        said[role] = str(correlations[role])
        if known:
            said[role] += f"\npublished: {correlate(known[role], known['test'])}"
    _write_csv(folder / "history.csv", _lines(histories))
    _write_csv(folder / "runs.csv", [rows[-1] for rows in _by_run(histories)])
    spoken = [f"Test loss with {role} loss: {text}." for role, text in said.items()]
    notes = " ".join([*spoken, study.notes]).replace("\n", "; ")
    (folder / "table.md").write_text(markdown_page(title, [table], notes), encoding="utf-8")
    page = html_page(title, [table], notes, links=reports_in(folder))
    (folder / "table.html").write_text(page, encoding="utf-8")
    panels = {"loss": LOSS, "IoU": IOU}
    draw_learning_curves(longest, ends, panels, folder / "curves.png", unit=unit, title=title)
    drawn = folder / "correlation.png"
    draw_loss_correlation(losses, said, drawn, published=known, title=title)
    return OverfittingRun(folder, table, correlations)


def _headings(unit: str) -> list[str]:
    figures = [f"{role} {what}" for what in ("loss", "IoU") for role in LOSS]
    return [f"{unit}s", "n", *figures]


def _line(length: float, rows: History) -> list[str]:
    """Write mean and deviation of each figure at the end of the runs of a length."""
    texts = [f"{length:g}", str(len(rows))]
    for key in (*LOSS.values(), *IOU.values()):
        values = [row[key] for row in rows]
        spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
        texts.append(f"{mean(values):.4f}{spread}")
    return texts


def _by_run(histories: Mapping[tuple[int, int], History]) -> Iterator[History]:
    """Put length and seed into every row of each history."""
    for (steps, seed), rows in histories.items():
        yield [{"length": float(steps), "seed": float(seed)} | row for row in rows]


def _lines(histories: Mapping[tuple[int, int], History]) -> History:
    return [row for rows in _by_run(histories) for row in rows]


def _write_csv(path: Path, rows: History) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
