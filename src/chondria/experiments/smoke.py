"""An experiment in minutes: the same work on a phantom with small networks. No result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chondria.config.experiment import Experiment, TestSet
from chondria.config.recipe import Recipe
from chondria.data.phantom import make_phantom
from chondria.io import save_volume
from chondria.supervoxels.options import SUPERVOXELS

__all__ = ["SMOKE_RUNS", "phantom_files", "smoke_experiment", "smoke_recipe"]

SHAPE = (6, 128, 160)
VOXEL_SIZE_NM = (40.0, 10.0, 10.0)
SMOKE_RUNS = 1
FILTERS = 4
TREES = 10


def phantom_files(folder: Path) -> tuple[Path, Path]:
    """Write a phantom's image and mask, unless they are there."""
    image, mask = folder / "image.tif", folder / "mask.tif"
    if not mask.exists():
        folder.mkdir(parents=True, exist_ok=True)
        phantom = make_phantom(SHAPE, VOXEL_SIZE_NM, seed=0)
        save_volume(phantom.image, image, overwrite=True)
        save_volume(phantom.labels.with_data(phantom.labels.numpy() > 0), mask)
    return image, mask


def smoke_experiment(experiment: Experiment, folder: Path) -> Experiment:
    """Test on the phantom in a folder instead."""
    image, mask = (str(path.resolve()) for path in phantom_files(folder))
    test = TestSet(images=image, masks=mask, voxel_size_nm=VOXEL_SIZE_NM)
    return experiment.model_copy(update={"test": test, "runs": SMOKE_RUNS})


def smoke_recipe(recipe: Recipe, folder: Path) -> Recipe:
    """Train a small network for a few steps on the phantom in a folder, whatever the sets are."""
    image, mask = (str(path.resolve()) for path in phantom_files(folder))
    tree: dict[str, Any] = recipe.model_dump()
    tree["pixel_size_nm"] = VOXEL_SIZE_NM[1:]
    place = {"images": image, "masks": mask, "voxel_size_nm": VOXEL_SIZE_NM}
    block = {"validation_axis": "z", "validation_slices": 1, "gap_slices": 1, "validate_every": 1}
    sets = tree["data"]["sets"][:2] or [{"name": "phantom", "weight": 1.0}]
    tree["data"]["sets"] = [one | place | block for one in sets]
    tree["data"]["phantoms"] = []
    if "filters" in tree["network"]["options"]:
        tree["network"]["options"] |= {"filters": FILTERS}
    if tree["network"]["name"] == SUPERVOXELS:
        tree["network"]["options"] |= {"trees": TREES}
    training = tree["training"]
    patch_px = min(training["patch_px"], 64)
    training |= {"steps": 4, "validate_every": 2, "batch": 2, "patience": 0, "patch_px": patch_px}
    return Recipe.model_validate(tree)
