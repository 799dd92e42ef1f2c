"""Every recipe that we ship can be run: it loads, its parts can be built, its terms are said."""

import re
from pathlib import Path

import pytest
import torch

from chondria.config.classification import classification_recipe, load_classification
from chondria.config.experiment import load_experiment, recipe_of
from chondria.config.overfitting import load_overfitting_study, study_recipe
from chondria.config.recipe import load_recipe
from chondria.config.transfer import load_transfer, transfer_recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.networks.catalog import build_classifier, build_network
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions

FOLDER = Path(__file__).parents[1] / "recipes"

# Of each kind one that is soon done stays in the default tests; all of them run in CI.
QUICK = {"casser", "mito-em", "mnist", "overfitting", "table-6.1", "transfer", "xiao"}


def having(key: str) -> list[Path]:
    """Find recipes by a key of their uppermost level."""
    paths = sorted(FOLDER.glob("**/*.yaml"))
    return [path for path in paths if f"\n{key}:" in f"\n{path.read_text()}"]


CLASSIFICATIONS = having("kind")
EXPERIMENTS = sorted({*having("rows")} - {*CLASSIFICATIONS})
TRANSFERS, STUDIES = having("sets"), having("watched_slices")
OTHERS = {*EXPERIMENTS, *CLASSIFICATIONS, *TRANSFERS, *STUDIES}
RECIPES = sorted(set(FOLDER.glob("**/*.yaml")) - OTHERS)


def test_there_are_recipes() -> None:
    assert "mito-em" in {path.stem for path in RECIPES}
    assert {path.stem for path in FOLDER.glob("**/*.yaml")} >= QUICK


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_complete(path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    check(recipe)


@pytest.mark.parametrize("path", CLASSIFICATIONS, ids=lambda path: path.stem)
def test_every_row_of_a_classification_can_be_built(path) -> None:
    experiment = load_classification(path)
    assert experiment.name == path.stem
    for row in experiment.rows:
        recipe = classification_recipe(experiment, row)
        build_classifier(recipe.network, **recipe.options)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_row_of_an_experiment_is_complete(path) -> None:
    experiment = load_experiment(path)
    assert experiment.name == path.stem
    steps = {step.name for step in experiment.steps}
    for row in experiment.rows:
        if row.trained:
            check(recipe_of(experiment, row))
        assert set(row.published) <= steps
        assert all(set(known) <= set(experiment.metrics) for known in row.published.values())


def check(recipe) -> None:
    if recipe.network.name == SUPERVOXELS:
        SupervoxelOptions.of(recipe.network.options)
    else:
        check_network(recipe)
    assert set(recipe.augmentation.change) <= set(AUGMENTATIONS["none"].__slots__)
    for images in recipe.data.sets:
        assert images.voxel_size_nm is not None
        assert images.gap_slices > 0 or not images.validation_slices
    assert recipe.terms
    assert recipe.citations


def check_network(recipe) -> None:
    with torch.device("meta"):  # its weights are not needed
        network = build_network(**network_of(recipe))
    training = recipe.training
    assert training.patch_px % network.stride_px == 0
    assert training.patch_slices % network.stride_slices == 0
    assert (training.patch_slices > 1) == (network.dimensions == 3)


def network_of(recipe) -> dict:
    return {"name": recipe.network.name, **recipe.network.options}


def test_what_the_queue_runs_is_there() -> None:
    named = re.findall(r"recipes/[\w./-]+\.(?:yaml|py)", (FOLDER / "GPU-QUEUE.md").read_text())
    assert named
    for name in named:
        assert (FOLDER.parent / name).is_file(), name


@pytest.mark.parametrize("path", TRANSFERS, ids=lambda path: path.stem)
def test_a_transfer_is_complete(path) -> None:
    transfer = load_transfer(path)
    assert transfer.name == path.stem
    for one in transfer.sets:
        for matching in transfer.matching:
            check(transfer_recipe(transfer, one, matching))
        learned, seen = one.train, one.test
        if learned["images"] == seen.images:
            assert learned["slices"][1] + 1 < seen.slices[0], "blocks of one stack touch"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_complete(path) -> None:
    study = load_overfitting_study(path)
    assert study.name == path.stem
    recipe = study_recipe(study, study.steps[0])
    check(recipe)
    assert all(steps % recipe.training.validate_every == 0 for steps in study.steps)


def command(path: Path) -> list[str]:
    """Which command a recipe is for."""
    if path in TRANSFERS:
        return ["transfer"]
    if path in STUDIES:
        return ["study", "overfitting"]
    return ["experiment"] if path in OTHERS else ["train"]


def smoke_case(path: Path) -> object:
    marks = () if path.stem in QUICK else pytest.mark.slow
    return pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", [smoke_case(path) for path in sorted(FOLDER.glob("**/*.yaml"))])
def test_a_recipe_runs_whole_in_small(path, run_cli, tmp_path) -> None:
    folder = tmp_path / "smoke"
    code, out, err = run_cli(*command(path), path, "-o", folder, "--device", "cpu", "--smoke")
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out + err
    pages = [folder / name for name in ("table.md", "matrix.md", "SMOKE.txt")]
    assert any(page.exists() and "SMOKE" in page.read_text() for page in pages)
