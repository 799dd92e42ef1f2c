"""The job of `chondria experiment` for classifiers of whole images (thesis chapter 5)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from chondria.config.classification import (
    ClassificationExperiment,
    ClassificationRecipe,
    ClassificationRow,
    DigitFiles,
    classification_recipe,
)
from chondria.config.names import chosen
from chondria.data.idx import read_idx
from chondria.data.made_up import made_up_digits, made_up_pictures
from chondria.data.pictures import read_pictures
from chondria.errors import SettingsError, ShapeError
from chondria.evaluation.confusion import class_scores, confusion_matrix
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import environment, open_same_job, write_json
from chondria.experiments.seeds import load_scores, run_watched, runs_at_once
from chondria.experiments.smoke import marked_title
from chondria.experiments.training import TrainingObserver
from chondria.networks.catalog import build_classifier
from chondria.networks.classifiers import Classifier
from chondria.report.classification import draw_confusion, draw_mistakes
from chondria.report.result_table import ResultRow, write_tables
from chondria.training.classify import ClassifierPlan, Images, predict_classes, train_classifier

__all__ = ["ClassificationRun", "run_classification"]

METRICS = ("accuracy", "loss")
SMOKE = {"epochs": 2, "validation_images": 20, "training_images": None}

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class ClassificationRun:
    """What an experiment left behind: its folder, and one line for each row and metric."""

    folder: Path
    table: list[ResultRow]


@dataclass(frozen=True, slots=True)
class _Data:
    """Images (N, Y, X) or (N, Y, X, 3) with their classes (N,), and the classes' names."""

    train: Arrays
    test: Arrays
    names: list[str]


def run_classification(
    experiment: ClassificationExperiment,
    folder: str | Path,
    *,
    only: Sequence[str] = (),
    data_root: str | Path | None = None,
    at_once: int | None = None,
    smoke: bool = False,
    watch: Callable[[str], TrainingObserver] | None = None,
) -> ClassificationRun:
    """Train every row with its seeds on the CPU, test every run once, and aggregate.

    Runs that are whole are kept, so that the same command again continues and repeats nothing.

    Parameters
    ----------
    experiment : ClassificationExperiment
        Rows and data.
    folder : str or Path
        A new folder, or that of this very experiment: classification.json, table.csv, table.md,
        table.html, and for each row and seed history.csv, scores.json, confusion.csv,
        confusion.png, mistakes.png and weights.safetensors.
    only : sequence of str
        Names of rows; all by default.
    data_root : str or Path, optional
        Where paths start; by default the recipe's own root.
    at_once : int, optional
        How many runs share the processor; by default one for every core.
    smoke : bool
        Drawn digits or shapes instead of the data, for two epochs: nothing is a result.
    watch : callable
        Gives an observer for the run of a name.

    Returns
    -------
    ClassificationRun
        The folder and the table.

    Raises
    ------
    ChondriaError
        If the data cannot be read, a row cannot be trained, or the folder holds something else.
    """
    rows = chosen("row", experiment.rows, only, experiment.name)
    recipes = {row.name: classification_recipe(experiment, row) for row in rows}
    if not smoke:
        for recipe in recipes.values():  # what is wrong is said before anything is made
            _prepare(recipe, Path(data_root or recipe.root))
    said = experiment.model_dump(mode="json", exclude={"runs", "title", "notes"})
    with open_same_job(Path(folder), "classification", said | {"smoke": smoke}) as target:
        jobs: dict[str, Callable[[Post], Any]] = {}
        for row in rows:
            recipe = recipes[row.name]
            for seed in range(recipe.seed, recipe.seed + (1 if smoke else experiment.runs)):
                one = recipe.model_copy(update={"seed": seed} | (SMOKE if smoke else {}))
                root = None if smoke else Path(data_root or recipe.root)
                place = target / row.folder / f"seed-{seed}"
                jobs[f"{row.name}, seed-{seed}"] = partial(_train_and_test, one, place, root)
        run_watched(jobs, runs_at_once(len(jobs), at_once, "cpu"), watch, here=smoke)
        table = [line for row in rows for line in _aggregate(row, target)]
        title = marked_title(experiment.title or experiment.name, smoke)
        write_tables(table, target, title, experiment.notes)
        return ClassificationRun(target, table)


def _train_and_test(
    recipe: ClassificationRecipe, folder: Path, root: Path | None, post: Post
) -> None:
    """One run, unless it is there already."""
    if (folder / "scores.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    post(("say", "reading"))
    data, learn, validation, network = _prepare(recipe, root)
    post(("on_start", recipe.epochs))

    def on_epoch(row: dict[str, float]) -> None:
        post(("on_step", int(row["epoch"]), row["train_loss"]))

    plan = ClassifierPlan(
        recipe.epochs, recipe.batch, recipe.optimizer, recipe.rate, recipe.momentum, recipe.seed
    )
    history = train_classifier(network, learn, validation, plan, on_epoch)
    predicted, loss, _ = predict_classes(network, Images.from_arrays(*data.test))
    save_file(network.state_dict(), folder / "weights.safetensors")
    _write_run(folder, recipe, history, data, predicted, loss)


def _prepare(
    recipe: ClassificationRecipe, root: Path | None
) -> tuple[_Data, Images, Images, Classifier]:
    """Read and divide the data, build the network, and see that they fit."""
    data = _read(recipe, root)
    learn, validation = _divide(Images.from_arrays(*data.train), recipe)
    torch.manual_seed(recipe.seed)
    network = build_classifier(recipe.network, **recipe.options)
    _check_fit(data, network.image_shape, network.layer_shapes[-1])
    return data, learn, validation, network


def _write_run(
    folder: Path,
    recipe: ClassificationRecipe,
    history: list[dict[str, float]],
    data: _Data,
    predicted: NDArray[Any],
    loss: float,
) -> None:
    """Write what a run found; scores.json last, as it says that the run is whole."""
    with (folder / "history.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
    images, truth = data.test
    matrix = confusion_matrix(truth, predicted, len(data.names))
    np.savetxt(folder / "confusion.csv", matrix, "%d", ",", header=",".join(data.names))
    draw_confusion(matrix, data.names, folder / "confusion.png")
    draw_mistakes(images, truth, predicted, data.names, folder / "mistakes.png")
    scores = {"accuracy": class_scores(matrix).accuracy, "loss": loss}
    record = {"recipe": recipe.model_dump(mode="json"), "test_images": len(truth)}
    write_json(folder / "scores.json", scores | record | environment())


def _read(recipe: ClassificationRecipe, root: Path | None) -> _Data:
    """Read what a recipe learns from and is tested on, or make it up."""
    data = recipe.data
    if isinstance(data, DigitFiles):
        if root is None:
            return _Data(made_up_digits(200, 0), made_up_digits(100, 1), [*"0123456789"])
        train = read_idx(root / data.train_images), read_idx(root / data.train_labels)
        test = read_idx(root / data.test_images), read_idx(root / data.test_labels)
        return _Data(train, test, [str(n) for n in range(int(train[1].max()) + 1)])
    if root is None:
        size = data.shape_yx
        return _Data(made_up_pictures(60, size, 0), made_up_pictures(20, size, 1), ["disc", "box"])
    images, labels, names = read_pictures(root / data.folder, data.shape_yx)
    if data.test_images >= len(images):
        raise SettingsError(
            f"Found {len(images)} pictures in '{root / data.folder}', of which {data.test_images} "
            "should be tested on; ask for fewer."
        )
    order = np.random.default_rng(0).permutation(len(images))
    held, rest = np.split(order, [data.test_images])
    return _Data((images[rest], labels[rest]), (images[held], labels[held]), names)


def _divide(images: Images, recipe: ClassificationRecipe) -> tuple[Images, Images]:
    """Draw validation images, and those to learn from, by the run's seed."""
    wanted = recipe.training_images
    left = len(images) - recipe.validation_images
    if left < 1 or (wanted or 0) > left:
        raise SettingsError(
            f"Found {len(images)} images for {recipe.validation_images} of validation and "
            f"{wanted or 'the rest'} to learn from; ask for fewer."
        )
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(recipe.seed))
    validation, learn = order.tensor_split([recipe.validation_images])
    return images.part(learn[:wanted]), images.part(validation)


def _check_fit(data: _Data, image_shape: tuple[int, ...], classes: tuple[int, ...]) -> None:
    images = Images.from_arrays(data.train[0][:1], data.train[1][:1]).images
    if tuple(images.shape[1:]) != image_shape:
        raise ShapeError(
            f"Found images of shape {tuple(images.shape[1:])} (C, Y, X) for a network that takes "
            f"{image_shape}; set options.image_shape."
        )
    if classes != (len(data.names),):
        raise SettingsError(
            f"Found {len(data.names)} classes for a network of {classes[0]}; set options.classes."
        )


def _aggregate(row: ClassificationRow, folder: Path) -> list[ResultRow]:
    """One line for each metric."""
    runs = load_scores(folder / row.folder)
    known: Mapping[Any, float] = row.published
    return [
        ResultRow.of(row.name, "test", metric, [run[metric] for run in runs], known.get(metric))
        for metric in METRICS
    ]
