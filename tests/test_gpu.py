"""What a GPU computes is what the CPU computes; these tests skip where there is none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from chondria.config.recipe import Recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import measure_normalisation
from chondria.data.patches import PatchSampler
from chondria.data.phantom import make_phantom
from chondria.data.splits import block_split
from chondria.data.training_volume import TrainingVolume
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.training import train_recipe
from chondria.io import open_volume
from chondria.models import load_model
from chondria.networks.catalog import build_network
from chondria.training.plan import TrainingPlan
from chondria.training.train import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that CUDA can use"),
]

CUDA = torch.device("cuda")
PLAN = TrainingPlan(steps=60, validate_every=20, rate=5e-3, ema_decay=0.9, clip_norm=1.0)


def tissue(validation_slices: int = 1) -> TrainingVolume:
    phantom = make_phantom((4, 128, 128), (40.0, 10.0, 10.0), seed=0)
    images, masks = phantom.image.numpy(), phantom.labels.numpy() > 0
    split = block_split(4, validation_slices, 0)
    return TrainingVolume.from_arrays(
        "phantom", images, masks, measure_normalisation(images), split
    )


def sampler(device: torch.device) -> PatchSampler:
    return PatchSampler([tissue().to(device)], 64, 6, AUGMENTATIONS["em"], 0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_learns_on_a_gpu(precision):
    torch.manual_seed(0)
    network = build_network("unet", filters=8).to(CUDA)
    history = train(network, sampler(CUDA), replace(PLAN, precision=precision)).history
    assert history[-1]["train_loss"] < 0.8 * history[0]["train_loss"]


def test_a_batch_on_a_gpu_is_the_batch_of_the_cpu():
    still = replace(AUGMENTATIONS["em"], noise=0.0, elastic_probability=0.0)
    drawn = [
        PatchSampler([tissue().to(device)], 64, 6, still, 0).draw()
        for device in (torch.device("cpu"), CUDA)
    ]
    torch.testing.assert_close(drawn[0][0], drawn[1][0].cpu(), atol=1e-3, rtol=0)
    assert (drawn[0][1] != drawn[1][1].cpu()).float().mean() < 1e-3


def test_a_recipe_trains_on_a_gpu_and_its_model_serves_a_cpu(tmp_path: Path):
    recipe = Recipe.model_validate(
        {
            "name": "gpu",
            "pixel_size_nm": [10, 10],
            "network": {"name": "unet", "options": {"filters": 8}, "boundary_nm": 20},
            "data": {"phantoms": [{"count": 2, "shape": [4, 128, 128]}]},
            "training": {"steps": 20, "patch_px": 64, "validate_every": 10, "ema_decay": 0.9},
        }
    )
    run = train_recipe(recipe, tmp_path / "run", device="cuda")
    assert load_model(run.folder / "model.safetensors").card.calibration


@pytest.mark.parametrize(("precision", "most"), [("fp32", 2), ("bf16", 16)])
def test_a_gpu_segments_as_the_cpu_does(tmp_path: Path, tiny_model: Path, precision, most):
    image = make_phantom((4, 128, 128), (40.0, 10.0, 10.0), seed=0).image
    maps = []
    for device, kind in (("cpu", "fp32"), ("cuda", precision)):
        settings = SegmentationSettings(device=device, precision=kind, backend="torch")
        segment(load_model(tiny_model), image, tmp_path / device, settings)
        maps.append(open_volume(tmp_path / device / "probability.tif").numpy().astype(int))
    assert np.abs(maps[0] - maps[1]).max() <= most
