"""Several seeds of one recipe: each run is the one it would be alone, and none is done twice."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from chondria.experiments.repeats import Repeats
from chondria.models import load_model


@pytest.fixture
def recipe(tmp_path: Path, blobs) -> Path:
    images, labels = (volume.numpy() for volume in blobs)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "masks.npy", (labels > 0) * np.uint8(255))
    tree = {
        "name": "tiny",
        "seed": 3,
        "network": {"options": {"filters": 2, "levels": 2, "dropout": [0.1, 0.1, 0.1]}},
        "data": {
            "root": str(tmp_path),
            "sets": [
                {
                    "name": "blobs",
                    "images": "images.npy",
                    "masks": "masks.npy",
                    "voxel_size_nm": [30, 10, 10],
                    "validation_slices": 2,
                }
            ],
        },
        "training": {"steps": 4, "patch_px": 32, "batch": 2, "validate_every": 2},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def weights(run: Path) -> list[bytes]:
    model = load_model(run / "model.safetensors")
    return [value.numpy().tobytes() for value in model.network.state_dict().values()]


def test_runs_at_once_are_those_of_runs_alone(run_cli, recipe: Path, tmp_path: Path) -> None:
    together, alone = tmp_path / "together", tmp_path / "alone"
    # As many as there are threads: each run computes with one.
    threads = max(2, torch.get_num_threads())
    code, out, err = run_cli(
        "train", recipe, "-o", together, "--runs", "2", "--at-once", threads, "--device", "cpu"
    )
    assert code == 0, err
    assert "seed-3: step 4/4" in err
    assert "seed-4: step 4/4" in err
    with (together / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["seed"]) for row in rows] == [3, 4]
    scores = [float(row["validation_iou"]) for row in rows]
    assert f"{np.mean(scores):.4f} \N{PLUS-MINUS SIGN} {np.std(scores, ddof=1):.4f} (n = 2" in out
    assert weights(together / "seed-3") != weights(together / "seed-4")
    said = json.loads((together / "seed-4" / "run.json").read_text())
    assert said["seed"] == 4
    assert said["command"][1] == "train"

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    code, _, err = run_cli("train", recipe, "-o", alone, "--set", "seed=4", "--device", "cpu")
    torch.set_num_threads(before)
    assert code == 0, err
    assert weights(alone) == weights(together / "seed-4")


def test_resuming_keeps_whole_runs_and_does_the_rest(run_cli, recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    command = ("train", recipe, "-o", folder, "--device", "cpu", "--runs")
    assert run_cli(*command, "2")[0] == 0
    kept, lost = folder / "seed-3" / "model.safetensors", folder / "seed-4" / "model.safetensors"
    expected, stamp = weights(folder / "seed-4"), kept.stat().st_mtime_ns
    lost.unlink()
    (folder / "runs.csv").unlink()
    code, _, err = run_cli(*command, "2")
    assert code == 2
    assert "already holds" in err
    code, out, err = run_cli(*command, "2", "--resume")
    assert code == 0, err
    assert kept.stat().st_mtime_ns == stamp
    assert weights(folder / "seed-4") == expected
    assert "(n = 2" in out
    assert (folder / "runs.csv").is_file()


def test_a_mistake_is_said_once_and_leaves_nothing(run_cli, recipe: Path, tmp_path: Path) -> None:
    command = ("train", recipe, "-o", tmp_path / "runs", "--device", "cpu", "--runs", "2")
    code, _, err = run_cli(*command, "--set", "network.name=unknown")
    assert code == 2
    assert "unknown" in err
    assert "Traceback" not in err
    assert not list((tmp_path / "runs").glob("seed-*"))


def test_the_summary_says_what_there_is() -> None:
    assert Repeats(Path(), [{"seed": 0.0}]).summary() == "n = 1; no validation slices"
    one = Repeats(Path(), [{"seed": 0.0, "validation_iou": 0.5}]).summary()
    assert one == "validation IoU 0.5000 (n = 1, from 0.5000 to 0.5000)"
