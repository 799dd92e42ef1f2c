"""What a recipe asks for, made and checked before its training begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from chondria.config.recipe import Recipe
from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.patches import PatchSampler
from chondria.data.splits import window_starts
from chondria.data.tiles import EpochPlaces
from chondria.errors import ModelError, SettingsError
from chondria.experiments.training_data import TrainingData, load_training_data
from chondria.models import load_model
from chondria.networks.catalog import build_network
from chondria.networks.network import Network
from chondria.training.plan import TrainingPlan

__all__ = ["initial_network", "load_recipe_data", "recipe_augmentation", "training_plan"]


def initial_network(recipe: Recipe) -> Network:
    """Build the recipe's network, with the weights of another model where it starts from one.

    Raises
    ------
    ModelError
        If that model is another network.
    SettingsError
        If the recipe's patches are not of the network's dimensions, or have no outlines to learn.
    """
    options = recipe.network.all_options
    network = build_network(recipe.network.name, **options)
    _check_patches(recipe, network)
    if recipe.start_from is None:
        return network
    start = load_model(recipe.start_from)
    same = (start.card.network, start.card.options)
    if same != (recipe.network.name, options):
        raise ModelError(
            f"Found the network {same[0]} {same[1]} in '{recipe.start_from}', but the recipe asks "
            f"for {recipe.network.name} {options}; they must be the same."
        )
    network.load_state_dict(start.network.state_dict())
    return network


def _check_patches(recipe: Recipe, network: Network) -> None:
    """Refuse patches that are not of the network's dimensions, or have no outlines to learn."""
    name, found = recipe.network.name, recipe.training.patch_slices
    if network.dimensions == 2 and found > 1:
        raise SettingsError(
            f"Found training.patch_slices {found} for the network '{name}', which is "
            "two-dimensional; set patch_slices to 1, or choose a 3-D network such as unet3d."
        )
    if recipe.network.boundary_nm and recipe.training.patches == "pure":
        raise SettingsError(
            "Found network.boundary_nm with training.patches 'pure', which are of one class and "
            "have no outlines; choose random, tiles or whole."
        )
    step = network.stride_slices
    if network.dimensions == 3 and (found == 1 or found % step):
        multiple = f"a multiple of {step}" if step > 1 else "more than 1"
        raise SettingsError(
            f"Found training.patch_slices {found} for the network '{name}', which is "
            f"three-dimensional; set patch_slices to {multiple}, or choose a 2-D network."
        )


def load_recipe_data(recipe: Recipe, root: Path, say: Callable[[str], None]) -> TrainingData:
    """Load a recipe's data as `load_training_data` does.

    Raises
    ------
    SettingsError
        If there is none, nothing to search a threshold on where one is asked for, or a volume has
        too few neighbouring slices for a patch.
    """
    data = load_training_data(recipe, root, say)
    if not data:
        raise SettingsError("Found no data in the recipe; give it data.sets or data.phantoms.")
    for volume, _ in data:
        window_starts(volume.split.train, recipe.training.patch_slices, volume.name)
    _check_threshold_search(recipe, data)
    return data


def _check_threshold_search(recipe: Recipe, data: TrainingData) -> None:
    if recipe.training.search_threshold and not any(
        len(volume.split.validation) for volume, _ in data
    ):
        raise SettingsError(
            "Found training.search_threshold, but no validation slices to choose the threshold on; "
            "give a data set validation_slices, or leave the search out."
        )


def recipe_augmentation(recipe: Recipe) -> Augmentation:
    """Give the named augmentation with the recipe's changes.

    Raises
    ------
    SettingsError
        If a change is of something that there is not, or out of its range.
    """
    settings = recipe.augmentation
    changes: dict[str, Any] = dict(settings.change)
    allowed = Augmentation.__dataclass_fields__
    for name in changes:
        if name not in allowed:
            raise SettingsError(
                f"There is no augmentation '{name}'; allowed are: {', '.join(allowed)}."
            )
    return replace(AUGMENTATIONS[settings.set], **changes)


def training_plan(recipe: Recipe, precision: str, sampler: PatchSampler) -> TrainingPlan:
    """Make the plan; epochs become steps."""
    values = recipe.training.model_dump()
    learned = recipe.network
    values["boundary_weight"] = learned.boundary_weight if learned.boundary_nm else 0.0
    if recipe.training.epochs and isinstance(sampler.places, EpochPlaces):
        an_epoch = sampler.places.batches
        values["steps"] = recipe.training.epochs * an_epoch
        values["validate_every"] = recipe.training.validate_every or an_epoch
    known = {name: values[name] for name in TrainingPlan.__slots__ if name in values}
    return TrainingPlan(**(known | {"precision": precision, "seed": recipe.seed}))
