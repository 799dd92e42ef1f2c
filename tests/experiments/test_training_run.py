"""Training from a recipe: what a run leaves, and that a resumed run is the very same."""

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from chondria.config.recipe import load_recipe, recipe_yaml
from chondria.errors import ModelError, OutputExistsError, SettingsError
from chondria.experiments.training import train_recipe
from chondria.experiments.training_data import load_training_data
from chondria.experiments.validation_slices import kept_validation
from chondria.models import load_model
from chondria.training.validation import threshold_ious

SVG = "{http://www.w3.org/2000/svg}"
FILES = {
    "recipe.yaml",
    "run.json",
    "history.csv",
    "curves.svg",
    "checkpoint.pt",
    "model.safetensors",
    "validation",
    "report.html",
}


@pytest.fixture
def recipe(tmp_path: Path, blobs) -> Path:
    """A set of files at 5 nm and a phantom; dropout, so that a resumed run needs its state."""
    images, labels = (volume.numpy().repeat(2, 1).repeat(2, 2) for volume in blobs)
    data = tmp_path / "data"
    data.mkdir()
    np.save(data / "images.npy", images)
    np.save(data / "masks.npy", (labels > 0) * np.uint8(255))
    tree = {
        "name": "tiny",
        "description": "for a test",
        "seed": 3,
        "pixel_size_nm": [10, 10],
        "network": {"options": {"filters": 2, "levels": 2, "dropout": [0.1, 0.1, 0.2]}},
        "data": {
            "root": str(data),
            "sets": [
                {
                    "name": "blobs",
                    "images": "images.npy",
                    "masks": "masks.npy",
                    "voxel_size_nm": [30, 5, 5],
                    "validation_slices": 2,
                    "gap_slices": 1,
                }
            ],
            "phantoms": [{"count": 1, "shape": [1, 48, 48], "voxel_size_nm": [40, 10, 10]}],
        },
        "training": {"steps": 6, "patch_px": 32, "batch": 2, "validate_every": 2},
        "postprocessing": {"threshold": 0.4, "smallest_diameter_nm": 50},
        "terms": "none",
        "citations": ["nobody 2020"],
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def without_phantoms(recipe: Path) -> Path:
    """Growing tissue takes longer than training on it."""
    tree = yaml.safe_load(recipe.read_text())
    del tree["data"]["phantoms"]
    recipe.write_text(yaml.safe_dump(tree))
    return recipe


class Killed(BaseException):
    """As abrupt as it gets within one process."""


class KilledAt:
    """Kills the run after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def say(self, message: str) -> None:
        pass

    def on_start(self, steps: int) -> None:
        pass

    def on_step(self, step: int, loss: float) -> None:
        if step == self.step:
            raise Killed

    def on_validation(self, row: dict[str, float]) -> None:
        pass


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_run_leaves_everything(run_cli, recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, out, err = run_cli("train", recipe, "-o", run, "--device", "cpu")
    assert code == 0, err
    assert f"model: {run / 'model.safetensors'}" in out
    assert "step 6/6" in err
    assert {path.name for path in run.iterdir()} == FILES
    assert load_recipe(run / "recipe.yaml") == load_recipe(recipe)
    rows = history(run)
    assert [float(row["step"]) for row in rows] == [2, 4, 6]
    assert {"train_loss", "validation_loss", "validation_iou", "iou_blobs", "rate"} <= set(rows[0])
    assert len(list(ET.parse(run / "curves.svg").iter(f"{SVG}path"))) > 10
    assert 'id="validation"' in (run / "report.html").read_text()
    said = json.loads((run / "run.json").read_text())
    assert said["command"][1] == "train"
    assert said["seed"] == 3
    assert said["steps"] == 6
    assert {"chondria", "packages", "device", "precision", "started", "best_step"} <= set(said)
    blobs, phantom = said["data"]
    assert blobs["slices"] == "0-4 (5)"
    assert len(blobs["images_sha256"]) == len(blobs["masks_sha256"]) == 64
    assert phantom["seed"] == 0
    best = max(rows, key=lambda row: float(row["validation_iou"]))
    assert said["best_score"] == pytest.approx(float(best["validation_iou"]))


def test_the_model_s_card(recipe: Path, tmp_path: Path) -> None:
    run = train_recipe(load_recipe(recipe), tmp_path / "run", device="cpu")
    card = load_model(tmp_path / "run" / "model.safetensors").card
    # A file holds lists where memory holds tuples.
    assert json.dumps(asdict(card)) == json.dumps(asdict(run.model.card))
    assert card.name == "tiny"
    assert card.pixel_size_nm == (10, 10)
    assert card.threshold == 0.4
    assert card.smallest_diameter_nm == 50
    assert card.citations == ["nobody 2020"]
    assert [entry["name"] for entry in card.data] == ["blobs", "phantom-0"]
    assert card.validation["validation_iou"] == max(row["validation_iou"] for row in run.history)
    assert card.calibration["encoder.0.3"][0] < 0 < card.calibration["encoder.0.3"][1]


def test_the_trained_model_segments(run_cli, recipe: Path, tmp_path: Path) -> None:
    train_recipe(load_recipe(without_phantoms(recipe)), tmp_path / "run", device="cpu")
    model = tmp_path / "run" / "model.safetensors"
    image = tmp_path / "data" / "images.npy"
    tail = ("-o", tmp_path / "out", "--model", model, "--voxel-size", "30,5,5")
    code, _, err = run_cli("segment", image, *tail)
    assert code == 0, err
    assert (tmp_path / "out" / "objects.csv").is_file()


def test_the_trained_model_predicts_in_integers(run_cli, recipe: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    train_recipe(load_recipe(without_phantoms(recipe)), tmp_path / "run", device="cpu")
    model, image = tmp_path / "run" / "model.safetensors", tmp_path / "data" / "images.npy"
    tail = ("--model", model, "--voxel-size", "30,5,5", "--precision", "int8")
    code, _, err = run_cli("predict", image, "-o", tmp_path / "p.npy", *tail)
    assert code == 0, err
    assert "OpenVINO int8" in err
    assert (tmp_path / "p.npy").is_file()


# --- in three dimensions ---

DEEP = [
    "data.phantoms=[]",
    "network={name: xiao, options: {filters: [2, 3]}}",
    "training.patch_slices=4",
]


def test_a_3d_model_is_trained_and_segments_volumes_only(
    run_cli, recipe: Path, tmp_path: Path
) -> None:
    run = train_recipe(load_recipe(recipe, DEEP), tmp_path / "run", device="cpu")
    assert (run.model.card.patch_slices, run.model.card.calibration) == (4, {})
    model, images = tmp_path / "run" / "model.safetensors", tmp_path / "data" / "images.npy"
    tail = ("--model", model, "--voxel-size", "30,5,5", "--device", "cpu")
    code, _, err = run_cli("segment", images, "-o", tmp_path / "out", *tail)
    assert code == 0, err
    code, _, err = run_cli("predict", images, "-o", tmp_path / "p.npy", *tail, "--tta", "d4")
    assert code == 0, err
    assert np.load(tmp_path / "p.npy").shape == np.load(images).shape
    np.save(tmp_path / "one.npy", np.load(images)[:1])
    for job, name in (("segment", "refused"), ("predict", "refused.npy")):
        code, _, err = run_cli(job, tmp_path / "one.npy", "-o", tmp_path / name, *tail)
        assert code == 2
        assert "Found a single slice in" in err
        assert not (tmp_path / name).exists()
    for option in (("--backend", "openvino"), ("--precision", "int8")):
        code, _, err = run_cli("predict", images, "-o", tmp_path / "q.npy", *tail, *option)
        assert code == 2
        assert "only PyTorch computes those" in " ".join(err.split())


def test_a_3d_model_is_judged_on_every_other_slice(recipe: Path, tmp_path: Path) -> None:
    changes = [*DEEP, "data.sets.0.validation_slices=3", "data.sets.0.validate_every=2"]
    train_recipe(load_recipe(recipe, changes), tmp_path / "run", device="cpu")
    (kept,) = kept_validation(tmp_path / "run")
    assert kept.every_z == [5, 7]
    assert kept.probability.shape == kept.truth.shape == (2, 56, 72)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["training.patch_slices=1"], "patch_slices 1 for the network 'xiao', .* more than 1"),
        (["training.patch_slices=6"], "at most 5 neighbouring slices to learn from in 'blobs'"),
        (["network={name: unet}"], "patch_slices 4 .* 'unet', which is two-dimensional"),
        (
            ["network={name: unet3d}", "training.patch_slices=12"],
            "patch_slices 12 .* 'unet3d', which is three-dimensional; .* a multiple of 8",
        ),
        (
            ["data.phantoms=[{shape: [1, 48, 48]}]", "data.sets=[]"],
            "a single slice to learn from in 'phantom-0' for patches of 4 slices",
        ),
    ],
)
def test_patches_that_do_not_fit_network_or_data_are_refused(
    recipe: Path, tmp_path: Path, changes, sentence
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        train_recipe(load_recipe(recipe, [*DEEP, *changes]), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_resumed_run_is_the_same(recipe: Path, tmp_path: Path, step: int) -> None:
    settings = load_recipe(recipe, ["data.phantoms=[]"])
    train_recipe(settings, tmp_path / "whole", device="cpu")
    with pytest.raises(Killed):
        train_recipe(settings, tmp_path / "killed", device="cpu", observer=KilledAt(step))
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    train_recipe(settings, tmp_path / "killed", device="cpu", resume=True)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert {path.name for path in killed.iterdir()} == FILES
    same = (run.joinpath("model.safetensors").read_bytes() for run in (whole, killed))
    assert next(same) == next(same)
    for row, again in zip(history(whole), history(killed), strict=True):
        assert row | {"seconds": ""} == again | {"seconds": ""}


def test_resume_from_the_command_line(run_cli, recipe: Path, tmp_path: Path) -> None:
    run, recipe = tmp_path / "run", without_phantoms(recipe)
    with pytest.raises(Killed):
        train_recipe(load_recipe(recipe), run, device="cpu", observer=KilledAt(5))
    # Another recipe is refused and nothing is lost.
    before = (run / "checkpoint.pt").read_bytes()
    code, _, err = run_cli("train", recipe, "-o", run, "--resume", "--set", "seed=4")
    assert code == 2
    assert "another recipe" in err
    assert (run / "checkpoint.pt").read_bytes() == before
    code, _, err = run_cli("train", recipe, "-o", run, "--resume", "--device", "cpu")
    assert code == 0, err
    assert {path.name for path in run.iterdir()} == FILES
    model = (run / "model.safetensors").read_bytes()
    assert run_cli("train", recipe, "-o", run, "--resume", "--device", "cpu")[0] == 0
    assert (run / "model.safetensors").read_bytes() == model


def test_a_damaged_checkpoint_is_refused_in_one_line(run_cli, recipe: Path, tmp_path: Path) -> None:
    run, recipe = tmp_path / "run", without_phantoms(recipe)
    with pytest.raises(Killed):
        train_recipe(load_recipe(recipe), run, device="cpu", observer=KilledAt(5))
    (run / "checkpoint.pt").write_bytes(b"torn")
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "run.json"}
    code, _, err = run_cli("train", recipe, "-o", run, "--resume", "--device", "cpu")
    assert code == 2
    assert err.splitlines()[-1].startswith("chondria: Cannot resume from")
    after = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "run.json"}
    assert after == before


def test_an_existing_folder_is_refused(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="already holds files"):
        train_recipe(load_recipe(recipe), tmp_path / "run", device="cpu")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_dry_run(run_cli, recipe: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    code, out, _ = run_cli("train", recipe, "--dry-run", "--set", "training.steps=9")
    assert code == 0
    settings = load_recipe(recipe, ["training.steps=9"])
    assert out.startswith(recipe_yaml(settings))
    assert str(Path("runs") / "tiny") in out
    assert set(tmp_path.rglob("*")) == before


def test_default_folder_and_data_root(run_cli, recipe: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    without_phantoms(recipe)
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")
    tail = ("--data", "elsewhere", "--set", "training.steps=1", "--device", "cpu")
    code, _, err = run_cli("train", recipe, *tail)
    assert code == 0, err
    assert {path.name for path in (tmp_path / "runs" / "tiny").iterdir()} == FILES


def test_without_validation_the_last_weights_are_kept(recipe: Path, tmp_path: Path) -> None:
    settings = load_recipe(recipe, ["data.sets=[]"])
    run = train_recipe(settings, tmp_path / "run", device="cpu")
    assert set(run.model.card.validation) == {"step", "train_loss"}
    assert run.model.card.validation["step"] == 6
    assert {path.name for path in run.folder.iterdir()} == FILES - {"validation"}
    assert "Nothing was held out" in (run.folder / "report.html").read_text()


def test_training_data(recipe: Path, tmp_path: Path, blobs) -> None:
    told: list[str] = []
    settings = load_recipe(recipe)
    (files, card), (phantom, _) = load_training_data(settings, tmp_path / "data", told.append)
    assert told == ["reading blobs", "making phantom 1 of 1"]
    assert files.images.shape == (8, 56, 72)  # 5 nm became the model's 10 nm
    np.testing.assert_array_equal(files.masks.numpy() > 0, blobs[1].numpy() > 0)
    assert (files.split.train, files.split.validation) == (range(5), range(6, 8))
    assert card["voxel_size_nm"] == (30, 5, 5)
    assert phantom.images.shape == (1, 48, 48)
    assert not len(phantom.split.validation)


@pytest.mark.parametrize("kind", ["volume", "unit"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_images_of_other_types_become_bytes(recipe: Path, tmp_path: Path, dtype, kind: str) -> None:
    """What the network sees is the same but for the rounding to 256 levels."""
    settings = load_recipe(recipe, ["data.phantoms=[]", f"normalisation={kind}"])
    path = tmp_path / "data" / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, np.load(path).shape, np.uint8))
    ((grey, _),) = load_training_data(settings, tmp_path / "data")
    images = np.load(path).astype(np.float64)
    # A unit is the whole range of an integer type, or one.
    scale = {np.uint16: 257, np.float32: 1 / 255}[dtype]
    np.save(path, (images * scale).astype(dtype))
    ((wide, _),) = load_training_data(settings, tmp_path / "data")
    seen = [v.normalisation(v.images.numpy()) for v in (grey, wide)]
    # Half a level over eight deviations, and half a grey level of the 8-bit original.
    assert np.abs(seen[0] - seen[1]).max() < 0.5 * 8 / 255 + 0.5 / 70


def test_a_run_starts_from_another_model(recipe: Path, tmp_path: Path) -> None:
    path = without_phantoms(recipe)
    first = train_recipe(load_recipe(path), tmp_path / "first")
    start = f"start_from={first.folder / 'model.safetensors'}"
    # A rate this small moves nothing: what is left is where it started, rounded to fp16.
    still = ["training.rate=1e-12", "training.steps=1", "training.optimizer=sgd"]
    second = train_recipe(load_recipe(path, [start, *still]), tmp_path / "second")
    for name, weight in load_model(first.folder / "model.safetensors").network.named_parameters():
        np.testing.assert_array_equal(
            second.model.network.get_parameter(name).detach().numpy(), weight.detach().numpy()
        )
    other = load_recipe(path, [start, "network.options.filters=4"])
    with pytest.raises(ModelError, match="must be the same"):
        train_recipe(other, tmp_path / "third")
    assert not (tmp_path / "third").exists()


def test_slices_without_annotation_are_skipped(recipe: Path, tmp_path: Path) -> None:
    masks = tmp_path / "data" / "masks.npy"
    emptied = np.load(masks)
    emptied[1] = 0
    np.save(masks, emptied)
    changes = ["data.phantoms=[]", "data.sets.0.skip_empty=true"]
    ((volume, card),) = load_training_data(load_recipe(recipe, changes), tmp_path / "data")
    every = range(len(emptied) - 3)  # two of validation and one of the gap
    assert list(volume.split.train) == [z for z in every if emptied[z].any()]
    assert 1 not in volume.split.train
    assert card["slices"].endswith(f"({len(volume.split.train)})")


def test_a_block_in_the_plane_validates_until_it_is_learned_from(
    recipe: Path, tmp_path: Path, blobs
) -> None:
    block = ["data.phantoms=[]", "data.sets.0.validation_axis=x", "data.sets.0.gap_slices=4"]
    block += ["data.sets.0.validation_slices=40", "data.sets.0.validate_every=3"]
    settings = load_recipe(recipe, block)
    (learned, card), (chosen, other) = load_training_data(settings, tmp_path / "data")
    assert (learned.images.shape, chosen.images.shape) == ((8, 56, 50), (8, 56, 20))  # at 10 nm
    truth = blobs[1].numpy() > 0
    np.testing.assert_array_equal(learned.masks.numpy() > 0, truth[:, :, :50])
    np.testing.assert_array_equal(chosen.masks.numpy() > 0, truth[:, :, -20:])
    assert list(chosen.split.validation) == [0, 3, 6]
    assert (card["used_for"], other["used_for"]) == ("training", "validation")
    assert other["box_zyx"] == [[0, 8], [0, 112], [104, 144]]
    run = train_recipe(settings, tmp_path / "run", device="cpu")
    assert 0 <= run.model.card.validation["iou_blobs"] <= 1

    everything = load_recipe(recipe, [*block, "data.hold_out=false"])
    ((volume, _),) = load_training_data(everything, tmp_path / "data")
    assert volume.images.shape == (8, 56, 72)
    assert not len(volume.split.validation)


# --- which patches ---


TILES = ["data.phantoms=[]", "training.steps=null", "training.patches=tiles"]


@pytest.mark.parametrize(
    ("changes", "steps", "every"),
    [
        # 5 training slices of 56x72 pixels: 2 x 3 tiles of 32 each, 4 in a batch.
        (["epochs=2"], 16, 8),
        (["epochs=1", "augmented=add", "padding=zero"], 15, 15),
        (["epochs=1", "validate_every=5"], 8, 5),
        (["epochs=3", "patches=whole"], 6, 2),
        (["epochs=2", "discard_share=0.1"], None, None),
        (["steps=3", "validate_every=3"], 3, 3),
    ],
)
def test_an_epoch_is_every_tile_once(recipe: Path, tmp_path: Path, changes, steps, every) -> None:
    changes = [f"training.{change}" for change in ["validate_every=null", "batch=4", *changes]]
    settings = load_recipe(recipe, [*TILES, *changes])
    run = train_recipe(settings, tmp_path / "run", device="cpu")
    if steps is None:
        ((volume, _),) = load_training_data(settings, tmp_path / "data")
        padded = np.pad(volume.masks[:5].numpy(), ((0, 0), (0, 8), (0, 24)), mode="reflect")
        shares = padded.reshape(5, 2, 32, 3, 32).mean((2, 4))
        kept = np.count_nonzero(shares > 0.1)
        assert 4 < kept < 26
        every = -(-kept // 4)
        steps = 2 * every
    assert [row["step"] for row in run.history] == sorted({*range(every, steps, every), steps})


@pytest.mark.parametrize(
    "changes",
    [
        ["patches=tiles", "augmented=add"],
        ["patches=whole"],
        ["patches=pure", "patch_px=16", "pure_share=0.7"],
        ["foreground_share=0.5"],
    ],
)
def test_every_choice_of_patches_resumes_as_the_same_run(
    recipe: Path, tmp_path: Path, changes
) -> None:
    changes = [f"training.{change}" for change in changes]
    settings = load_recipe(recipe, ["data.phantoms=[]", *changes])
    train_recipe(settings, tmp_path / "whole", device="cpu")
    with pytest.raises(Killed):
        train_recipe(settings, tmp_path / "killed", device="cpu", observer=KilledAt(3))
    train_recipe(settings, tmp_path / "killed", device="cpu", resume=True)
    whole, killed = (tmp_path / name / "model.safetensors" for name in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()


def test_the_classifier_of_patches_learns_from_pure_ones(recipe: Path, tmp_path: Path) -> None:
    """Oztel et al. (2017) as published, but for its size: 32x32 pixels, one class each."""
    changes = ["data.phantoms=[]", "network={name: oztel, options: {filters: 4, dropout: 0.0}}"]
    changes += ["pixel_size_nm=[2.5, 2.5]", "training.patches=pure", "training.patch_px=32"]
    changes += ["training.batch=16", "training.steps=30", "training.validate_every=30"]
    changes += ["training.loss=bce", "training.rate=0.01", "augmentation.set=custom"]
    run = train_recipe(load_recipe(recipe, changes), tmp_path / "run", device="cpu")
    assert run.model.card.validation["validation_iou"] > 0.5


def test_the_threshold_is_searched_on_validation_slices(recipe: Path, tmp_path: Path) -> None:
    changes = ["data.phantoms=[]", "training.search_threshold=true", "training.steps=40"]
    changes += ["training.validate_every=40", "training.rate=0.01", "training.loss=bce"]
    changes += ["training.precision=fp32"]
    settings = load_recipe(recipe, changes)
    run = train_recipe(settings, tmp_path / "run", device="cpu")
    card = load_model(run.folder / "model.safetensors").card
    volumes = [volume for volume, _ in load_training_data(settings, tmp_path / "data")]
    found = threshold_ious(run.model.network, volumes, run.model.network.stride_px)
    assert card.validation["threshold_iou"] == max(found.values()) == found[card.threshold]
    assert max(found.values()) > min(found.values())
    assert found[0.5] == pytest.approx(card.validation["validation_iou"])
    assert json.loads((run.folder / "run.json").read_text())["threshold"] == card.threshold
