"""`chondria measure`: from files to tables, and one sentence for what is wrong."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from chondria.io import save_volume
from chondria.volume import Volume


@pytest.fixture
def files(blobs, tmp_path: Path, monkeypatch) -> Path:
    """A folder with image.tif, labels.tif and probability.npy."""
    monkeypatch.chdir(tmp_path)
    image, labels = blobs
    save_volume(image, "image.tif")
    save_volume(labels, "labels.tif")
    save_volume(labels.with_data((labels.numpy() > 0).astype(np.float32) * 0.75), "probability.npy")
    return tmp_path


def test_a_table_with_everything(run_cli, files: Path) -> None:
    given = ("--image", "image.tif", "--probability", "probability.npy")
    code, out, err = run_cli("measure", "labels.tif", *given, "-o", "objects.csv")
    assert code == 0, err
    assert "4 mitochondria" in out
    assert out.strip().endswith("objects.csv")
    with (files / "objects.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert {row["mean_probability"] for row in rows} == {"0.75"}
    assert all(float(row["grey_mean"]) < float(row["shell_grey_mean"]) for row in rows)
    said = json.loads((files / "objects.volume.json").read_text())
    assert said["volume"]["objects"] == 4
    assert said["voxel_size_nm"] == [30, 10, 10]
    assert said["columns"]["surface_um2"]["unit"] == "µm²"
    assert set(said["columns"]) == set(rows[0])


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx"])
def test_other_formats(run_cli, files: Path, name: str) -> None:
    pytest.importorskip({"t.parquet": "pyarrow", "t.xlsx": "openpyxl"}[name])
    code, _, err = run_cli("measure", "labels.tif", "-o", name)
    assert code == 0, err
    assert {"t.volume.json", name} <= {path.name for path in files.iterdir()}


def test_without_an_output_nothing_is_written(run_cli, files: Path) -> None:
    before = sorted(files.iterdir())
    code, out, _ = run_cli("measure", "labels.tif")
    assert code == 0
    assert "fraction" in out
    code, out, _ = run_cli(
        "measure", "labels.tif", "--image", "image.tif", "-o", "t.csv", "--dry-run"
    )
    assert code == 0
    assert out.strip() == "would measure labels.tif, with image, into t.csv"
    assert sorted(files.iterdir()) == before


def test_a_mask_is_numbered_first(run_cli, files: Path, blobs) -> None:
    mask = (blobs[1].numpy() > 0).astype(np.uint8) * 255
    save_volume(blobs[1].with_data(mask), "mask.tif")
    code, out, err = run_cli("measure", "mask.tif")
    assert code == 0
    assert "1 mitochondria" in out
    assert "4 parts: if this is a mask, give --mask" in err
    code, out, _ = run_cli("measure", "mask.tif", "--mask")
    assert "4 mitochondria" in out


def test_a_run_folder_gives_labels_and_probabilities(run_cli, files: Path) -> None:
    run = files / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    (files / "labels.tif").rename(run / "labels.tif")
    (files / "probability.npy").rename(run / "probability.npy")
    code, _, err = run_cli("measure", run, "-o", "t.csv")
    assert code == 0, err
    assert "mean_probability" in (files / "t.csv").read_text().splitlines()[0]


def test_a_single_slice_and_no_object(run_cli, files: Path) -> None:
    save_volume(Volume(np.zeros((1, 9, 9), np.uint8), (5.0, 5.0, 5.0)), "none.tif")
    code, out, err = run_cli("measure", "none.tif", "-o", "none.csv")
    assert code == 0, err
    assert "0 mitochondria" in out
    assert "µm²" in out
    assert (files / "none.csv").read_text().startswith("id,voxels,area_um2")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing.tif",), "nothing.tif"),
        (("bare.npy",), "no voxel size in 'bare.npy'.*--voxel-size"),
        (("labels.tif", "--image", "bare.npy"), "label map of shape.*the image of shape"),
        (("labels.tif", "-o", "objects.ods"), r"'\.ods'.*\.csv, \.parquet, \.xlsx"),
        (("labels.tif", "-o", "notes.csv"), "notes.csv' exists already"),
        (("image.tif",), "numbers that change from pixel to pixel"),
        (("probability.npy",), "whole numbers"),
        (("labels.tif", "--image", "image.tif", "--shell", "0"), "shell of 0 nm"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(run_cli, files: Path, arguments, sentence) -> None:
    np.save("bare.npy", np.ones((2, 3, 3), np.uint8))
    (files / "notes.csv").write_text("mine")
    before = sorted(files.iterdir())
    code, out, err = run_cli("measure", *arguments)
    assert code == 2
    assert not out
    assert re.search(sentence, err)
    assert "Traceback" not in err
    assert sorted(files.iterdir()) == before
    assert (files / "notes.csv").read_text() == "mine"


def test_an_output_is_replaced_only_when_told(run_cli, files: Path) -> None:
    (files / "t.csv").write_text("mine")
    code, _, err = run_cli("measure", "labels.tif", "-o", "t.csv", "--overwrite")
    assert code == 0, err
    assert (files / "t.csv").read_text().startswith("id,")
