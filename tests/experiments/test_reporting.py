"""Reports of run folders: what is read, what is found missing, and what a comparison shows."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from chondria.errors import (
    FormatError,
    InputNotFoundError,
    OutputExistsError,
    SettingsError,
    ShapeError,
)
from chondria.evaluation.sheet import score
from chondria.experiments.reporting import record_scores, report, write_report
from chondria.experiments.run_reading import read_run, read_table
from chondria.io import data_hash, open_volume, save_volume
from chondria.morphometrics.table import measure_objects, write_objects_csv
from chondria.volume import Volume


def make_run(folder: Path, image: Volume, labels: Volume, where: Path, **settings: object) -> Path:
    """Write a run folder as `segment` does, without a network."""
    folder.mkdir(parents=True)
    save_volume(labels, folder / "labels.tif")
    save_volume(image.with_data((labels.numpy() > 0) * np.uint8(255)), folder / "probability.tif")
    write_objects_csv(measure_objects(labels), folder / "objects.csv")
    record = {
        "chondria": "0",
        "started": "2026-01-02T03:04:05+00:00",
        "image": str(where),
        "image_sha256": data_hash(image),
        "shape": image.shape,
        "voxel_size_nm": image.voxel_size_nm,
        "model": {"name": "tiny", "network": "unet"},
        "settings": {"threshold": 0.5, "dimensions": 3} | settings,
    }
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def data_of(page: Path) -> dict:
    text = page.read_text()
    block = re.search(r'id="report-data">(.*?)</script>', text)
    assert block
    return json.loads(block[1])


@pytest.fixture
def run(blobs, tmp_path: Path) -> Path:
    where = save_volume(blobs[0], tmp_path / "image.tif")
    return make_run(tmp_path / "run", *blobs, where)


def test_the_page_of_a_run(run_cli, run: Path, blobs, tmp_path: Path) -> None:
    code, out, err = run_cli("report", run)
    assert code == 0, err
    assert out.strip() == str(run / "report.html")
    data = data_of(run / "report.html")
    assert data["volumes"][0]["layers"][0]["ids"] == [1, 2, 3, 4]
    assert data["volumes"][0]["has"] == ["image", "probability", "labels"]
    table = measure_objects(blobs[1])
    names = data["objects"]["names"]
    assert names == list(table.columns)
    for name, column in zip(names, data["objects"]["columns"], strict=True):
        np.testing.assert_allclose(column, table[name], rtol=1e-9)
    text = (run / "report.html").read_text()
    assert f"<h1>4 mitochondria in {tmp_path.name}/image.tif</h1>" in text
    assert "8 × 56 × 72 voxels (z, y, x) of 30 × 10 × 10 nm" in text


def test_scores_bring_the_truth_into_the_page(run_cli, run: Path, blobs, tmp_path: Path) -> None:
    truth = save_volume(blobs[1], tmp_path / "truth.tif")
    code, _, err = run_cli("evaluate", run, truth, "--instances")
    assert code == 0, err
    metrics = json.loads((run / "metrics.json").read_text())
    assert {"metric": "iou", "value": 1.0}.items() <= metrics["rows"][0].items()
    assert [layer["key"] for layer in data_of(run / "report.html")["volumes"][0]["layers"]] == [
        "labels",
        "truth",
    ]
    assert 'id="scores"' in (run / "report.html").read_text()
    truth.unlink()
    assert len(data_of(write_report(run))["volumes"][0]["layers"]) == 1


def test_evaluation_may_leave_the_folder_alone(run_cli, run: Path, blobs, tmp_path: Path) -> None:
    truth = save_volume(blobs[1], tmp_path / "truth.tif")
    before = {path.name for path in run.iterdir()}
    assert run_cli("evaluate", run, truth, "--instances", "--no-report")[0] == 0
    assert {path.name for path in run.iterdir()} == before


def test_density_is_that_of_the_counting_frame(run: Path) -> None:
    assert "counting frame" not in write_report(run).read_text()
    said = {"volume": {"density_per_um3": 12.34, "volume_fraction_se": 0.0123}}
    (run / "objects.volume.json").write_text(json.dumps(said))
    text = write_report(run).read_text()
    assert "density (counting frame)" in text
    assert "12.34" in text
    assert "% ± 1.2" in text


def test_other_parts_are_shown_where_they_are(run: Path) -> None:
    bins = [{"mean_probability": 0.5, "frequency": 0.4, "count": 3, "low": 0.0, "high": 1.0}]
    curves = {"curves": [{"name": "voxels", "stage": "before", "bins": bins}]}
    (run / "calibration.json").write_text(json.dumps(curves))
    (run / "errors.json").write_text(json.dumps({"sentences": ["Four are five."], "rows": []}))
    (run / "worklist.csv").write_text("rank,kind,ids,z_px,y_px,x_px\n1,split,2 3,4,20,30\n")
    text = write_report(run).read_text()
    assert all(f'id="{key}"' in text for key in ("calibration", "errors", "worklist"))
    assert "Four are five." in text
    assert data_of(run / "report.html")["worklist"]["columns"][2] == ["2 3"]


def test_an_image_that_is_gone_or_another_is_said(run: Path, blobs, tmp_path: Path) -> None:
    image = tmp_path / "image.tif"
    image.rename(tmp_path / "moved.tif")
    page = write_report(run)
    assert "is not there (any more)" in page.read_text()
    assert data_of(page)["volumes"][0]["has"] == ["probability", "labels"]
    save_volume(blobs[0].with_data(255 - blobs[0].numpy()), image)
    assert "holds other pixels than the one that was segmented" in write_report(run).read_text()
    page = report([run], image=tmp_path / "moved.tif")
    assert data_of(page)["volumes"][0]["has"] == ["image", "probability", "labels"]
    assert "not found" not in page.read_text()


def test_bad_input(run_cli, run: Path, blobs, tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"no run\.json"):
        report([tmp_path / "nowhere"])
    with pytest.raises(SettingsError, match="with -o"):
        report([run, run])
    with pytest.raises(OutputExistsError):
        report([run], tmp_path)
    small = save_volume(Volume(blobs[0].numpy()[1:], (30.0, 10.0, 10.0)), tmp_path / "small.tif")
    with pytest.raises(ShapeError, match=r"\(7, 56, 72\)"):
        report([run], image=small)
    (run / "metrics.json").write_text("{")
    code, _, err = run_cli("report", run)
    assert (code, len(err.splitlines())) == (2, 1)
    (run / "metrics.json").write_text("[]")
    with pytest.raises(FormatError, match="object of JSON"):
        report([run])


@pytest.mark.parametrize("size", [None, (30.0, 10.0, 10.0)])
@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("value", [0, 1])
def test_nothing_and_everything(tmp_path: Path, size, slices: int, value: int) -> None:
    labels = Volume(np.full((slices, 20, 30), value, np.int32), size)
    image = labels.with_data(np.zeros((slices, 20, 30), np.uint8))
    run = make_run(tmp_path / "run", image, labels, save_volume(image, tmp_path / "image.tif"))
    text = write_report(run, image).read_text()
    assert ("No object was found" in text) == (value == 0)
    assert ("Nobody stated a voxel size" in text) == (size is None)


def test_large_identifiers_with_gaps(tmp_path: Path) -> None:
    values = np.zeros((2, 20, 30), np.uint64)
    values[0, 2:9, 2:9], values[1, 10:15, 10:20] = 7, 2**60
    labels = Volume(values, (30.0, 10.0, 10.0))
    image = labels.with_data(np.zeros(values.shape, np.uint8))
    run = make_run(tmp_path / "run", image, labels, tmp_path / "none.tif")
    layer = data_of(write_report(run, image))["volumes"][0]["layers"][0]
    assert layer["ids"] == [7, str(2**60)]
    assert [anchor[0] for anchor in layer["anchors"]] == [0, 1]


def test_scores_of_none_and_many(run: Path, blobs) -> None:
    empty = np.zeros((8, 56, 72), np.uint8)
    sheet = score(empty, empty, voxel_size_nm=(30.0, 10.0, 10.0))
    record_scores(run, sheet, "no/such/truth.tif")
    assert "Against such/truth.tif." in write_report(run).read_text()


def test_a_comparison(run_cli, run: Path, blobs, tmp_path: Path) -> None:
    fewer = blobs[1].with_data(np.where(blobs[1].numpy() == 4, 0, blobs[1].numpy()))
    other = make_run(tmp_path / "b" / "run", blobs[0], fewer, tmp_path / "image.tif", threshold=0.7)
    output = tmp_path / "both.html"
    code, out, err = run_cli("report", run, other, "-o", output)
    assert code == 0, err
    assert out.strip() == str(output)
    text, data = output.read_text(), data_of(output)
    layers = data["volumes"][0]["layers"]
    assert [(layer["kind"], layer["letter"]) for layer in layers] == [
        ("lines", "1"),
        ("lines", "2"),
    ]
    assert layers[1]["name"] == "b/run"
    assert "settings threshold" in text
    assert re.findall(r'<section id="(\w+)"', text) == [
        "figures",
        "differences",
        "measures",
        "slices",
    ]


def test_runs_of_different_images_have_no_slices(run: Path, blobs, tmp_path: Path) -> None:
    one = blobs[0].with_data(blobs[0].numpy()[:1])
    flat = blobs[1].with_data(blobs[1].numpy()[:1])
    other = make_run(tmp_path / "other", one, flat, tmp_path / "none.tif")
    page = report([run, other], tmp_path / "both.html")
    assert data_of(page)["volumes"] == []
    assert "of different images" in page.read_text()


def test_tables_are_read_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('a,b\n1,true\n2.5,\n"x,y",nan\n')
    found = read_table(path)
    assert found.rows[:2] == [[1, True], [2.5, None]]
    assert found.rows[2][0] == "x,y"
    path.write_text("a,b\n1\n")
    with pytest.raises(FormatError, match="different lengths"):
        read_table(path)
    path.write_text("")
    with pytest.raises(FormatError):
        read_table(path)


def test_a_run_is_read(run: Path) -> None:
    contents = read_run(run)
    assert contents.labels.shape == (8, 56, 72)
    assert contents.probability is not None
    assert not contents.metrics
    assert contents.worklist is None


def test_slices_in_files_of_their_own_are_found_again(run: Path, blobs, tmp_path: Path) -> None:
    folder = save_volume(blobs[0], tmp_path / "slices", "png-slices")
    record = json.loads((run / "run.json").read_text())
    record |= {
        "image": "0.png, 1.png, 2.png",
        "image_files": sorted(map(str, folder.glob("*.png"))),
    }
    (run / "run.json").write_text(json.dumps(record))
    assert "image" in data_of(write_report(run))["volumes"][0]["has"]


@pytest.mark.slow
def test_a_volume_of_165_slices(data_folder: Path, tmp_path: Path) -> None:
    from chondria.evaluation.objects import as_mask, connected_objects

    source = data_folder / "lucchi++" / "test"
    size = (5.0, 5.0, 5.0)
    image = open_volume(source / "images", size)
    labels = image.with_data(connected_objects(as_mask(open_volume(source / "labels").numpy())))
    run = make_run(tmp_path / "run", image, labels, source / "images")
    began = time.process_time()
    page = write_report(run)
    assert time.process_time() - began < 25
    assert page.stat().st_size < 25e6
    data = data_of(page)
    assert data["volumes"][0]["z"] == list(range(165))
    assert data["volumes"][0]["step"] == 1
