"""Smoke runs of trainings: every recipe becomes a small one, marked as no result."""

from pathlib import Path

import pytest

from chondria.config.recipe import Recipe, load_recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.data.tiles import EpochPlaces
from chondria.experiments.smoke import smoke_recipe
from chondria.experiments.training_data import load_training_data
from chondria.experiments.training_patches import build_sampler
from chondria.models import load_model

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
PLAIN = [path for path in RECIPES if "\ndata:" in path.read_text()]


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_training_runs_on_a_phantom(run_cli, path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "smoke"
    command = ("train", path, "--smoke", "-o", folder, "--device", "cpu")
    code, out, err = run_cli(*command)
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out
    assert (folder / "SMOKE.txt").read_text().startswith("SMOKE, NO RESULT")
    card = load_model(folder / "run" / "model.safetensors").card
    assert card.description.startswith("SMOKE, NO RESULT")
    assert card.normalisation == load_recipe(path).normalisation
    code, _, err = run_cli(*command)
    assert code == 2
    assert "already holds" in err


def test_what_is_no_data_stays_as_the_recipe_has_it(tmp_path: Path) -> None:
    path = next(path for path in PLAIN if path.stem == "lucchi-unet-32")
    changes = ["data.sets.0.slices=[0, 150]", "start_from=mito-em"]
    recipe = load_recipe(path, changes)
    small = smoke_recipe(recipe, tmp_path)
    assert small.data.sets[0].slices is None
    assert small.start_from is None
    # No pixel size of its own: the phantom is taken as it is.
    assert small.pixel_size_nm is None
    assert small.training.loss == recipe.training.loss
    assert small.augmentation == recipe.augmentation


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the phantom is grown once."""
    return tmp_path_factory.mktemp("phantom")


@pytest.mark.parametrize(
    ("training", "shape", "batches"),
    [
        # 8 training slices of 128x160 pixels, 2 patches in a batch.
        ({"patches": "pure", "patch_px": 32}, (32, 32), None),
        ({"patches": "pure", "patch_px": 32, "pure_share": 1.0}, (32, 32), None),
        ({"patches": "tiles", "epochs": 360, "patience": 50}, (64, 64), 24),
        ({"patches": "whole", "epochs": 9, "augmented": "add"}, (128, 160), 8),
        ({"patches": "tiles", "discard_share": 0.3, "patch_px": 64}, (64, 64), None),
        ({"foreground_share": 0.5}, (64, 64), None),
    ],
)
def test_every_choice_of_patches_has_some(phantom: Path, training, shape, batches) -> None:
    data = {"sets": [{"name": "a", "images": "i", "masks": "m"}]}
    recipe = Recipe(name="x", data=data, training=training)
    small = smoke_recipe(recipe, phantom)
    assert (small.training.steps, small.training.epochs) == (2, None)
    volumes = [volume for volume, _ in load_training_data(small, phantom)]
    sampler = build_sampler(small, volumes, AUGMENTATIONS["none"], 16)
    images, masks = sampler.draw()
    assert images.shape == masks.shape == (2, 1, *shape)
    if batches:
        assert isinstance(sampler.places, EpochPlaces)
        assert sampler.places.batches == batches
    if "discard_share" in training:
        assert masks.mean(dim=(1, 2, 3)).min() > 0.01
