"""Recipes: what a YAML file may say, with bounds, frozen once read."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chondria.errors import InputNotFoundError, SettingsError

__all__ = [
    "AugmentationSettings",
    "DataSettings",
    "ImageSet",
    "NetworkSettings",
    "PhantomSet",
    "PostprocessingSettings",
    "Recipe",
    "Settings",
    "TrainingSettings",
    "load_recipe",
    "recipe_yaml",
]

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """A part of a recipe; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkSettings(Settings):
    """A network of the catalog and its options."""

    name: str = "unet"
    options: dict[str, Any] = {}


class ImageSet(Settings):
    """A volume of images with masks; paths are relative to the data root."""

    name: str
    images: str
    masks: str
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
    change: dict[str, bool | float | str] = {}


class TrainingSettings(Settings):
    """How to train (see `chondria.training.train.TrainingPlan`)."""

    steps: Count = 4000
    patch_px: Annotated[int, Field(ge=16, multiple_of=16)] = 256
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
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(f"There is no recipe '{path}'; give the path of a YAML file.")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"Cannot read the recipe {path} as YAML: {error}.") from error
    if not isinstance(tree, dict):
        raise SettingsError(f"Found no settings in {path}; a recipe is a YAML mapping.")
    for change in changes:
        _apply_change(tree, change)
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        raise SettingsError(f"{_explain(error)} (in {path}).") from error


def recipe_yaml(recipe: Recipe) -> str:
    """Write a recipe with every default spelled out."""
    text: str = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, width=100)
    return text


def _apply_change(tree: dict[str, Any], change: str) -> None:
    dotted, equals, text = change.partition("=")
    if not equals or not dotted:
        raise SettingsError(f"Found the change '{change}'; write it as key.key=value.")
    *parents, last = dotted.split(".")
    node: Any = tree
    try:
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[int(last) if isinstance(node, list) else last] = yaml.safe_load(text)
    except (TypeError, AttributeError) as error:
        raise SettingsError(
            f"Cannot apply the change '{change}': there are no settings at '{'.'.join(parents)}'."
        ) from error
    except (ValueError, IndexError, yaml.YAMLError) as error:
        raise SettingsError(f"Cannot apply the change '{change}': {error}.") from error


def _explain(error: ValidationError) -> str:
    """Say the first thing that is wrong, and the nearest key where one is unknown."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"The setting '{where}' cannot be used: {first['msg']}"
    keys = _keys_at(first["loc"][:-1])
    near = difflib.get_close_matches(str(first["loc"][-1]), keys, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"There is no setting '{where}'; {hint}allowed here: {', '.join(keys)}"


def _keys_at(parents: Sequence[int | str]) -> list[str]:
    """Keys that are allowed at a place of the recipe."""
    model: Any = Recipe
    for part in parents:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(iter(getattr(annotation, "__args__", ())), annotation)
    return list(model.model_fields)
