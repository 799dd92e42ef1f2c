"""Outlines from instance truth to separate objects: learned, kept, predicted, and cut along."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from chondria.config.recipe import load_recipe
from chondria.data.augment import AUGMENTATIONS
from chondria.data.boundary import boundary_target
from chondria.data.normalize import measure_normalisation
from chondria.data.patches import PatchSampler
from chondria.data.splits import block_split
from chondria.data.training_volume import TrainingVolume
from chondria.errors import ModelError, SettingsError
from chondria.evaluation.instance import instance_scores
from chondria.evaluation.overlap import contingency_table
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.training import train_recipe
from chondria.experiments.training_data import load_training_data
from chondria.experiments.volume_segmentation import segment_volume
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import open_volume, save_volume
from chondria.models import Model, ModelCard, load_model
from chondria.networks.catalog import build_network
from chondria.networks.quantisation import measure_ranges
from chondria.training.plan import TrainingPlan
from chondria.training.train import train
from chondria.volume import Volume

SIZE, WIDTH_NM, RADIUS_PX = (40.0, 10.0, 10.0), 20.0, 12
OPTIONS = {"filters": 8, "levels": 2, "dropout": [0.0] * 3, "channels_out": 2}


def pairs(slices: int, seed: int = 0) -> tuple[Volume, Volume]:
    """Pairs of dark discs with darker membranes, each pair joined by a neck as wide as 0.8 radii.

    That is no neck to a distance map; only the membranes say that there are two.
    """
    rng = np.random.default_rng(seed)
    labels = np.zeros((slices, 112, 160), np.uint16)
    y, x = np.mgrid[:112, :160]
    for plane in labels:
        for row, column in np.ndindex(2, 3):
            angle, apart = rng.uniform(0, np.pi), 0.6 * RADIUS_PX
            centre = np.array([28 + 56 * row, 27 + 53 * column])
            ends = [
                centre + way * apart * np.array([np.sin(angle), np.cos(angle)]) for way in (-1, 1)
            ]
            distances = np.stack([np.hypot(y - a, x - b) for a, b in ends])
            inside = distances.min(0) <= RADIUS_PX
            plane[inside] = (plane.max() + 1 + distances.argmin(0))[inside]
    membranes = boundary_target(labels, SIZE[1:], 10.0)
    grey = 170 - 60.0 * (labels > 0) - 60 * membranes + rng.normal(0, 12, labels.shape)
    return Volume(grey.clip(0, 255).astype(np.uint8), SIZE), Volume(labels, SIZE)


@cache
def learned() -> Model:
    """A tiny U-Net that has learned foreground and outlines for a few dozen steps."""
    image, labels = (volume.numpy() for volume in pairs(6))
    outlines = boundary_target(labels, SIZE[1:], WIDTH_NM)
    volume = TrainingVolume.from_arrays(
        "pairs",
        image,
        labels > 0,
        measure_normalisation(image),
        block_split(6, 1, 0),
        1.0,
        outlines,
    )
    torch.manual_seed(0)
    network = build_network("unet", **OPTIONS)
    plan = TrainingPlan(steps=80, validate_every=40, rate=1e-2, boundary_weight=1.0)
    train(network, PatchSampler([volume], 64, 4, AUGMENTATIONS["custom"]), plan)
    card = ModelCard("pairs", "", "unet", OPTIONS, SIZE[1:], boundary_nm=WIDTH_NM)
    return Model(network, card)


def test_touching_discs_are_cut_along_what_was_learned() -> None:
    image, truth = pairs(1, seed=1)
    settings = SegmentationSettings(separate=True, dimensions=2, device="cpu", precision="fp32")
    found = segment_volume(learned(), image, settings)
    plain = segment_volume(learned().with_card(boundary_nm=0.0), image, settings)
    whole = segment_volume(learned(), image, replace(settings, separate=False))
    np.testing.assert_array_equal(found.probability.numpy(), plain.probability.numpy())
    assert found.boundary is not None
    assert plain.boundary is whole.boundary is None
    expected = boundary_target(truth.numpy(), SIZE[1:], WIDTH_NM)
    outlined = found.boundary.numpy() > 127
    assert (outlined & expected).sum() / (outlined | expected).sum() > 0.6
    with_it, without = (
        instance_scores(contingency_table(seen.labels.numpy(), truth.numpy())).f1
        for seen in (found, plain)
    )
    assert with_it >= without + 0.5
    assert with_it >= 0.8


@pytest.mark.parametrize(
    "how",
    [{"tile_px": 96}, {"tta": "d4"}, {"blending": "spline", "window_px": 64}, {"batch_px": 1}],
    ids=str,
)
def test_the_second_channel_is_predicted_as_the_first(how: dict) -> None:
    model, image = learned(), pairs(2, seed=2)[0]
    turned = build_network("unet", **OPTIONS).eval()
    turned.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        for name in ("weight", "bias"):
            value = getattr(turned.head, name)
            value.copy_(value.flip(0))
    settings = PredictionSettings(**how)
    first, second, swapped = (np.empty(image.shape, np.float32) for _ in range(3))
    predict_volume(model, image, first, settings=settings, boundary=second)
    predict_volume(replace(model, predictor=turned), image, swapped, settings=settings)
    np.testing.assert_allclose(second, swapped, atol=1e-6)
    assert np.abs(first - second).max() > 0.1
    # At another pixel size, and by 8 bits.
    coarse = model.with_card(pixel_size_nm=(14.0, 14.0))
    levels, foreground = np.empty(image.shape, np.uint8), np.empty(image.shape, np.float32)
    predict_volume(coarse, image, foreground, settings=settings, boundary=levels)
    other = replace(coarse, predictor=turned)
    predict_volume(other, image, swapped, settings=settings)
    assert np.abs(levels / 255 - swapped).max() < 0.5 / 255 + 1e-5


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    image, labels = pairs(4)
    save_volume(image, tmp_path / "image.tif")
    save_volume(labels, tmp_path / "labels.tif")
    tree = {
        "name": "outlines",
        "pixel_size_nm": [10, 10],
        "network": {
            "options": {"filters": 2, "levels": 2, "dropout": [0.1] * 3},
            "boundary_nm": 20,
            "boundary_weight": 0.5,
        },
        "data": {
            "root": str(tmp_path),
            "sets": [
                {
                    "name": "pairs",
                    "images": "image.tif",
                    "masks": "labels.tif",
                    "voxel_size_nm": list(SIZE),
                    "validation_slices": 1,
                }
            ],
        },
        "training": {"steps": 4, "patch_px": 32, "batch": 2, "validate_every": 2},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


class Stopped(Exception):  # noqa: N818
    """The run ends here."""


class Stopping:
    """Stops the run at its third step."""

    def say(self, message: str) -> None:
        pass

    def on_start(self, steps: int) -> None:
        pass

    def on_step(self, step: int, loss: float) -> None:
        if step == 3:
            raise Stopped

    def on_validation(self, row: dict[str, float]) -> None:
        pass


def test_a_recipe_learns_them_and_resumes_to_the_byte(recipe: Path, tmp_path: Path) -> None:
    settings = load_recipe(recipe)
    train_recipe(settings, tmp_path / "whole", device="cpu")
    with pytest.raises(Stopped):
        train_recipe(settings, tmp_path / "cut", device="cpu", observer=Stopping())
    train_recipe(settings, tmp_path / "cut", device="cpu", resume=True)
    first, second = (tmp_path / name / "model.safetensors" for name in ("whole", "cut"))
    assert first.read_bytes() == second.read_bytes()
    model = load_model(first)
    assert model.card.boundary_nm == 20
    assert model.card.options["channels_out"] == 2
    start = [f"start_from={first}", "training.steps=1", "training.validate_every=1"]
    train_recipe(load_recipe(recipe, start), tmp_path / "on", device="cpu")
    without = load_recipe(recipe, [*start, "network.boundary_nm=0", "network.boundary_weight=1"])
    with pytest.raises(ModelError, match="must be the same"):
        train_recipe(without, tmp_path / "other", device="cpu")


def test_training_sees_instances_and_validation_the_foreground(recipe: Path) -> None:
    settings = load_recipe(recipe)
    ((volume, _),) = load_training_data(settings, recipe.parent)
    _, labels = pairs(4)
    assert volume.boundary is not None
    expected = boundary_target(labels.numpy(), SIZE[1:], 20)
    np.testing.assert_array_equal(volume.boundary.numpy(), expected)
    np.testing.assert_array_equal(volume.masks.numpy(), labels.numpy() > 0)
    coarse = load_recipe(recipe, ["pixel_size_nm=[20, 20]"])
    ((smaller, _),) = load_training_data(coarse, recipe.parent)
    assert smaller.boundary is not None
    assert smaller.boundary.shape == smaller.masks.shape == (4, 56, 80)
    assert abs(smaller.boundary.float().mean() - expected.mean()) < 0.05


def test_segment_keeps_the_map(run_cli, recipe: Path, tmp_path: Path) -> None:
    model, image = tmp_path / "run" / "model.safetensors", tmp_path / "image.tif"
    train_recipe(load_recipe(recipe), tmp_path / "run", device="cpu")
    code, _, err = run_cli(
        "segment", image, "-o", tmp_path / "apart", "--separate", "--model", model
    )
    assert code == 0, err
    outlines = open_volume(tmp_path / "apart" / "boundary.tif")
    assert outlines.shape == open_volume(image).shape
    assert outlines.dtype == np.uint8
    code, _, err = run_cli("segment", image, "-o", tmp_path / "plain", "--model", model)
    assert code == 0, err
    assert not (tmp_path / "plain" / "boundary.tif").exists()
    assert json.loads((tmp_path / "apart" / "run.json").read_text())["model"]["boundary_nm"] == 20


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["network.name=casser"], "boundary_nm 20 for the network 'casser'; only unet"),
        (["network.name=supervoxels"], "only unet, resunet, attention_unet"),
        (["network.options.channels_out=2"], "channels_out; leave it out"),
        (["network.boundary_nm=0"], "boundary_weight 0.5 without outlines"),
        (["network.boundary_nm=5"], "boundary_nm 5 with pixels of 10 nm in the set 'pairs'"),
        (["training.patches=pure"], "which are of one class"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_refused(recipe: Path, tmp_path: Path, changes, said) -> None:
    with pytest.raises(SettingsError, match=said):
        train_recipe(load_recipe(recipe, changes), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_openvino_and_integers_agree_on_both_channels(precision) -> None:
    pytest.importorskip("openvino")
    model, image = learned(), pairs(1, seed=3)[0]
    normalisation = measure_normalisation(image.numpy())
    seen = torch.from_numpy(image.numpy().astype(np.float32) - normalisation.mean)
    calibration = measure_ranges(model.network, [seen[:, None] / normalisation.deviation])
    asked = model.with_card(calibration=calibration)
    compute = Compute(torch.device("cpu"), precision=precision, backend="openvino")
    plain, other = (np.empty((2, *image.shape), np.float32) for _ in range(2))
    predict_volume(model, image, plain[0], boundary=plain[1])
    settings = PredictionSettings(compute)
    agreement = predict_volume(asked, image, other[0], settings=settings, boundary=other[1])
    assert not agreement.fell_back
    assert np.abs(plain - other).mean(axis=(1, 2, 3)).max() < 0.03


def test_outlines_of_a_model_without_them_are_refused() -> None:
    image = pairs(1)[0]
    sink, other = np.empty((2, *image.shape), np.float32)
    with pytest.raises(ModelError, match="no boundary channel in the model 'pairs'"):
        predict_volume(learned().with_card(boundary_nm=0.0), image, sink, boundary=other)
