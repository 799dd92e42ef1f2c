"""The recipe of a transfer matrix: models of several data sets, each tested on every set."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from chondria.config.experiment import TestSet
from chondria.config.names import Named, check_names
from chondria.config.recipe import Recipe, StackSlices
from chondria.config.tree import Settings, apply_changes, read_tree, set_in_tree, validated
from chondria.errors import SettingsError

__all__ = ["Matching", "TestStack", "Transfer", "TransferSet", "load_transfer", "transfer_recipe"]

Positive = Annotated[float, Field(gt=0)]
Matching = Literal["with", "without"]

# The thesis's "small zoom" (6.3.15), for which spec and Keras have 0.25.
ZOOM = 0.25


class TestStack(Settings):
    """What models of all sets are tested on; paths are relative to the data root."""

    __test__ = False  # no test of pytest's

    images: str
    masks: str
    slices: StackSlices | None = None


class TransferSet(Named):
    """A data set: what its own models learn from, and what all are tested on.

    Attributes
    ----------
    name : str
        In the matrix.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x) in nanometres of both stacks.
    train : dict
        A set of a training recipe (`chondria.config.recipe.ImageSet`), without its name.
    test : TestStack
        Images and masks.
    set : dict
        Changes of the recipe for the models of this set, by dotted keys.
    """

    voxel_size_nm: tuple[Positive, Positive, Positive]
    train: dict[str, Any]
    test: TestStack
    set: dict[str, Any] = Field(default_factory=dict)

    @property
    def test_set(self) -> TestSet:
        """The test stack with its voxel size."""
        return TestSet(**self.test.model_dump(), voxel_size_nm=self.voxel_size_nm)


class Transfer(Settings):
    """A matrix (thesis 6.3.15): columns are what a model learned from, rows what it is tested on.

    Attributes
    ----------
    runs : int
        Seeds of each model.
    metrics : tuple of str
        A matrix each.
    matching : tuple of {"with", "without"}
        See `transfer_recipe`; models are trained for each.
    recipe : dict
        Of every model, without data sets.
    sets : tuple of TransferSet
        At least two.
    published : dict
        By metric, row (test) and column (training); of models with matching.
    """

    name: str
    title: str = ""
    notes: str = ""
    runs: Annotated[int, Field(ge=1)] = 10
    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = ("iou", "voc", "det")
    matching: Annotated[tuple[Matching, ...], Field(min_length=1)] = ("with", "without")
    recipe: dict[str, Any]
    sets: Annotated[tuple[TransferSet, ...], Field(min_length=2)]
    published: dict[str, dict[str, dict[str, float]]] = Field(default_factory=dict)


def load_transfer(path: str | Path, changes: Sequence[str] = ()) -> Transfer:
    """Read a transfer matrix, and check the recipe of every model.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    changes : sequence of str
        Of the recipe of every model, like ``training.steps=100``; values are YAML.

    Returns
    -------
    Transfer
        Frozen; `transfer_recipe` gives the recipe of a model.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML, a key or value is not allowed, two sets have one name, or published
        figures are of no set.
    """
    tree = read_tree(path)
    apply_changes(tree.setdefault("recipe", {}), changes)
    transfer = validated(Transfer, tree, str(path))
    _check_names(transfer, path)
    if "sets" in transfer.recipe.get("data", {}):
        raise SettingsError(
            f"Found data.sets in the recipe of {path}; every model learns from one of `sets` "
            "instead: move them there."
        )
    for matching in transfer.matching:
        for one in transfer.sets:
            transfer_recipe(transfer, one, matching)
    return transfer


def transfer_recipe(transfer: Transfer, one: TransferSet, matching: Matching) -> Recipe:
    """Make the recipe of the models that learn from a set.

    Parameters
    ----------
    transfer : Transfer
        Has the recipe that all share.
    one : TransferSet
        What the model learns from.
    matching : {"with", "without"}
        ``with``: the model has a pixel size (the recipe's, else that of its own set) to which
        every test image is resampled; each volume has the mean 0 and the standard deviation 1;
        and augmentation zooms by 0.25, or as the recipe says. ``without``: the model learns from
        its set's own pixels and takes those of every test image for the same; grey levels are
        divided by the largest of their type; and there is no zoom.

    Returns
    -------
    Recipe
        With one data set.

    Raises
    ------
    SettingsError
        If a key or value is not allowed.
    """
    tree = deepcopy(transfer.recipe)
    tree.setdefault("name", f"{transfer.name}-{one.folder}-{matching}")
    for dotted, value in one.set.items():
        set_in_tree(tree, dotted, deepcopy(value))
    own = {"name": one.name, "voxel_size_nm": one.voxel_size_nm}
    set_in_tree(tree, "data.sets", [own | one.train])
    set_in_tree(tree, "normalisation", "volume" if matching == "with" else "unit")
    change = tree.setdefault("augmentation", {}).setdefault("change", {})
    if matching == "with":
        change.setdefault("zoom", ZOOM)
        tree.setdefault("pixel_size_nm", one.voxel_size_nm[1:])
    else:
        change["zoom"] = 0.0
        tree["pixel_size_nm"] = None
    return validated(Recipe, tree, f"the set '{one.name}'")


def _check_names(transfer: Transfer, path: str | Path) -> None:
    check_names("sets", [one.folder for one in transfer.sets], str(path))
    if len(set(transfer.matching)) < len(transfer.matching):
        raise SettingsError(f"Found one matching twice in {path}; allowed are with and without.")
    names = {one.name for one in transfer.sets}
    for metric, rows in transfer.published.items():
        if metric not in transfer.metrics:
            raise SettingsError(
                f"Found published figures of '{metric}' in {path}, which is none of the metrics "
                f"{', '.join(transfer.metrics)}; add it there."
            )
        for name in {*rows, *(column for row in rows.values() for column in row)}:
            if name not in names:
                raise SettingsError(
                    f"Found published figures of the set '{name}' in {path}; there are: "
                    f"{', '.join(sorted(names))}."
                )
