"""Every recipe that we ship can be run: it loads, its parts can be built, its terms are said."""

import re
from pathlib import Path

import pytest

from chondria.config import load_recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.networks.catalog import build_network

FOLDER = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(FOLDER.glob("**/*.yaml"))


def test_there_are_recipes() -> None:
    assert "mito-em" in {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_complete(path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
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
