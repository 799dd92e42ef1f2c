"""The recipe of an experiment with classifiers of whole images (thesis chapter 5)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from chondria.config.names import Named, check_names
from chondria.config.tree import Settings, apply_changes, read_tree, set_in_tree, validated

__all__ = [
    "ClassificationExperiment",
    "ClassificationRecipe",
    "ClassificationRow",
    "DigitFiles",
    "PictureFolders",
    "classification_recipe",
    "load_classification",
]

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class DigitFiles(Settings):
    """Images and labels in IDX files; paths are relative to the data root."""

    format: Literal["idx"] = "idx"
    train_images: str
    train_labels: str
    test_images: str
    test_labels: str


class PictureFolders(Settings):
    """A folder that holds a folder of pictures for each class, brought to one size."""

    format: Literal["pictures"]
    folder: str
    # Drawn once, the same for every seed, and never learned from.
    test_images: Count
    shape_yx: tuple[Count, Count] = (150, 150)


class ClassificationRecipe(Settings):
    """A classifier, what it learns from, and how."""

    seed: Annotated[int, Field(ge=0)] = 0
    root: str = "."
    data: DigitFiles | PictureFolders = Field(discriminator="format")
    # Drawn from the images to learn from; they choose the epoch whose weights are kept.
    validation_images: Count
    # None learns from all others.
    training_images: Count | None = None
    network: str = "mlp"
    options: dict[str, Any] = Field(default_factory=dict)
    epochs: Count = 20
    batch: Count = 32
    optimizer: Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "adagrad"] = "sgd"
    rate: Positive = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ClassificationRow(Named):
    """One setting, and the test accuracy and loss that were published for it."""

    set: dict[str, Any] = Field(default_factory=dict)
    published: dict[Literal["accuracy", "loss"], float] = Field(default_factory=dict)

    trained: ClassVar[bool] = True  # every row, unlike those of other experiments


class ClassificationExperiment(Settings):
    """A grid of rows, each trained with several seeds and tested once."""

    kind: Literal["classification"]
    name: str
    title: str = ""
    notes: str = ""
    runs: Count = 5
    recipe: dict[str, Any]
    rows: Annotated[tuple[ClassificationRow, ...], Field(min_length=1)]


def load_classification(path: str | Path, changes: Sequence[str] = ()) -> ClassificationExperiment:
    """Read an experiment with classifiers, and check the recipe of every row.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    changes : sequence of str
        Of the recipe of every row, like ``epochs=5``; values are YAML.

    Returns
    -------
    ClassificationExperiment
        Frozen; `classification_recipe` gives the recipe of a row.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML, a key or value is not allowed, or two rows have one name.
    """
    tree = read_tree(path)
    apply_changes(tree.setdefault("recipe", {}), changes)
    experiment = validated(ClassificationExperiment, tree, str(path))
    check_names("rows", [row.folder for row in experiment.rows], str(path))
    for row in experiment.rows:
        classification_recipe(experiment, row)
    return experiment


def classification_recipe(
    experiment: ClassificationExperiment, row: ClassificationRow
) -> ClassificationRecipe:
    """Make the recipe of a row.

    Raises
    ------
    SettingsError
        If a key or value is not allowed.
    """
    tree = deepcopy(experiment.recipe)
    for dotted, value in row.set.items():
        set_in_tree(tree, dotted, deepcopy(value))
    return validated(ClassificationRecipe, tree, f"the row '{row.name}'")
