"""The job of `chondria transfer`: models of several data sets, each tested on every set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.config.experiment import TestSet
from chondria.config.names import chosen, folder_name
from chondria.config.recipe import Recipe
from chondria.config.transfer import Matching, Transfer, TransferSet, transfer_recipe
from chondria.evaluation.objects import as_mask
from chondria.experiments.metrics import check_metrics, metric_value
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import open_same_job, reports_in, write_json
from chondria.experiments.scoring import open_test_set, score_model
from chondria.experiments.seeds import (
    load_scores,
    run_watched,
    runs_at_once,
    score_files,
    seeded,
    train_or_keep,
)
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.smoke import SMOKE_RUNS, marked_title, smoke_recipe, smoke_test
from chondria.experiments.training import TrainingObserver
from chondria.io import open_volume, save_volume
from chondria.report.matrix import Matrix, draw_matrices, write_matrices
from chondria.report.montage import SeenSlice, draw_montage
from chondria.volume import Volume

__all__ = ["TransferRun", "run_transfer", "transfer_matrix"]

STEP = "plain"


@dataclass(frozen=True, slots=True)
class TransferRun:
    """What a transfer left behind: its folder, and a matrix for each metric and matching."""

    folder: Path
    matrices: list[Matrix]


def run_transfer(
    transfer: Transfer,
    folder: str | Path,
    *,
    only: Sequence[str] = (),
    data_root: str | Path | None = None,
    device: str = "auto",
    at_once: int | None = None,
    smoke: bool = False,
    watch: Callable[[str], TrainingObserver] | None = None,
) -> TransferRun:
    """Train models of every set, test each on every set, and lay the scores out as matrices.

    What is whole is kept, so that the same command again continues and repeats nothing.

    Parameters
    ----------
    transfer : Transfer
        Sets, recipe, matching.
    folder : str or Path
        A new folder, or that of this very transfer: transfer.json, matrix.csv, matrix.md,
        matrix.html, matrix.png, a picture of slices for each matching, and for each matching and
        set a folder with one for each seed (a run of `chondria train`, scores.json, and the mask
        of the slice that is shown of each test set).
    only : sequence of str
        Names of sets, both to learn from and to be tested on; all by default.
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
    TransferRun
        The folder and the matrices; cells of runs that are not there yet are empty.

    Raises
    ------
    ChondriaError
        If a set cannot be learned from or tested on, or the folder holds something else.
    """
    sets = chosen("set", transfer.sets, only, transfer.name)
    check_metrics(transfer.metrics)
    recipe = transfer_recipe(transfer, sets[0], transfer.matching[0])
    root = Path(data_root or recipe.data.root)
    tests = {one.name: one.test_set for one in sets}
    if not smoke:
        for test in tests.values():
            open_test_set(test, root)
    with open_same_job(Path(folder), "transfer", _what_decides(transfer, smoke)) as target:
        if smoke:
            tests = dict.fromkeys(tests, smoke_test(target / "phantom"))
            transfer = transfer.model_copy(update={"runs": SMOKE_RUNS})
        jobs = {
            said: partial(_train_and_test, run, place, tests, root, device)
            for said, run, place in _runs(transfer, sets, target, smoke)
        }
        run_watched(jobs, runs_at_once(len(jobs), at_once, device), watch, here=smoke)
        matrices = _collect(transfer, target)
        title = marked_title(transfer.title or transfer.name, smoke)
        write_matrices(matrices, target, title, transfer.notes, reports_in(target))
        draw_matrices(matrices, target / "matrix.png", title)
        for matching in transfer.matching:
            _draw_slices(target, matching, sets, tests, root, title)
        return TransferRun(target, matrices)


def transfer_matrix(
    transfer: Transfer,
    matching: Matching,
    metric: str,
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Matrix:
    """Lay scores out.

    Parameters
    ----------
    transfer : Transfer
        Order of the sets, and published figures.
    matching : {"with", "without"}
        Published figures belong to ``with``.
    metric : str
        Of the scores.
    runs : mapping of str to sequence of mapping
        By what was learned from: of each run the scores by test set.

    Returns
    -------
    Matrix
        Rows are test sets, columns what was learned from.
    """
    names = tuple(one.name for one in transfer.sets)
    shape = len(names), len(names)
    n = np.zeros(shape, np.int64)
    mean, sd, published = (np.full(shape, np.nan) for _ in range(3))
    known = transfer.published.get(metric, {}) if matching == "with" else {}
    for row, test in enumerate(names):
        for column, train in enumerate(names):
            place = row, column
            found = [metric_value(run[test], metric) for run in runs.get(train, ()) if test in run]
            n[place] = len(found)
            if found:
                mean[place] = np.mean(found)
            if len(found) > 1:
                sd[place] = np.std(found, ddof=1)
            published[place] = known.get(test, {}).get(train, np.nan)
    return Matrix(matching, metric, names, n, mean, sd, published)


def _what_decides(transfer: Transfer, smoke: bool) -> dict[str, Any]:
    """Give what the results of runs depend on; more runs or metrics of them are the same job."""
    aside = {"runs", "title", "notes", "metrics", "matching", "published"}
    return transfer.model_dump(mode="json", exclude=aside) | {"smoke": smoke}


def _runs(
    transfer: Transfer, sets: Sequence[TransferSet], folder: Path, smoke: bool
) -> Iterator[tuple[str, Recipe, Path]]:
    """Give each run's name, recipe and place; every model once before any a second time."""
    models: list[tuple[str, Path, dict[str, Recipe]]] = []
    for matching, one in product(transfer.matching, sets):
        recipe = transfer_recipe(transfer, one, matching)
        recipe = smoke_recipe(recipe, folder / "phantom") if smoke else recipe
        said, place = f"{one.name} {matching} matching", folder / matching / one.folder
        models.append((said, place, seeded(recipe, transfer.runs)))
    for index, (said, place, runs) in product(range(transfer.runs), models):
        name = list(runs)[index]
        yield f"{said}, {name}", runs[name], place / name


def _train_and_test(
    recipe: Recipe,
    folder: Path,
    tests: Mapping[str, TestSet],
    root: Path,
    device: str,
    post: Post,
) -> None:
    """One run, from wherever it stands to its scores on every test set."""
    stored = folder / "scores.json"
    found: dict[str, Any] = json.loads(stored.read_text()) if stored.exists() else {}
    missing = [name for name in tests if name not in found]
    if not missing:
        return
    model = train_or_keep(recipe, folder, root, device, post)
    steps = {STEP: SegmentationSettings(device=device)}
    for name in missing:
        post(("say", f"testing on {name}"))
        keep = partial(_keep_slice, _shown_path(folder, name))
        found[name] = score_model(model, open_test_set(tests[name], root), steps, keep)[STEP]
        write_json(stored, found)


def _shown_path(folder: Path, test: str) -> Path:
    return folder / f"shown-on-{folder_name(test)}.png"


def _keep_slice(path: Path, _: str, labels: NDArray[Any]) -> None:
    """Write the mask of the middle slice, for people to look at."""
    middle = labels[labels.shape[0] // 2]
    save_volume(Volume((middle[None] > 0) * np.uint8(255)), path, overwrite=True)


def _collect(transfer: Transfer, folder: Path) -> list[Matrix]:
    """Make a matrix for each metric and matching of the runs that are there."""
    matrices = []
    for matching in transfer.matching:
        runs = {
            one.name: [
                {name: test["scores"] for name, test in run.items()}
                for run in load_scores(folder / matching / one.folder)
            ]
            for one in transfer.sets
        }
        matrices += [transfer_matrix(transfer, matching, name, runs) for name in transfer.metrics]
    return matrices


def _draw_slices(
    folder: Path,
    matching: Matching,
    sets: Sequence[TransferSet],
    tests: Mapping[str, TestSet],
    root: Path,
    title: str,
) -> None:
    """Draw the middle slice of every test set with what a model of every set finds there."""
    rows = {}
    for name, test in tests.items():
        volume = open_test_set(test, root)
        middle = volume.images.shape[0] // 2
        predicted = {}
        for one in sets:
            first = next(iter(score_files(folder / matching / one.folder)), None)
            if first and (shown := _shown_path(first.parent, name)).exists():
                predicted[one.name] = open_volume(shown).numpy()[0] > 0
        image = np.asarray(volume.images.data[middle])
        truth = as_mask(np.asarray(volume.masks.data[middle]), "the test mask")
        rows[name] = SeenSlice(image, truth, predicted)
    names = [one.name for one in sets]
    caption = f"{title}: {matching} matching"
    draw_montage(rows, names, folder / f"slices-{matching}.png", caption)
