"""The recipe of a training: everything that makes a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field

from chondria.config.tree import Settings, apply_changes, read_tree, validated

__all__ = [
    "AugmentationSettings",
    "DataSettings",
    "ImageSet",
    "NetworkSettings",
    "PhantomSet",
    "PostprocessingSettings",
    "Recipe",
    "StackSlices",
    "TrainingSettings",
    "load_recipe",
    "recipe_yaml",
]

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


def _in_order(slices: tuple[int, int]) -> tuple[int, int]:
    first, last = slices
    if last < first:
        raise ValueError(f"found {first} to {last}; give the first and the last slice, both read")
    return slices


# First and last slice of the part of a stack that is read, counted from 0; both belong to it.
StackSlices = Annotated[tuple[CountOrZero, CountOrZero], AfterValidator(_in_order)]


class NetworkSettings(Settings):
    """A network of the catalog and its options."""

    name: str = "unet"
    options: dict[str, Any] = Field(default_factory=dict)


class ImageSet(Settings):
    """A volume of images with masks; paths are relative to the data root."""

    name: str
    images: str
    masks: str
    slices: StackSlices | None = None
    voxel_size_nm: tuple[Positive, Positive, Positive] | None = None
    weight: Positive = 1.0
    validation_axis: Literal["z", "y", "x"] = "z"
    validation_slices: CountOrZero = 0
    gap_slices: CountOrZero = 0
    skip_empty: bool = False
    validate_every: Count = 1


class PhantomSet(Settings):
    """Synthetic volumes, each in a random style, made when training starts."""

    name: str = "phantom"
    count: Count = 1
    shape: tuple[Count, Count, Count] = (8, 512, 512)
    voxel_size_nm: tuple[Positive, Positive, Positive] = (40.0, 10.0, 10.0)
    seed: CountOrZero = 0
    weight: Positive = 1.0


class DataSettings(Settings):
    """What a network learns from."""

    root: str = "."
    # False learns from the validation blocks too, once they have served to choose.
    hold_out: bool = True
    sets: tuple[ImageSet, ...] = ()
    phantoms: tuple[PhantomSet, ...] = ()


class AugmentationSettings(Settings):
    """A named set, and what differs from it (see `chondria.data.augment`)."""

    set: Literal["none", "keras", "custom", "em"] = "em"
    change: dict[str, bool | float | str] = Field(default_factory=dict)


class TrainingSettings(Settings):
    """How to train (see `chondria.training.train.TrainingPlan`)."""

    steps: Count = 4000
    patch_px: Annotated[int, Field(ge=16, multiple_of=16)] = 256
    # More than one for 3-D networks only.
    patch_slices: Count = 1
    batch: Count = 6
    validate_every: Count = 200
    patience: CountOrZero = 0
    monitor: Literal["iou", "loss"] = "iou"
    loss: Literal["bce", "dice", "jaccard", "bce_dice"] = "bce_dice"
    class_weights: tuple[NonNegative, NonNegative] = (1.0, 1.0)
    optimizer: Literal["sgd", "nesterov", "adam", "adamw", "rmsprop", "adagrad"] = "adamw"
    schedule: Literal["constant", "one_cycle"] = "one_cycle"
    rate: Positive = 2e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.99
    weight_decay: NonNegative = 0.01
    clip_norm: NonNegative = 0.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    precision: Literal["auto", "fp32", "bf16"] = "auto"


class PostprocessingSettings(Settings):
    """What `segment` does by default with a model's probabilities."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    z_median_nm: NonNegative = 0.0
    smallest_diameter_nm: NonNegative = 0.0
    largest_doubt: NonNegative = 0.0


class Recipe(Settings):
    """Data, network and training: everything that makes a model."""

    name: str
    description: str = ""
    start_from: str | None = None
    seed: CountOrZero = 0
    pixel_size_nm: tuple[Positive, Positive] | None = None
    normalisation: Literal["volume", "unit"] = "volume"
    network: NetworkSettings = NetworkSettings()
    data: DataSettings
    augmentation: AugmentationSettings = AugmentationSettings()
    training: TrainingSettings = TrainingSettings()
    postprocessing: PostprocessingSettings = PostprocessingSettings()
    terms: str = ""
    citations: tuple[str, ...] = ()


def load_recipe(path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    changes : sequence of str
        Like ``training.steps=100`` or ``data.sets.0.weight=2``; values are YAML.

    Returns
    -------
    Recipe
        Frozen.

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    SettingsError
        If it is no YAML, or a key or value is not allowed; names the nearest key.
    """
    tree = read_tree(path)
    apply_changes(tree, changes)
    return validated(Recipe, tree, str(path))


def recipe_yaml(recipe: Recipe) -> str:
    """Write a recipe with every default spelled out."""
    text: str = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, width=100)
    return text
