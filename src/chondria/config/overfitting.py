"""The recipe of an overfitting study: one training, for so many and so many steps."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from chondria.config.experiment import TestSet
from chondria.config.recipe import Recipe
from chondria.config.tree import Settings, apply_changes, read_tree, set_in_tree, validated
from chondria.errors import SettingsError

__all__ = ["OverfittingStudy", "load_overfitting_study", "study_recipe"]

Count = Annotated[int, Field(ge=1)]


class OverfittingStudy(Settings):
    """Trainings of fixed lengths without early stopping (thesis 6.3.6), watched on a test volume.

    Attributes
    ----------
    runs : int
        Seeds of each length. No two runs share a seed, so that they are independent.
    recipe : dict
        Of every training; its patience and number of steps are set by the study.
    test : TestSet
        Watched, never chosen on.
    steps : tuple of int
        Lengths, ascending.
    epoch_steps : int, optional
        Steps of an epoch: pictures and tables then count epochs.
    watched_slices : int
        How many slices of the training block and of the test volume are scored at every
        validation, evenly spaced.
    published : tuple
        Losses of training, validation and test of published trainings, for the correlation.
    """

    name: str
    title: str = ""
    notes: str = ""
    runs: Count = 10
    recipe: dict[str, Any]
    test: TestSet
    steps: Annotated[tuple[Count, ...], Field(min_length=1)]
    epoch_steps: Count | None = None
    watched_slices: Count = 16
    published: tuple[tuple[float, float, float], ...] = ()


def load_overfitting_study(path: str | Path, changes: Sequence[str] = ()) -> OverfittingStudy:
    """Read a study, and check its recipe.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    changes : sequence of str
        Of the recipe, like ``training.batch=4``; values are YAML.

    Returns
    -------
    OverfittingStudy
        Frozen; `study_recipe` gives the recipe of a length.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML, a key or value is not allowed, lengths do not ascend, or there is no
        validation block.
    """
    tree = read_tree(path)
    apply_changes(tree.setdefault("recipe", {}), changes)
    study = validated(OverfittingStudy, tree, str(path))
    if list(study.steps) != sorted(set(study.steps)):
        said = ", ".join(map(str, study.steps))
        raise SettingsError(f"Found the steps {said} in {path}; give each once, ascending.")
    sets = study_recipe(study, study.steps[-1]).data.sets
    if len(sets) != 1 or not sets[0].validation_slices:
        raise SettingsError(
            f"Found {len(sets)} data sets in the recipe of {path}; a study of overfitting needs "
            "one, with validation_slices."
        )
    return study


def study_recipe(study: OverfittingStudy, steps: int) -> Recipe:
    """Make the recipe of the trainings of a length: so many steps, and no early stopping.

    Raises
    ------
    SettingsError
        If a key or value is not allowed.
    """
    tree = deepcopy(study.recipe)
    tree.setdefault("name", study.name)
    set_in_tree(tree, "training.steps", steps)
    set_in_tree(tree, "training.patience", 0)
    return validated(Recipe, tree, f"the recipe of '{study.name}'")
