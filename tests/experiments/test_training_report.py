"""The page of a training from its run folder, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from chondria.config.recipe import Recipe
from chondria.experiments.training import train_recipe
from chondria.experiments.training_report import write_training_report


def recipe(folder: Path) -> Recipe:
    network = {"options": {"filters": 2, "levels": 2, "dropout": [0, 0, 0]}}
    one = {"voxel_size_nm": [30, 10, 10], "images": "images.npy", "masks": "masks.npy"}
    sets = [
        {"name": "blobs", "validation_slices": 2, "gap_slices": 1} | one,
        {"name": "again", "validation_axis": "x", "validation_slices": 24} | one,
    ]
    return Recipe.model_validate(
        {
            "name": "tiny",
            "pixel_size_nm": [10, 10],
            "network": network,
            "data": {"root": str(folder), "sets": sets},
            "training": {"steps": 4, "patch_px": 32, "batch": 2, "validate_every": 2},
            "citations": ["Somebody 2020."],
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, blobs) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    images, labels = (volume.numpy() for volume in blobs)
    np.save(folder / "images.npy", images)
    np.save(folder / "masks.npy", labels > 0)
    return train_recipe(recipe(folder), folder / "run", device="cpu").folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def data_of(page: str) -> dict:
    return json.loads(re.search(r'id="report-data">(.*?)</script>', page)[1])


def test_a_training_leaves_its_page(trained: Path) -> None:
    page = (trained / "report.html").read_text()
    assert re.findall(r'<section id="(\w+)"', page) == [
        *("curves", "validation", "scores", "threshold", "calibration", "tally", "data"),
        *("recipe", "model", "methods", "provenance"),
    ]
    blobs, again = data_of(page)["volumes"]
    assert (blobs["name"], blobs["z"]) == ("blobs", [6, 7])
    assert (again["name"], again["width"], len(again["z"])) == ("again", 24, 8)
    assert blobs["has"] == ["image", "probability", "truth", "found", "errors"]
    record = json.loads((trained / "run.json").read_text())
    hashes = [entry["images_sha256"] for entry in record["data"]]
    assert all(value in page for value in hashes)
    assert "Somebody 2020." in page
    assert "4 steps of batches of 2 random patches of 32 × 32 px" in page


def test_it_is_drawn_again_the_same(run_cli, run: Path) -> None:
    before = (run / "report.html").read_text()
    (run / "report.html").unlink()
    code, out, err = run_cli("report", run)
    assert code == 0, err
    assert out.strip() == str(run / "report.html")
    assert (run / "report.html").read_text() == before
    elsewhere = run.parent / "page.html"
    code, _, err = run_cli("report", run, "-o", elsewhere)
    assert code == 0, err
    assert elsewhere.read_text() == before


def test_slices_that_were_not_kept_are_missed_in_a_sentence(run: Path) -> None:
    shutil.rmtree(run / "validation")
    page = write_training_report(run).read_text()
    assert "keeps no validation slices" in page
    assert 'id="scores"' not in page
    assert data_of(page)["volumes"] == []


def test_a_history_that_was_resumed_claims_no_time(run: Path) -> None:
    assert ">time<" in (run / "report.html").read_text()
    lines = (run / "history.csv").read_text().splitlines()
    column = lines[0].split(",").index("seconds")
    cells = lines[1].split(",")
    cells[column] = "1e9"
    (run / "history.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert ">time<" not in write_training_report(run).read_text()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("model.safetensors", None, "There is no model.safetensors in"),
        ("history.csv", "a,b\n", "Found no steps in"),
        ("recipe.yaml", "a: [", "as YAML"),
        ("recipe.yaml", "a: 1", "Found no recipe"),
        ("run.json", "{", "as JSON"),
        ("validation/slices.json", "{", "without validation slices"),
    ],
)
def test_damage_is_one_sentence(run_cli, run: Path, file: str, text: str | None, said: str) -> None:
    before = (run / "report.html").read_text()
    if text is None:
        (run / file).unlink()
    else:
        (run / file).write_text(text)
    code, _, err = run_cli("report", run)
    assert code == 2
    assert said in " ".join(err.split())
    assert (run / "report.html").read_text() == before


def test_what_has_no_meaning_for_a_training_is_refused(run_cli, run: Path) -> None:
    code, _, err = run_cli("report", run, run, "-o", run.parent / "page.html")
    assert code == 2
    assert "which is no segmentation" in " ".join(err.split())
    image = run.parent / "image.npy"
    np.save(image, np.zeros((2, 4, 4), np.uint8))
    code, _, err = run_cli("report", run, "--image", image)
    assert code == 2
    assert "Found an image together with" in " ".join(err.split())
