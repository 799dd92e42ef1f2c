"""Experiments with classifiers: tables, resuming, mistakes."""

import csv
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from chondria.data.made_up import made_up_digits, made_up_pictures


def write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.tobytes())


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    files = {}
    for part, seed in (("train", 0), ("test", 1)):
        for name, array in zip(("images", "labels"), made_up_digits(80, seed), strict=True):
            write_idx(tmp_path / f"{part}-{name}", array)
            files[f"{part}_{name}"] = f"{part}-{name}"
    tree = {
        "kind": "classification",
        "name": "digits",
        "runs": 2,
        "recipe": {
            "root": str(tmp_path),
            "data": {"format": "idx", **files},
            "validation_images": 20,
            "epochs": 3,
            "batch": 10,
            "rate": 0.1,
        },
        "rows": [
            {"name": "small", "set": {"options": {"hidden": 4}}},
            {"name": "large", "published": {"accuracy": 0.8957, "loss": 0.3726}},
        ],
    }
    path = tmp_path / "digits.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_runs_end_in_a_table_and_are_not_repeated(
    run_cli, recipe: Path, tmp_path: Path, in_this_process
) -> None:
    folder = tmp_path / "runs"
    again = ("experiment", recipe, "-o", folder, "--at-once", "1")
    code, out, err = run_cli(*again)
    assert code == 0, err
    assert "0.8957" in out
    lines = table(folder)
    assert [(line["row"], line["metric"], line["n"]) for line in lines] == [
        (row, metric, "2") for row in ("small", "large") for metric in ("accuracy", "loss")
    ]
    run = folder / "large" / "seed-1"
    matrix = np.loadtxt(run / "confusion.csv", delimiter=",", skiprows=0)
    assert matrix.shape == (10, 10)
    assert matrix.sum() == 80
    for name in ("confusion.png", "mistakes.png"):
        assert np.asarray(Image.open(run / name)).std() > 10
    before, kept = (folder / "table.csv").read_bytes(), run / "scores.json"
    stamp = kept.stat().st_mtime_ns
    (folder / "small" / "seed-0" / "scores.json").unlink()
    code, _, err = run_cli(*again)
    assert code == 0, err
    assert (folder / "table.csv").read_bytes() == before
    assert kept.stat().st_mtime_ns == stamp
    code, _, err = run_cli("compare", folder / "small", folder / "large")
    assert code == 2
    assert "Found runs of a classification" in err
    code, _, err = run_cli(*again, "--set", "epochs=4")
    assert code == 2
    assert "holds another classification" in err


def test_pictures_in_folders(run_cli, recipe: Path, tmp_path: Path) -> None:
    for number, (image, label) in enumerate(zip(*made_up_pictures(24, (40, 50), 0), strict=True)):
        place = tmp_path / "photos" / ("box" if label else "disc")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    tree = yaml.safe_load(recipe.read_text())
    tree["recipe"] |= {
        "data": {
            "format": "pictures",
            "folder": "photos",
            "test_images": 10,
            "shape_yx": [32, 32],
        },
        "network": "pictures_cnn",
        "options": {"filters": 2, "hidden": 4, "image_shape": [3, 32, 32]},
        "validation_images": 4,
    }
    tree |= {"runs": 1, "rows": [{"name": "CNN"}]}
    recipe.write_text(yaml.safe_dump(tree))
    code, _, err = run_cli("experiment", recipe, "-o", tmp_path / "runs")
    assert code == 0, err
    matrix = (tmp_path / "runs" / "cnn" / "seed-0" / "confusion.csv").read_text()
    assert matrix.startswith("# box,disc")
    assert np.loadtxt(matrix.splitlines(), delimiter=",").sum() == 10
    again = ("experiment", recipe, "-o", tmp_path / "none", "--set", "data.test_images=24")
    code, _, err = run_cli(*again)
    assert code == 2
    assert "Found 24 pictures" in err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("epoch=3", "no setting 'epoch'; did you mean 'epochs'"),
        ("validation_images=80", "Found 80 images for 80 of validation"),
        ("training_images=61", "Found 80 images for 20 of validation and 61 to learn from"),
        ("network=mpl", "no classifier 'mpl'"),
        ("network=alexnet", r"shape (1, 28, 28) (C, Y, X) for a network that takes (3, 227, 227)"),
        ("options.classes=9", "Found 10 classes for a network of 9"),
        ("data.test_labels=none", "There is no file"),
    ],
)
def test_mistakes_are_said_in_a_sentence(run_cli, recipe, tmp_path, change, sentence) -> None:
    asked = ("experiment", recipe, "-o", tmp_path / "none", "--only", "large", "--at-once", "1")
    code, _, err = run_cli(*asked, "--runs", "1", "--set", change)
    assert code == 2
    assert sentence in err
    assert not (tmp_path / "none").exists()


def test_a_dry_run_writes_nothing_and_kinds_are_checked(run_cli, recipe, tmp_path) -> None:
    code, out, _ = run_cli("experiment", recipe, "-o", tmp_path / "none", "--dry-run")
    assert code == 0
    assert "large: 2 runs" in out
    assert not (tmp_path / "none").exists()
    recipe.write_text(recipe.read_text().replace("kind: classification", "kind: poetry"))
    code, _, err = run_cli("experiment", recipe, "-o", tmp_path / "none")
    assert code == 2
    assert "Found the kind 'poetry'" in err
