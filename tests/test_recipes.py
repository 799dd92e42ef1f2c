"""Every recipe that we ship can be run: it loads, its parts can be built, its terms are said."""

import re
from pathlib import Path

import pytest

from chondria.config.experiment import load_experiment, recipe_of
from chondria.config.recipe import load_recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.networks.catalog import build_network
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions

FOLDER = Path(__file__).parents[1] / "recipes"
EXPERIMENTS = sorted(path for path in FOLDER.glob("**/*.yaml") if "\nrows:" in path.read_text())
RECIPES = sorted(set(FOLDER.glob("**/*.yaml")) - set(EXPERIMENTS))


def test_there_are_recipes() -> None:
    assert "mito-em" in {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_complete(path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    check(recipe)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_row_of_an_experiment_is_complete(path) -> None:
    experiment = load_experiment(path)
    assert experiment.name == path.stem
    steps = {step.name for step in experiment.steps}
    for row in experiment.rows:
        check(recipe_of(experiment, row))
        assert set(row.published) <= steps
        assert all(set(known) <= set(experiment.metrics) for known in row.published.values())


def check(recipe) -> None:
    if recipe.network.name == SUPERVOXELS:
        SupervoxelOptions.of(recipe.network.options)
    else:
        assert recipe.training.patch_px % build_network(**network_of(recipe)).stride_px == 0
    assert set(recipe.augmentation.change) <= set(AUGMENTATIONS["none"].__slots__)
    for images in recipe.data.sets:
        assert images.voxel_size_nm is not None
        assert images.gap_slices > 0 or not images.validation_slices
    assert recipe.terms
    assert recipe.citations


def network_of(recipe) -> dict:
    return {"name": recipe.network.name, **recipe.network.options}


def test_what_the_queue_runs_is_there() -> None:
    named = re.findall(r"recipes/[\w./-]+\.(?:yaml|py)", (FOLDER / "GPU-QUEUE.md").read_text())
    assert named
    for name in named:
        assert (FOLDER.parent / name).is_file(), name


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_runs_on_phantoms(path, run_cli, tmp_path) -> None:
    row = load_experiment(path).rows[-1].name
    command = ("experiment", path, "-o", tmp_path / "smoke", "--device", "cpu", "--smoke")
    code, out, err = run_cli(*command, "--only", row)
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out
    assert (tmp_path / "smoke" / "table.html").is_file()
