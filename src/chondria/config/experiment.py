"""The recipe of an experiment: rows that differ in settings of a training, and their scoring."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from chondria.config.recipe import Recipe
from chondria.config.tree import Settings, apply_changes, read_tree, set_in_tree, validated
from chondria.errors import SettingsError

__all__ = ["Experiment", "Row", "Step", "TestSet", "load_experiment", "recipe_of"]

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Published = float | tuple[float, float]


def _odd_or_zero(extent: int) -> int:
    if extent < 0 or (extent and extent % 2 == 0):
        raise ValueError("must be an odd number above zero, or 0 for none")
    return extent


class TestSet(Settings):
    """The volume that every run is scored on, once; paths are relative to the data root."""

    __test__ = False  # no test of pytest's

    images: str
    masks: str
    voxel_size_nm: tuple[Positive, Positive, Positive] | None = None


class Step(Settings):
    """A way from probabilities to objects; None takes what the model's card says, 0 is off."""

    name: str
    tta: Literal["none", "d4"] = "none"
    blending: Literal["none", "spline"] = "none"
    window_px: Annotated[int, Field(gt=0, multiple_of=16)] = 256
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    spurious_probability: Annotated[float, Field(ge=0, lt=1)] = 0.0
    refine_boundaries_px: Annotated[int, Field(ge=0)] = 0
    z_median_nm: NonNegative | None = None
    zy_median_px: Annotated[int, AfterValidator(_odd_or_zero)] = 0
    smallest_diameter_nm: NonNegative | None = None
    largest_doubt: NonNegative | None = None


class Row(Settings):
    """One setting of a training, and what the thesis or a paper found for it."""

    name: str
    set: dict[str, Any] = Field(default_factory=dict)
    # By step and metric: a value, or mean and standard deviation.
    published: dict[str, dict[str, Published]] = Field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Name of the row's folder: letters and digits of its name, with single hyphens between."""
        kept = "".join(letter if letter.isalnum() else " " for letter in self.name.lower())
        return "-".join(kept.split())


class Experiment(Settings):
    """A grid of rows, each trained with several seeds and scored in several ways."""

    name: str
    title: str = ""
    notes: str = ""
    runs: Annotated[int, Field(ge=1)] = 10
    metrics: tuple[str, ...] = ("iou", "voc", "det")
    recipe: dict[str, Any]
    test: TestSet
    steps: tuple[Step, ...] = (Step(name="plain"),)
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


def load_experiment(path: str | Path, changes: Sequence[str] = ()) -> Experiment:
    """Read an experiment, and check the recipe of every row.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    changes : sequence of str
        Of the recipe of every row, like ``training.steps=100``; values are YAML.

    Returns
    -------
    Experiment
        Frozen; `recipe_of` gives the recipe of a row.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML, a key or value is not allowed, or two rows or steps have one name.
    """
    tree = read_tree(path)
    apply_changes(tree.setdefault("recipe", {}), changes)
    experiment = validated(Experiment, tree, str(path))
    for what, names in (
        ("rows", [row.folder for row in experiment.rows]),
        ("steps", [step.name for step in experiment.steps]),
    ):
        if len(set(names)) < len(names) or "" in names:
            raise SettingsError(
                f"Found two {what} of one name, or one without letters or digits, in {path}; give "
                "each its own (folders are named by letters and digits)."
            )
    for row in experiment.rows:
        recipe_of(experiment, row)
    return experiment


def recipe_of(experiment: Experiment, row: Row) -> Recipe:
    """Make the recipe of a row.

    Raises
    ------
    SettingsError
        If a key or value is not allowed.
    """
    tree = deepcopy(experiment.recipe)
    tree.setdefault("name", experiment.name)
    for dotted, value in row.set.items():
        set_in_tree(tree, dotted, deepcopy(value))
    return validated(Recipe, tree, f"the row '{row.name}'")
