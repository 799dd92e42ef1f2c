"""`network.name: supervoxels` goes the way of any recipe: a run folder, a model, a segmentation."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from chondria.config.recipe import load_recipe
from chondria.errors import ModelError
from chondria.experiments.training import train_recipe
from chondria.experiments.validation_scores import scores_at
from chondria.experiments.validation_slices import kept_validation
from chondria.io import open_volume, save_volume
from chondria.models import load_model

OPTIONS = {"trees": 12, "scales_nm": [10, 30], "hops": 1, "share": 1.0}


@pytest.fixture
def tree(tmp_path: Path, blobs) -> dict:
    images, labels = blobs
    save_volume(images, tmp_path / "images.tif")
    save_volume(labels.with_data(labels.numpy() > 0), tmp_path / "masks.tif")
    one = {
        "name": "blobs",
        "images": "images.tif",
        "masks": "masks.tif",
        "voxel_size_nm": [30, 10, 10],
        "validation_slices": 2,
        "gap_slices": 1,
    }
    return {
        "name": "regions",
        "pixel_size_nm": [10, 10],
        "network": {"name": "supervoxels", "options": OPTIONS},
        "data": {"root": str(tmp_path), "sets": [one]},
    }


@pytest.fixture
def recipe(tmp_path: Path, tree) -> Path:
    path = tmp_path / "regions.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_from_a_recipe_to_objects(run_cli, recipe: Path, blobs, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    code, _, err = run_cli("train", recipe, "-o", run)
    assert code == 0, err
    assert "growing 12 trees" in err
    assert {path.name for path in run.iterdir()} == {
        "recipe.yaml",
        "run.json",
        "history.csv",
        "curves.svg",
        "model.safetensors",
        "validation",
        "report.html",
    }
    # Regions have one probability each: the map that is kept scores as the history's last row.
    (kept,) = kept_validation(run)
    last = float(history(run)[-1]["validation_iou"])
    assert scores_at(kept.counts, 0.5).iou == pytest.approx(last, abs=1e-3)
    rows = history(run)
    assert [row["step"] for row in rows][-1] == "12.0"
    assert float(rows[-1]["validation_iou"]) > 0.6
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    record = json.loads((run / "run.json").read_text())
    assert record["steps"] == record["best_step"] == 12
    assert record["validation"]["validation_iou"] == float(rows[-1]["validation_iou"])

    model = run / "model.safetensors"
    code, _, err = run_cli("segment", tmp_path / "images.tif", "-o", out, "--model", model)
    assert code == 0, err
    assert "NumPy" in err
    assert json.loads((out / "run.json").read_text())["backend"] == "numpy"
    found, true = open_volume(out / "labels.tif").numpy() > 0, blobs[1].numpy() > 0
    assert np.count_nonzero(found & true) / np.count_nonzero(found | true) > 0.7
    code, said, err = run_cli("info", model)
    assert code == 0, err
    assert "supervoxels" in said
    code, _, err = run_cli("export", "-o", tmp_path / "model.onnx", "--model", model)
    assert code == 2
    assert "Found supervoxels in the model 'regions'" in err


def test_a_run_repeats_itself_and_an_interrupted_one_starts_over(recipe: Path, tmp_path) -> None:
    settings = load_recipe(recipe)
    one = train_recipe(settings, tmp_path / "one", device="cpu")
    # As if it had been killed before the model was written.
    (tmp_path / "one" / "model.safetensors").rename(tmp_path / "first.safetensors")
    train_recipe(settings, tmp_path / "one", device="cpu", resume=True)
    first, second = (tmp_path / "first.safetensors", tmp_path / "one" / "model.safetensors")
    assert first.read_bytes() == second.read_bytes()
    other = settings.model_copy(update={"seed": 1})
    two = train_recipe(other, tmp_path / "two", device="cpu")
    assert one.model.card.validation != two.model.card.validation


def test_what_is_stored_is_what_was_learned(recipe: Path, tmp_path: Path) -> None:
    run = train_recipe(load_recipe(recipe), tmp_path / "run", device="cpu")
    learned, loaded = run.model, load_model(tmp_path / "run" / "model.safetensors")
    assert json.dumps(asdict(loaded.card)) == json.dumps(asdict(learned.card))
    for name, array in learned.predictor.arrays().items():
        assert np.array_equal(array, loaded.predictor.arrays()[name]), name
    with pytest.raises(ModelError, match="needs a network"):
        _ = loaded.network


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("network.options.tree=5", "did you mean 'trees'"),
        ("start_from=mito-em", "trees are always grown anew"),
        ("data.sets.0.images=none.tif", "none.tif"),
        ("data={}", "Found no data"),
    ],
)
def test_what_cannot_be_used_leaves_nothing(run_cli, recipe, tmp_path, change, sentence) -> None:
    code, _, err = run_cli("train", recipe, "-o", tmp_path / "run", "--set", change)
    assert code == 2
    assert sentence in err
    assert not (tmp_path / "run").exists()


def test_a_set_without_a_voxel_size_is_named(run_cli, tree: dict, tmp_path: Path) -> None:
    data = tmp_path / "data.npy"
    for name in ("images", "masks"):
        np.save(data.with_stem(name), open_volume(tmp_path / f"{name}.tif").numpy())
        tree["data"]["sets"][0][name] = f"{name}.npy"
    tree["pixel_size_nm"] = tree["data"]["sets"][0]["voxel_size_nm"] = None
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump(tree))
    code, _, err = run_cli("train", path, "-o", tmp_path / "run")
    assert code == 2
    assert "supervoxels are measured in nm" in err
