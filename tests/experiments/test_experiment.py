"""Experiments from a recipe to a table: whole runs are kept, and what is compared is named."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

# In one process, as its experiment takes long to make and is shared.
pytestmark = pytest.mark.xdist_group("experiment")


@pytest.fixture
def recipe(tmp_path: Path, blobs) -> Path:
    images, labels = (volume.numpy() for volume in blobs)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "masks.npy", (labels > 0) * np.uint8(255))
    files = {"images": "images.npy", "masks": "masks.npy", "voxel_size_nm": [30, 10, 10]}
    tree = {
        "name": "tiny",
        "title": "A tiny table",
        "runs": 2,
        "metrics": ["iou", "boundary_hausdorff95_nm"],
        "recipe": {
            "network": {"options": {"filters": 2, "levels": 2, "dropout": [0, 0, 0]}},
            "data": {
                "root": str(tmp_path),
                "sets": [{"name": "blobs", "validation_slices": 2, **files}],
            },
            "training": {"steps": 4, "patch_px": 32, "batch": 2, "validate_every": 2},
        },
        "test": files,
        "steps": [{"name": "plain"}, {"name": "d4", "tta": "d4", "threshold": 0.4}],
        "rows": [
            {"name": "U-Net", "published": {"plain": {"iou": [0.87, 0.01]}}},
            {"name": "ResUNet", "set": {"network.name": "resunet"}},
        ],
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def done(run_cli, recipe: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    code, out, err = run_cli("experiment", recipe, "-o", folder, "--device", "cpu")
    assert code == 0, err
    assert "0.8700 ± 0.0100" in out
    assert "U-Net, seed-1: step 4/4" in err
    return folder


def test_an_experiment_ends_in_a_table_and_goes_on_where_it_stopped(
    run_cli, recipe: Path, done: Path
) -> None:
    rows = table(done)
    assert [(row["row"], row["step"], row["metric"]) for row in rows] == [
        (row, step, metric)
        for row in ("U-Net", "ResUNet")
        for step in ("plain", "d4")
        for metric in ("iou", "boundary_hausdorff95_nm")
    ]
    scores = [
        json.loads((done / "u-net" / f"seed-{seed}" / "scores.json").read_text())["steps"]
        for seed in (0, 1)
    ]
    ious = [one["plain"]["scores"]["iou"] for one in scores]
    assert float(rows[0]["mean"]) == pytest.approx(np.mean(ious))
    assert float(rows[0]["sd"]) == pytest.approx(np.std(ious, ddof=1))
    assert float(rows[0]["low"]) <= np.mean(ious) <= float(rows[0]["high"])
    assert float(rows[0]["published_mean"]) == 0.87
    assert scores[0]["d4"]["settings"]["threshold"] == 0.4
    page = (done / "table.html").read_text()
    assert "A tiny table" in page
    for run in ("u-net/seed-0", "u-net/seed-1", "resunet/seed-0", "resunet/seed-1"):
        assert (done / run / "report.html").is_file()
        assert f'<a href="{run}/report.html">' in page

    # Two of four runs are lost, as if it had been killed.
    before = (done / "table.csv").read_bytes()
    kept = done / "u-net" / "seed-0" / "scores.json"
    stamp = kept.stat().st_mtime_ns
    for lost in ("u-net/seed-1", "resunet/seed-1"):
        shutil.rmtree(done / lost)
    (done / "table.csv").unlink()
    again = ("experiment", recipe, "-o", done, "--device", "cpu")
    code, _, err = run_cli(*again)
    assert code == 0, err
    assert "U-Net, seed-0: step" not in err
    assert (done / "table.csv").read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp

    # One row with more runs; another recipe is refused.
    code, _, err = run_cli(*again, "--only", "ResUNet", "--runs", "3")
    assert code == 0, err
    assert {(row["row"], row["n"]) for row in table(done)} == {("U-Net", "2"), ("ResUNet", "3")}
    code, _, err = run_cli(*again, "--set", "training.steps=5")
    assert code == 2
    assert "was begun with another recipe" in err

    code, out, err = run_cli("compare", f"{done / 'u-net'}@d4", f"{done / 'u-net'}@plain")
    assert code == 0, err
    assert "2 models scored both ways on 1 blocks" in out
    code, out, _ = run_cli("compare", f"{done / 'u-net'}@plain", f"{done / 'resunet'}@plain")
    assert code == 0
    assert out.startswith("No evidence that")
    assert "n = 2 and 3 runs" in out
    for name, sentence in (
        (done, "several rows"),
        (done / "u-net", "write FOLDER@STEP with one of: plain, d4"),
        (f"{done / 'u-net'}@x", "no step 'x'"),
        (done / "u-net" / "seed-0", "no scores"),
    ):
        code, _, err = run_cli("compare", name, f"{done / 'resunet'}@plain")
        assert code == 2
        assert sentence in err


def test_a_step_more_is_scored_with_the_weights_as_they_are(
    run_cli, recipe: Path, done: Path
) -> None:
    before = json.loads((done / "u-net" / "seed-0" / "scores.json").read_text())["steps"]
    weights = (done / "u-net" / "seed-0" / "model.safetensors").stat().st_mtime_ns
    tree = yaml.safe_load(recipe.read_text())
    tree["steps"].append({"name": "high", "threshold": 0.9})
    tree["metrics"] = ["voc"]
    grown = recipe.with_name("grown.yaml")
    grown.write_text(yaml.safe_dump(tree))
    code, _, err = run_cli("experiment", grown, "-o", done, "--device", "cpu", "--only", "U-Net")
    assert code == 0, err
    assert "step 4/4" not in err
    assert (done / "u-net" / "seed-0" / "model.safetensors").stat().st_mtime_ns == weights
    assert [(row["step"], row["metric"]) for row in table(done)] == [
        (step, "voc") for step in ("plain", "d4", "high")
    ]
    now = json.loads((done / "u-net" / "seed-0" / "scores.json").read_text())["steps"]
    assert now["plain"] == before["plain"]
    assert now["high"]["settings"]["threshold"] == 0.9


def test_a_smoke_run_needs_no_data_and_says_so(run_cli, recipe: Path, tmp_path: Path) -> None:
    for name in ("images.npy", "masks.npy"):
        (tmp_path / name).unlink()
    steps = {
        "oztel": {"spurious_probability": 0.8, "refine_boundaries_px": 3, "z_median_nm": 45},
        "blended": {"blending": "spline", "window_px": 64, "zy_median_px": 5},
    }
    named = [{"name": name} | fields for name, fields in ({"plain": {}} | steps).items()]
    recipe.write_text(yaml.safe_dump(yaml.safe_load(recipe.read_text()) | {"steps": named}))
    folder = tmp_path / "smoke"
    code, out, err = run_cli(
        "experiment", recipe, "-o", folder, "--device", "cpu", "--smoke", "--only", "U-Net"
    )
    assert code == 0, err
    assert "SMOKE, NO RESULT" in out
    assert (folder / "table.md").read_text().startswith("# SMOKE, NO RESULT: A tiny table")
    assert {row["n"] for row in table(folder)} == {"1"}
    scores = json.loads((folder / "u-net" / "seed-0" / "scores.json").read_text())["steps"]
    for name, fields in steps.items():
        assert fields.items() <= scores[name]["settings"].items()


def test_mistakes_and_a_dry_run_write_nothing(run_cli, recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    code, _, err = run_cli("experiment", recipe, "-o", folder, "--only", "VNet")
    assert code == 2
    assert "no row 'VNet'" in err
    assert "U-Net; ResUNet" in err
    code, out, _ = run_cli("experiment", recipe, "-o", folder, "--dry-run", "--runs", "7")
    assert code == 0
    assert "U-Net: 7 runs" in out
    assert not folder.exists()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("metrics", ["iou", "jaccard"], "no metric 'jaccard'; there are: iou"),
        ("test", {"images": "images.npy", "masks": "none.npy"}, "none.npy"),
    ],
)
def test_what_would_fail_after_training_is_refused_before(
    run_cli, recipe: Path, tmp_path: Path, key, value, sentence
) -> None:
    recipe.write_text(yaml.safe_dump(yaml.safe_load(recipe.read_text()) | {key: value}))
    code, _, err = run_cli("experiment", recipe, "-o", tmp_path / "none", "--device", "cpu")
    assert code == 2
    assert sentence in err
    assert not (tmp_path / "none").exists()


def test_a_row_may_have_a_test_of_its_own_or_only_show_what_was_published(
    run_cli, recipe: Path, tmp_path: Path
) -> None:
    tree = yaml.safe_load(recipe.read_text())
    images, masks = (np.load(tmp_path / f"{name}.npy") for name in ("images", "masks"))
    np.save(tmp_path / "half.npy", images[:2])
    np.save(tmp_path / "half_masks.npy", masks[:2])
    half = tree["test"] | {"images": "half.npy", "masks": "half_masks.npy"}
    tree |= {"runs": 1, "test": tree["test"] | {"images": "none.npy"}}
    tree["rows"] = [
        {"name": "half", "test": half, "steps": ["plain"]},
        {"name": "theirs", "trained": False, "published": {"plain": {"iou": 0.9}}},
    ]
    recipe.write_text(yaml.safe_dump(tree))
    folder = tmp_path / "runs"
    code, out, err = run_cli("experiment", recipe, "-o", folder, "--device", "cpu")
    assert code == 0, err
    ours, _, theirs = table(folder)
    assert (ours["row"], ours["step"], ours["n"]) == ("half", "plain", "1")
    assert (theirs["row"], theirs["n"], theirs["mean"]) == ("theirs", "0", "")
    assert theirs["published_mean"] == "0.9"
    assert "0.9000" in out
    assert not (folder / "theirs").exists()
