"""The recipe of an experiment: rows that differ in settings of a training, and their scoring."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from chondria.config.names import Named, check_names
from chondria.config.recipe import Count, Recipe, StackSlices
from chondria.config.tree import Settings, apply_changes, read_tree, set_in_tree, validated
from chondria.errors import SettingsError

__all__ = [
    "Experiment",
    "Row",
    "Step",
    "TestSet",
    "kind_of",
    "load_experiment",
    "recipe_of",
    "steps_of",
]

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
    slices: StackSlices | None = None
    # Every n-th slice alone: neighbours are near copies, and take their time.
    every: Count = 1
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
    separate: bool = False
    neck_ratio: Annotated[float, Field(gt=0, le=1)] = 0.55
    smallest_diameter_nm: NonNegative | None = None
    largest_doubt: NonNegative | None = None


class Row(Named):
    """One setting of a training, and what the thesis or a paper found for it."""

    set: dict[str, Any] = Field(default_factory=dict)
    # False only shows what was published: a system that we do not have.
    trained: bool = True
    # None takes the experiment's.
    test: TestSet | None = None
    # Names of the steps that it is scored after; None takes all.
    steps: tuple[str, ...] | None = None
    # By step and metric: a value, or mean and standard deviation.
    published: dict[str, dict[str, Published]] = Field(default_factory=dict)


class Experiment(Settings):
    """A grid of rows, each trained with several seeds and scored in several ways."""

    kind: Literal["segmentation"] = "segmentation"
    name: str
    title: str = ""
    notes: str = ""
    runs: Annotated[int, Field(ge=1)] = 10
    metrics: tuple[str, ...] = ("iou", "voc", "det")
    recipe: dict[str, Any]
    test: TestSet
    steps: tuple[Step, ...] = (Step(name="plain"),)
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


def kind_of(path: str | Path) -> str:
    """Read what kind of experiment a recipe is of: segmentation, unless it says another.

    Raises
    ------
    InputNotFoundError, SettingsError
        As `load_experiment`.
    """
    kinds = ("segmentation", "classification")
    kind = str(read_tree(path).get("kind", kinds[0]))
    if kind not in kinds:
        raise SettingsError(
            f"Found the kind '{kind}' in {path}; allowed are {' and '.join(kinds)}."
        )
    return kind


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
    check_names("rows", [row.folder for row in experiment.rows], str(path))
    check_names("steps", [step.name for step in experiment.steps], str(path))
    for row in experiment.rows:
        steps_of(experiment, row)
        recipe_of(experiment, row)
    return experiment


def steps_of(experiment: Experiment, row: Row) -> tuple[Step, ...]:
    """Find the steps that a row is scored after.

    Raises
    ------
    SettingsError
        If the row names a step that there is not.
    """
    known = {step.name: step for step in experiment.steps}
    unknown = [name for name in (*(row.steps or ()), *row.published) if name not in known]
    if unknown:
        raise SettingsError(
            f"There is no step '{unknown[0]}' for the row '{row.name}'; there are: "
            f"{', '.join(known)}."
        )
    return experiment.steps if row.steps is None else tuple(known[name] for name in row.steps)


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
