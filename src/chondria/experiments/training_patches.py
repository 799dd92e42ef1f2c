"""From a recipe's training settings to the patches that a network learns from."""

from __future__ import annotations

from collections.abc import Sequence

from chondria.config.recipe import Recipe
from chondria.data.augment import Augmentation
from chondria.data.patches import PatchSampler
from chondria.data.places import Places, PurePlaces, RandomPlaces
from chondria.data.tiles import EpochPlaces, tile_places, whole_shape
from chondria.data.training_volume import TrainingVolume

__all__ = ["build_sampler"]


def build_sampler(
    recipe: Recipe, volumes: Sequence[TrainingVolume], augmentation: Augmentation, stride_px: int
) -> PatchSampler:
    """Make the sampler that a recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        Its `training` and `seed` are used.
    volumes : sequence of TrainingVolume
        What is learned from and validated on.
    augmentation : Augmentation
        Ranges of the random transforms.
    stride_px : int
        Whole slices are padded to a multiple of this.

    Returns
    -------
    PatchSampler
        Its places are `EpochPlaces` where patches are tiles or whole slices.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, or no patch is as the recipe wants it.
    ShapeError
        If whole slices are not of one size.
    """
    training = recipe.training
    shape = (training.patch_px, training.patch_px)
    if training.patches == "whole":
        shape = whole_shape(volumes, stride_px)
    return PatchSampler(
        volumes,
        shape,
        training.batch,
        augmentation,
        recipe.seed,
        places=_places(recipe, volumes, shape),
        padding=training.padding,
        patch_slices=training.patch_slices,
    )


def _places(recipe: Recipe, volumes: Sequence[TrainingVolume], shape: tuple[int, int]) -> Places:
    training = recipe.training
    match training.patches:
        case "random":
            share, depth = training.foreground_share, training.patch_slices
            return RandomPlaces(volumes, shape, training.batch, share, depth)
        case "pure":
            return PurePlaces(volumes, training.patch_px, training.batch, training.pure_share)
        case "tiles" | "whole":
            tiles = tile_places(volumes, shape, training.padding, training.discard_share)
            add = training.augmented == "add"
            return EpochPlaces(tiles, training.batch, recipe.seed, add_originals=add)
