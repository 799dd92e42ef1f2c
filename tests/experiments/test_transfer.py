"""A transfer ends in matrices, goes on where it stopped, and matching makes models fit."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from chondria.config.transfer import Transfer, load_transfer
from chondria.data.phantom import make_phantom
from chondria.experiments.transfer import run_transfer, transfer_matrix
from chondria.models import load_model

NAMES = ("fine", "coarse")


@pytest.fixture
def recipe(tmp_path: Path, blobs) -> Path:
    """Blobs at 10 nm, and the same at 5 nm; both in one stack for training and test."""
    images, labels = (volume.numpy() for volume in blobs)
    for name, times in zip(NAMES, (2, 1), strict=True):
        finer = [array.repeat(times, 1).repeat(times, 2) for array in (images, labels)]
        np.save(tmp_path / f"{name}.npy", finer[0])
        np.save(tmp_path / f"{name}-masks.npy", (finer[1] > 0) * np.uint8(255))
    tree = {
        "name": "tiny",
        "title": "A tiny matrix",
        "runs": 2,
        "metrics": ["iou", "det"],
        "matching": ["with"],
        "recipe": {
            "network": {"options": {"filters": 2, "levels": 2, "dropout": [0, 0, 0]}},
            "data": {"root": str(tmp_path)},
            "training": {"steps": 4, "patch_px": 32, "batch": 2, "validate_every": 2},
        },
        "sets": [
            {
                "name": name,
                "voxel_size_nm": [30, size, size],
                "train": {
                    "images": f"{name}.npy",
                    "masks": f"{name}-masks.npy",
                    "slices": [0, 4],
                    "validation_slices": 1,
                },
                "test": {
                    "images": f"{name}.npy",
                    "masks": f"{name}-masks.npy",
                    "slices": [6, 7],
                },
            }
            for name, size in zip(NAMES, (5, 10), strict=True)
        ],
        "published": {"iou": {"fine": {"coarse": 0.0044}}},
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def matrix(folder: Path, metric: str = "iou", name: str = "with") -> dict[tuple[str, str], dict]:
    with (folder / "matrix.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["metric"] == metric]
    return {(row["test"], row["train"]): row for row in rows if row["matrix"] == name}


def run_scores(folder: Path, train: str, seed: int) -> dict:
    return json.loads((folder / "with" / train / f"seed-{seed}" / "scores.json").read_text())


def test_from_files_to_matrices_and_on_where_it_stopped(
    run_cli, recipe: Path, tmp_path: Path, in_this_process
) -> None:
    folder = tmp_path / "runs"
    command = ("transfer", recipe, "-o", folder, "--device", "cpu")
    code, out, err = run_cli(*command)
    assert code == 0, err
    assert "iou, with matching, n = 2; [published]" in out
    assert "[0.0044]" in out
    # Every model once before any a second time.
    assert [name[-6:] for name in in_this_process] == ["seed-0"] * 2 + ["seed-1"] * 2
    cells = matrix(folder)
    for test in NAMES:
        for train in NAMES:
            ious = [run_scores(folder, train, seed)[test]["scores"]["iou"] for seed in (0, 1)]
            assert float(cells[test, train]["mean"]) == pytest.approx(np.mean(ious))
            assert float(cells[test, train]["sd"]) == pytest.approx(np.std(ious, ddof=1))
    assert cells["fine", "coarse"]["published"] == "0.0044"
    model = load_model(folder / "with" / "fine" / "seed-0" / "model.safetensors")
    assert model.card.pixel_size_nm == (5, 5)
    for name in ("matrix.md", "matrix.html", "matrix.png", "slices-with.png"):
        assert (folder / name).stat().st_size > 100

    # One run is lost, and of another the scores on one set: those are done, and nothing else.
    before = (folder / "matrix.csv").read_bytes()
    shutil.rmtree(folder / "with" / "coarse" / "seed-1")
    stored = folder / "with" / "fine" / "seed-0" / "scores.json"
    kept = json.loads(stored.read_text())
    stored.write_text(json.dumps({"coarse": kept["coarse"]}))
    models = {path: path.stat().st_mtime_ns for path in folder.glob("**/model.safetensors")}
    code, _, err = run_cli(*command)
    assert code == 0, err
    assert (folder / "matrix.csv").read_bytes() == before
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in models.items())
    assert json.loads(stored.read_text()) == kept

    # Another recipe is refused; another metric of the same runs is not.
    code, _, err = run_cli(*command, "--set", "training.steps=5")
    assert code == 2
    assert "holds another transfer" in err
    tree = yaml.safe_load(recipe.read_text())
    recipe.write_text(yaml.safe_dump(tree | {"metrics": ["voc"], "published": {}}))
    assert run_cli(*command)[0] == 0
    assert matrix(folder, "voc")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in models.items())


def test_some_sets_first_and_the_others_later(
    run_cli, recipe: Path, tmp_path: Path, in_this_process
) -> None:
    folder = tmp_path / "runs"
    command = ("transfer", recipe, "-o", folder, "--device", "cpu", "--runs", "1")
    (tmp_path / "coarse.npy").rename(tmp_path / "away.npy")
    code, _, err = run_cli(*command, "--only", "fine")
    assert code == 0, err
    assert in_this_process == ["fine with matching, seed-0"]
    cells = matrix(folder)
    assert cells["fine", "fine"]["n"] == "1"
    assert cells["coarse", "fine"]["n"] == cells["fine", "coarse"]["n"] == "0"
    code, _, err = run_cli(*command)
    assert code == 2
    assert "coarse.npy" in err
    (tmp_path / "away.npy").rename(tmp_path / "coarse.npy")
    assert run_cli(*command)[0] == 0
    assert {cell["n"] for cell in matrix(folder).values()} == {"1"}


def test_a_smoke_run_needs_no_data_and_says_so(run_cli, recipe: Path, tmp_path: Path) -> None:
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    folder = tmp_path / "smoke"
    command = ("transfer", recipe, "-o", folder, "--device", "cpu", "--smoke", "--only", "fine")
    code, out, err = run_cli(*command)
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out
    assert "fine with matching, seed-0: step 2/2" in err
    assert (folder / "matrix.md").read_text().startswith("# SMOKE, NO RESULT: A tiny matrix")
    assert matrix(folder)["fine", "fine"]["n"] == "1"


def test_mistakes_and_a_dry_run_write_nothing(run_cli, recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    command = ("transfer", recipe, "-o", folder, "--device", "cpu")
    code, _, err = run_cli(*command, "--only", "medium")
    assert code == 2
    assert "no set 'medium' in 'tiny'; there are: fine; coarse" in err
    code, out, _ = run_cli(*command, "--dry-run", "--runs", "7")
    assert code == 0
    assert "fine with matching: 7 runs" in out
    tree = yaml.safe_load(recipe.read_text())
    recipe.write_text(yaml.safe_dump(tree | {"metrics": ["jaccard"], "published": {}}))
    code, _, err = run_cli(*command)
    assert code == 2
    assert "no metric 'jaccard'" in err
    tree["sets"][0]["test"]["slices"] = [6, 8]
    recipe.write_text(yaml.safe_dump(tree))
    code, _, err = run_cli(*command)
    assert code == 2
    assert "slices 6 to 8" in err
    assert not folder.exists()


def test_rows_are_tested_on_and_columns_learned_from(recipe: Path) -> None:
    transfer = load_transfer(recipe)
    runs = {
        "fine": [{"fine": {"iou": 0.9}, "coarse": {"iou": 0.2}}, {"fine": {"iou": 0.7}}],
        "coarse": [{"fine": {"iou": None}}],
    }
    found = transfer_matrix(transfer, "with", "iou", runs)
    np.testing.assert_array_equal(found.n, [[2, 1], [1, 0]])
    np.testing.assert_allclose(found.mean, [[0.8, np.nan], [0.2, np.nan]])
    np.testing.assert_allclose(found.sd[0, 0], 0.1 * 2**0.5)
    assert np.isfinite(found.sd).sum() == 1
    assert found.published[0, 1] == 0.0044
    assert np.isnan(transfer_matrix(transfer, "without", "iou", runs).published).all()


@pytest.mark.slow
def test_matching_makes_a_model_fit_another_microscope(tmp_path: Path, in_this_process) -> None:
    """One tissue at 10 nm and, darker and flatter, at 20 nm."""
    sets = []
    for name, size, side in (("fine", 10, 256), ("coarse", 20, 128)):
        for use, seed in (("train", 1), ("test", 2)):
            phantom = make_phantom((4, side, side), (40, size, size), seed=seed)
            grey = phantom.image.numpy()
            grey = grey if name == "fine" else (20 + 0.4 * grey).round().astype(np.uint8)
            np.save(tmp_path / f"{name}-{use}.npy", grey)
            np.save(tmp_path / f"{name}-{use}-masks.npy", phantom.labels.numpy() > 0)
        files = {
            use: {"images": f"{name}-{use}.npy", "masks": f"{name}-{use}-masks.npy"}
            for use in ("train", "test")
        }
        sets.append({"name": name, "voxel_size_nm": [40, size, size], **files})
    transfer = Transfer.model_validate(
        {
            "name": "phantoms",
            "runs": 1,
            "metrics": ["iou"],
            "recipe": {
                "network": {"options": {"filters": 8, "levels": 3, "dropout": [0] * 4}},
                "data": {"root": str(tmp_path)},
                "augmentation": {"set": "custom", "change": {"elastic_probability": 0}},
                "training": {
                    "steps": 500,
                    "patch_px": 96,
                    "batch": 4,
                    "rate": 5e-3,
                    "clip_norm": 1.0,
                },
            },
            "sets": sets,
        }
    )
    found = run_transfer(transfer, tmp_path / "runs", device="cpu")
    matched, plain = (matrix.mean for matrix in found.matrices)
    across = ~np.eye(2, dtype=bool)
    assert matched.diagonal().min() > 0.5
    assert (matched[across] > plain[across] + 0.2).all()
