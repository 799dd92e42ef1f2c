"""A smoke run finds patches on its phantom, whatever the recipe asks of the data."""

from pathlib import Path

import pytest

from chondria.config.recipe import Recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.data.tiles import EpochPlaces
from chondria.experiments.smoke import smoke_recipe
from chondria.experiments.training_data import load_training_data
from chondria.experiments.training_patches import build_sampler


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the phantom is grown once."""
    return tmp_path_factory.mktemp("phantom")


@pytest.mark.parametrize(
    ("training", "shape", "batches"),
    [
        # 4 training slices of 128x160 pixels, 2 patches in a batch.
        ({"patches": "pure", "patch_px": 32}, (32, 32), None),
        ({"patches": "pure", "patch_px": 32, "pure_share": 1.0}, (32, 32), None),
        ({"patches": "tiles", "epochs": 360, "patience": 50}, (64, 64), 12),
        ({"patches": "whole", "epochs": 9, "augmented": "add"}, (128, 160), 4),
        ({"patches": "tiles", "discard_share": 0.3, "patch_px": 64}, (64, 64), None),
        ({"foreground_share": 0.5}, (64, 64), None),
    ],
)
def test_every_choice_of_patches_has_some(phantom: Path, training, shape, batches) -> None:
    data = {"sets": [{"name": "a", "images": "i", "masks": "m"}]}
    recipe = Recipe(name="x", data=data, training=training)
    small = smoke_recipe(recipe, phantom)
    assert (small.training.steps, small.training.epochs) == (4, None)
    volumes = [volume for volume, _ in load_training_data(small, phantom)]
    sampler = build_sampler(small, volumes, AUGMENTATIONS["none"], 16)
    images, masks = sampler.draw()
    assert images.shape == masks.shape == (2, 1, *shape)
    if batches:
        assert isinstance(sampler.places, EpochPlaces)
        assert sampler.places.batches == batches
    if "discard_share" in training:
        assert masks.mean(dim=(1, 2, 3)).min() > 0.01
