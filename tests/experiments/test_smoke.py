"""Smoke runs of trainings: every recipe becomes a small one, marked as no result."""

from pathlib import Path

import pytest

from chondria.config.recipe import load_recipe
from chondria.experiments.smoke import smoke_recipe
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
