"""A study: fixed lengths, three volumes watched, tables and pictures, nothing done twice."""

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from chondria.experiments import overfitting


@pytest.fixture
def recipe(tmp_path: Path, blobs) -> Path:
    images, labels = (volume.numpy() for volume in blobs)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "masks.npy", (labels > 0) * np.uint8(255))
    files = {"images": "images.npy", "masks": "masks.npy", "voxel_size_nm": [30, 10, 10]}
    tree = {
        "name": "tiny",
        "title": "A tiny study",
        "runs": 2,
        "steps": [2, 4],
        "epoch_steps": 2,
        "watched_slices": 2,
        "recipe": {
            "network": {"options": {"filters": 2, "levels": 2, "dropout": [0, 0, 0]}},
            "data": {
                "root": str(tmp_path),
                "sets": [{"name": "blobs", "slices": [0, 4], "validation_slices": 1, **files}],
            },
            "training": {"patch_px": 32, "batch": 2, "validate_every": 2, "patience": 1},
        },
        "test": files | {"slices": [5, 7]},
        "published": [[0.01, 0.012, 0.04], [0.02, 0.018, 0.036], [0.013, 0.013, 0.038]],
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def test_from_files_to_curves_and_on_where_it_stopped(
    run_cli, recipe: Path, tmp_path: Path, in_this_process
) -> None:
    folder = tmp_path / "study"
    command = ("study", "overfitting", recipe, "-o", folder, "--device", "cpu")
    code, out, err = run_cli(*command)
    assert code == 0, err
    assert in_this_process == [
        "2 steps, seed-2000",
        "2 steps, seed-2001",
        "4 steps, seed-4000",
        "4 steps, seed-4001",
    ]
    ends = rows(folder / "runs.csv")
    assert [(row["length"], row["step"], row["epoch"]) for row in ends] == [
        (2, 2, 1),
        (2, 2, 1),
        (4, 4, 2),
        (4, 4, 2),
    ]
    assert len(rows(folder / "history.csv")) == 2 + 4
    tests = [row["test_loss"] for row in ends if row["length"] == 4]
    assert f"{np.mean(tests):.4f} ± {np.std(tests, ddof=1):.4f}" in out
    r = np.corrcoef([row["learned_loss"] for row in ends], [row["test_loss"] for row in ends])[0, 1]
    assert f"test loss with training loss: r = {r:+.3f}" in out
    page = (folder / "table.md").read_text(encoding="utf-8")
    assert "| epochs | n | training loss |" in page
    assert "published: r = -0.933 (-1.000 to +1.000, n = 3)" in page
    for name in ("curves.png", "correlation.png", "table.html"):
        assert (folder / name).stat().st_size > 100

    before = {name: (folder / name).read_bytes() for name in ("runs.csv", "table.md")}
    kept = folder / "steps-2" / "seed-2000" / "model.safetensors"
    stamp = kept.stat().st_mtime_ns
    shutil.rmtree(folder / "steps-4" / "seed-4001")
    assert run_cli(*command)[0] == 0
    assert kept.stat().st_mtime_ns == stamp
    again = {name: (folder / name).read_bytes() for name in before}
    assert again["table.md"] == before["table.md"]
    # One more run of each length is the same study; another batch is not.
    assert run_cli(*command, "--runs", "3")[0] == 0
    assert kept.stat().st_mtime_ns == stamp
    assert len(rows(folder / "runs.csv")) == 6
    code, _, err = run_cli(*command, "--set", "training.batch=3")
    assert code == 2
    assert "holds another study" in err


def test_what_is_watched_is_what_it_says(recipe: Path, tmp_path: Path) -> None:
    from chondria.config.overfitting import load_overfitting_study, study_recipe
    from chondria.experiments.training_data import load_training_data

    study = load_overfitting_study(recipe)
    settings = study_recipe(study, 4)
    data = load_training_data(settings, tmp_path)
    learned, test = overfitting._watched(study.test, 2, settings, data, tmp_path)
    assert (learned.name, test.name) == ("learned", "test")
    assert learned.split.validation == [0, 3]
    assert test.split.validation == [0, 2]
    images = np.load(tmp_path / "images.npy")
    np.testing.assert_array_equal(learned.images[3], images[3])
    np.testing.assert_array_equal(test.images[2], images[7])
    assert not len(learned.split.train)
    assert not len(test.split.train)


def test_a_smoke_run_needs_no_data_and_says_so(
    run_cli, recipe: Path, tmp_path: Path, in_this_process
) -> None:
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    folder = tmp_path / "smoke"
    command = ("study", "overfitting", recipe, "-o", folder, "--device", "cpu", "--smoke")
    code, out, err = run_cli(*command)
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out
    assert (folder / "table.md").read_text().startswith("# SMOKE, NO RESULT: A tiny study")
    assert [row["length"] for row in rows(folder / "runs.csv")] == [2, 4]
    assert all(math.isfinite(row["test_loss"]) for row in rows(folder / "runs.csv"))


def test_mistakes_and_a_dry_run_write_nothing(run_cli, recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    command = ("study", "overfitting", recipe, "-o", folder, "--device", "cpu")
    code, out, _ = run_cli(*command, "--dry-run", "--runs", "7")
    assert code == 0
    assert "4 steps: 7 runs" in out
    (tmp_path / "masks.npy").unlink()
    code, _, err = run_cli(*command)
    assert code == 2
    assert "masks.npy" in err
    assert not folder.exists()
