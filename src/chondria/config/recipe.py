"""The recipe of a training: everything that makes a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from chondria.config.tree import Settings, apply_changes, read_tree, validated

__all__ = [
    "BOUNDARY_NETWORKS",
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
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]


def _in_order(slices: tuple[int, int]) -> tuple[int, int]:
    first, last = slices
    if last < first:
        raise ValueError(f"found {first} to {last}; give the first and the last slice, both read")
    return slices


# 2-D networks whose channels can be chosen.
BOUNDARY_NETWORKS = ("unet", "resunet", "attention_unet")

# First and last slice of the part of a stack that is read, counted from 0; both belong to it.
StackSlices = Annotated[tuple[CountOrZero, CountOrZero], AfterValidator(_in_order)]


class NetworkSettings(Settings):
    """A network of the catalog and its options, and whether it finds outlines too."""

    name: str = "unet"
    options: dict[str, Any] = Field(default_factory=dict)
    # Half the width of the outlines that a second channel learns; 0 for none.
    boundary_nm: NonNegative = 0.0
    # Of their cross-entropy, beside the loss of the foreground.
    boundary_weight: Positive = 1.0

    @model_validator(mode="after")
    def _can_have_boundary(self) -> Self:
        """Refuse outlines where no network learns them, and channels that nothing is learned by."""
        wrong = None
        if "channels_out" in self.options:
            wrong = "found the option channels_out; leave it out: boundary_nm: 20 adds a channel"
        if self.boundary_weight != 1.0 and not self.boundary_nm:
            wrong = (
                f"found boundary_weight {self.boundary_weight:g} without outlines; leave it out, "
                "or ask for them: boundary_nm: 20"
            )
        if self.boundary_nm and self.name not in BOUNDARY_NETWORKS:
            wrong = (
                f"found boundary_nm {self.boundary_nm:g} for the network '{self.name}'; only "
                f"{', '.join(BOUNDARY_NETWORKS)} learn outlines: leave it out, or choose one"
            )
        if wrong:
            raise PydanticCustomError("together", "{wrong}", {"wrong": wrong})
        return self

    @property
    def all_options(self) -> dict[str, Any]:
        """Options with the channels that the network is built with."""
        return self.options | ({"channels_out": 2} if self.boundary_nm else {})


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
    """How to train (see `chondria.training.plan.TrainingPlan` and `chondria.data.places`)."""

    steps: Count | None = None  # 4000 where there are no epochs either
    epochs: Count | None = None
    patches: Literal["random", "tiles", "whole", "pure"] = "random"
    patch_px: Annotated[int, Field(ge=16, multiple_of=16)] = 256
    # More than one for 3-D networks only.
    patch_slices: Count = 1
    batch: Count = 6
    foreground_share: Share = 0.0
    pure_share: Annotated[float, Field(gt=0.5, le=1)] = 0.8
    padding: Literal["mirror", "zero"] = "mirror"
    discard_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augmented: Literal["replace", "add"] = "replace"
    validate_every: Count | None = None  # 200 steps, or one epoch where there are epochs
    patience: CountOrZero = 0
    monitor: Literal["iou", "loss"] = "iou"
    search_threshold: bool = False
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

    @model_validator(mode="before")
    @classmethod
    def _fill_length(cls, given: Any) -> Any:
        """Spell out the defaults that depend on whether there are epochs."""
        if not isinstance(given, dict) or given.get("epochs") is not None:
            return given
        default = {"steps": 4000, "validate_every": 200}
        return given | {key: n for key, n in default.items() if given.get(key) is None}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        """Refuse settings that have no meaning beside others."""
        if wrong := self._without_effect() or self._wrong_length():
            raise PydanticCustomError("together", "{wrong}", {"wrong": wrong})
        return self

    def _without_effect(self) -> str | None:
        tiles = self.patches in ("tiles", "whole")
        for name, needed, fits in (
            ("epochs", "tiles or whole", tiles),
            ("discard_share", "tiles or whole", tiles),
            ("augmented", "tiles or whole", tiles),
            ("padding", "tiles or whole", tiles),
            ("foreground_share", "random", self.patches == "random"),
            ("patch_slices", "random", self.patches == "random"),
            ("pure_share", "pure", self.patches == "pure"),
        ):
            value = getattr(self, name)
            if not fits and value != type(self).model_fields[name].default:
                return (
                    f"found {name} {value} with patches '{self.patches}', where it has no meaning; "
                    f"leave it out, or choose patches: {needed}"
                )
        return None

    def _wrong_length(self) -> str | None:
        if self.epochs and self.steps:
            return (
                f"found both {self.steps} steps and {self.epochs} epochs; give one of them and set "
                "the other to null"
            )
        validations = self.epochs
        if self.validate_every:
            # How many steps an epoch has is known when the data is.
            validations = -(-self.steps // self.validate_every) if self.steps else None
        if validations and self.patience > validations:
            length = f"{self.epochs} epochs" if self.epochs else f"{self.steps} steps"
            return (
                f"found a patience of {self.patience} validations but only {validations} of them "
                f"in {length}, so that training could never stop early; lower patience (0 never "
                "stops) or train longer"
            )
        return None


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
