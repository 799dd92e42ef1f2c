"""An experiment in minutes: the same work on a phantom with small networks. No result."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

from chondria.config.experiment import Experiment, TestSet
from chondria.config.recipe import Recipe
from chondria.data.phantom import make_phantom
from chondria.experiments.run_folder import create_run_folder
from chondria.io import save_volume
from chondria.networks.catalog import NETWORKS
from chondria.supervoxels.options import SUPERVOXELS

__all__ = [
    "SMOKE_RUNS",
    "marked_title",
    "phantom_files",
    "smoke_experiment",
    "smoke_recipe",
    "smoke_test",
    "smoke_training",
]

# One slice to validate on and a gap of one stay out of the patches.
SHAPE = (10, 128, 160)
VOXEL_SIZE_NM = (40.0, 10.0, 10.0)
SMOKE_RUNS = 1
MARK = "SMOKE, NO RESULT"
FILTERS = 4
WINDOW_PX = 64
# Slices of a 3-D patch: three poolings along z fit.
PATCH_SLICES = 8
DISCARD_SHARE = 0.01
PURE_SHARE = 0.51
TREES = 10


def marked_title(title: str, smoke: bool) -> str:
    """Say in the title of a smoke run that nothing below is a result."""
    return f"{MARK}: {title}" if smoke else title


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
    rows = tuple(row.model_copy(update={"test": None}) for row in experiment.rows)
    steps = tuple(step.model_copy(update={"window_px": WINDOW_PX}) for step in experiment.steps)
    smoke = {"test": smoke_test(folder), "rows": rows, "steps": steps, "runs": SMOKE_RUNS}
    return experiment.model_copy(update=smoke)


def smoke_test(folder: Path) -> TestSet:
    """Give the phantom in a folder as a test volume."""
    image, mask = (str(path.resolve()) for path in phantom_files(folder))
    return TestSet(images=image, masks=mask, voxel_size_nm=VOXEL_SIZE_NM)


def smoke_training(recipe: Recipe, folder: Path) -> tuple[Recipe, Path]:
    """Make a folder for a smoke run of a training, marked as one.

    Parameters
    ----------
    recipe : Recipe
        Any; data of its own are not needed.
    folder : Path
        New or empty; SMOKE.txt and the phantom are written there.

    Returns
    -------
    tuple of Recipe and Path
        The small recipe, and the folder inside for its run.

    Raises
    ------
    OutputExistsError, InputNotFoundError
        As `chondria.experiments.run_folder.create_run_folder`.
    """
    create_run_folder(folder)
    said = f"{MARK}: a small network learned a phantom to see that '{recipe.name}' runs."
    (folder / "SMOKE.txt").write_text(f"{said}\n", encoding="utf-8")
    small = smoke_recipe(recipe, folder / "phantom")
    return small.model_copy(update={"description": said}), folder / "run"


def smoke_recipe(recipe: Recipe, folder: Path) -> Recipe:
    """Train a small network for a few steps on the phantom in a folder, whatever the sets are."""
    image, mask = (str(path.resolve()) for path in phantom_files(folder))
    tree: dict[str, Any] = recipe.model_dump()
    if recipe.pixel_size_nm is not None:
        tree["pixel_size_nm"] = VOXEL_SIZE_NM[1:]
    tree["start_from"] = None  # its network would not be the small one
    place = {"images": image, "masks": mask, "slices": None, "voxel_size_nm": VOXEL_SIZE_NM}
    block = {"validation_axis": "z", "validation_slices": 1, "gap_slices": 1, "validate_every": 1}
    sets = tree["data"]["sets"][:2] or [{"name": "phantom", "weight": 1.0}]
    tree["data"]["sets"] = [one | place | block for one in sets]
    tree["data"]["phantoms"] = []
    network = tree["network"]
    if network["name"] == SUPERVOXELS:
        network["options"] |= {"trees": TREES}
    elif asked := signature(NETWORKS[network["name"]]).parameters.get("filters"):
        wide = network["options"].get("filters", asked.default)
        network["options"]["filters"] = FILTERS if isinstance(wide, int) else [FILTERS] * len(wide)
    training = tree["training"]
    patch_px = min(training["patch_px"], 64)
    training |= {"steps": 2, "validate_every": 1, "batch": 2, "patience": 0, "patch_px": patch_px}
    training |= {"patch_slices": min(training["patch_slices"], PATCH_SLICES)}
    training["epochs"] = None
    # The phantom's mitochondria are smaller than those of the data.
    training["discard_share"] = min(training["discard_share"], DISCARD_SHARE)
    if training["patches"] == "pure":
        training["pure_share"] = PURE_SHARE
    return Recipe.model_validate(tree)
