"""Every command from its arguments to its files."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chondria.data.phantom import Phantom, PhantomStyle, make_phantom
from chondria.io import FORMATS, format_suffix, open_volume, save_volume, volume_format
from chondria.models import DEFAULT_MODEL, bundled_models, load_model

IN_NM = ["centroid_z_nm", "centroid_y_nm", "centroid_x_nm"]


@pytest.fixture
def segment(run_cli, tiny_model: Path, tmp_path: Path):
    """Run `segment` with the tiny model; gives the run folder and what was said."""

    def segment(*arguments: object, output: str = "run") -> tuple[Path, str]:
        tail = ("--model", tiny_model, "--device", "cpu", "--precision", "fp32")
        code, out, err = run_cli("segment", *arguments, "-o", tmp_path / output, *tail)
        assert code == 0, err
        assert out.strip() == str(tmp_path / output / "report.html")
        return tmp_path / output, err

    return segment


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def record(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def objects(run: Path) -> list[dict[str, str]]:
    with (run / "objects.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_segment_tiff(segment, blobs, tmp_path: Path) -> None:
    image, truth = blobs
    run, err = segment(save_volume(image, tmp_path / "v.tif"))
    assert names(run) == {
        "labels.tif",
        "probability.tif",
        "objects.csv",
        "objects.volume.json",
        "overview.png",
        "report.html",
        "run.json",
    }
    assert "WARNING" not in err
    assert "4 mitochondria" in err
    labels, probability = open_volume(run / "labels.tif"), open_volume(run / "probability.tif")
    assert labels.voxel_size_nm == probability.voxel_size_nm == (30, 10, 10)
    assert probability.dtype == np.uint8
    found, true = labels.numpy(), truth.numpy()
    np.testing.assert_array_equal(found > 0, true > 0)
    assert sorted(np.unique(found)) == [0, 1, 2, 3, 4]
    rows = objects(run)
    assert [int(row["id"]) for row in rows] == [1, 2, 3, 4]
    for row in rows:
        voxels = np.count_nonzero(found == int(row["id"]))
        assert int(row["voxels"]) == voxels
        assert float(row["volume_um3"]) == pytest.approx(voxels * 30 * 10 * 10 / 1e9)
    assert set(IN_NM) <= set(rows[0])


def test_segment_record(segment, blobs, tmp_path: Path, tiny_model: Path) -> None:
    from chondria import __version__
    from chondria.io import data_hash

    path = save_volume(blobs[0], tmp_path / "v.tif")
    run, _ = segment(path, "--threshold", "0.4")
    said = record(run)
    assert said["chondria"] == __version__
    assert {"torch", "numpy", "zarr", "tifffile"} <= set(said["packages"])
    assert said["command"][:3] == ["chondria", "segment", str(path)]
    assert said["image"] == str(path)
    assert said["image_sha256"] == data_hash(blobs[0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", said["started"])
    assert said["shape"] == [8, 56, 72]
    assert said["dtype"] == "uint8"
    assert said["voxel_size_nm"] == [30, 10, 10]
    assert said["model"]["name"] == "tiny"
    assert said["model"]["source"] == str(tiny_model)
    assert said["model"]["options"] == load_model(tiny_model).card.options
    assert said["precision"] == "fp32"
    assert said["device"].startswith("CPU")
    assert said["settings"]["threshold"] == 0.4
    assert said["objects"] == 4
    assert set(said["seconds"]) == {"predict", "postprocess", "measure", "trust", "write", "hash"}
    assert all(seconds >= 0 for seconds in said["seconds"].values())


def test_segment_without_voxel_size(segment, blobs, tmp_path: Path) -> None:
    image, truth = blobs
    np.save(tmp_path / "v.npy", image.numpy())
    run, err = segment(tmp_path / "v.npy")
    assert "WARNING" in err
    assert "--voxel-size Z,Y,X" in err
    assert record(run)["voxel_size_nm"] is None
    assert volume_format(run / "labels.npy") == "npy"
    np.testing.assert_array_equal(open_volume(run / "labels.npy").numpy() > 0, truth.numpy() > 0)
    columns = set(objects(run)[0])
    assert {"id", "voxels", "centroid_z_px"} <= columns
    assert not {name for name in columns if name.endswith(("nm", "um3", "um2"))}
    given, err = segment(tmp_path / "v.npy", "--voxel-size", "30,10,10", output="given")
    assert "WARNING" not in err
    assert record(given)["voxel_size_nm"] == [30, 10, 10]
    assert set(IN_NM) <= set(objects(given)[0])


def test_segment_folder_of_slices(segment, blobs, tmp_path: Path) -> None:
    image, truth = blobs
    folder = save_volume(image, tmp_path / "slices", "png-slices")
    run, _ = segment(folder)
    assert (run / "labels" / "0007.png").is_file()
    files = {"objects.csv", "objects.volume.json", "overview.png", "report.html", "run.json"}
    assert names(run) == {"labels", "probability", *files}
    labels = open_volume(run / "labels")
    assert labels.voxel_size_nm == (30, 10, 10)
    np.testing.assert_array_equal(labels.numpy() > 0, truth.numpy() > 0)


@pytest.mark.parametrize("format", ["png-slices", "tiff-slices"])
def test_segment_several_slices_in_natural_order(
    segment, blobs, tmp_path: Path, format: str
) -> None:
    image, truth = blobs
    suffix = {"png-slices": "png", "tiff-slices": "tif"}[format]
    folder = save_volume(image, tmp_path / "slices", format)
    files = sorted(folder.glob(f"*.{suffix}"))
    for z, file in enumerate(files):
        file.rename(folder / f"s{z + 5}.{suffix}")
    shuffled = sorted(folder.glob(f"*.{suffix}"))  # s10 before s5
    run, _ = segment(*shuffled, "--voxel-size", "30,10,10")
    assert volume_format(run / "labels") == format
    np.testing.assert_array_equal(open_volume(run / "labels").numpy() > 0, truth.numpy() > 0)


def test_segment_one_image(segment, blobs, tmp_path: Path) -> None:
    image, truth = blobs
    Image.fromarray(image.numpy()[3]).save(tmp_path / "v.png")
    run, _ = segment(tmp_path / "v.png", "--voxel-size", "30,10,10")
    assert names(run) >= {"labels.png", "probability.png"}
    labels = open_volume(run / "labels.png").numpy()
    np.testing.assert_array_equal(labels[0] > 0, truth.numpy()[3] > 0)
    for row in objects(run):
        assert float(row["area_um2"]) == pytest.approx(int(row["voxels"]) * 1e-4)


@pytest.mark.parametrize("format", [key for key in FORMATS if key != "png"])
def test_segment_keeps_the_format_or_takes_another(
    segment, blobs, tmp_path: Path, format: str
) -> None:
    image, truth = blobs
    path = save_volume(image, tmp_path / f"v{format_suffix(format)}", format)
    for output, options in (("same", ()), ("other", ("--format", "nifti"))):
        run, _ = segment(path, *options, output=output)
        labels = run / f"labels{format_suffix('nifti' if options else format)}"
        assert volume_format(labels) == ("nifti" if options else format)
        np.testing.assert_array_equal(open_volume(labels).numpy() > 0, truth.numpy() > 0)


def test_segment_overview(segment, blobs, tmp_path: Path) -> None:
    run, _ = segment(save_volume(blobs[0], tmp_path / "v.tif"))
    with Image.open(run / "overview.png") as picture:
        # Two columns and two rows of slices, nine times enlarged.
        assert picture.size == (2 * (9 * 72 + 12) + 12, 2 * (9 * 56 + 38) + 38)
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    assert np.any(np.ptp(colours, axis=1) > 150)  # the outlines


def test_segment_dry_run(run_cli, blobs, tiny_model: Path, tmp_path: Path) -> None:
    path = save_volume(blobs[0], tmp_path / "v.tif")
    output = tmp_path / "run"
    code, out, _ = run_cli("segment", path, "-o", output, "--model", tiny_model, "--dry-run")
    assert code == 0
    assert out == f"would segment (8, 56, 72) voxels into {output} as tiff\n"
    assert names(tmp_path) == {"v.tif"}


def test_segment_options_change_the_result(segment, blobs, tmp_path: Path) -> None:
    path = save_volume(blobs[0], tmp_path / "v.tif")
    few, _ = segment(path, "--smallest", "150", output="few")
    assert record(few)["objects"] == 3  # one ball is 120 nm wide
    flat, _ = segment(path, "--dimensions", "2", output="flat")
    labels = open_volume(flat / "labels.tif").numpy()
    assert all(np.ptp(np.nonzero(labels == n)[0]) == 0 for n in range(1, labels.max() + 1))
    assert record(flat)["objects"] > 10
    tta, _ = segment(path, "--tta", "d4", output="tta")
    assert record(tta)["settings"]["tta"] == "d4"
    assert record(tta)["objects"] == 4
    options = ("--blending", "spline", "--spurious", "0.8", "--refine", "2", "--zy-median", "3")
    options += ("--separate", "--neck-ratio", "0.4")
    steps, _ = segment(path, *options, output="steps")
    expected = {
        "blending": "spline",
        "spurious_probability": 0.8,
        "refine_boundaries_px": 2,
        "zy_median_px": 3,
        "separate": True,
        "neck_ratio": 0.4,
    }
    assert expected.items() <= record(steps)["settings"].items()
    assert record(steps)["objects"] == 4


@pytest.mark.parametrize("name", ["p.ome.zarr", "p.zarr", "p.tif", "p.nii.gz"])
def test_predict_equals_segment(
    run_cli, segment, blobs, tiny_model, tmp_path: Path, name: str
) -> None:
    path = save_volume(blobs[0], tmp_path / "v.tif")
    # Pixels of 7 nm: both go through the model's grid and back.
    size = ("--voxel-size", "30,7,7")
    run, _ = segment(path, *size)
    tail = ("--model", tiny_model, "--device", "cpu", "--precision", "fp32", *size)
    code, out, err = run_cli("predict", path, "-o", tmp_path / name, *tail)
    assert code == 0, err
    assert out.strip() == str(tmp_path / name)
    streamed = open_volume(tmp_path / name)
    assert streamed.voxel_size_nm == pytest.approx((30, 7, 7))
    expected = open_volume(run / "probability.tif").numpy()
    assert np.ptp(expected) > 200
    np.testing.assert_array_equal(streamed.numpy(), expected)


def test_predict_floats_and_overwrite(run_cli, blobs, tiny_model, tmp_path: Path) -> None:
    path = save_volume(blobs[0], tmp_path / "v.tif")
    tail = ("-o", tmp_path / "p.tif", "--model", tiny_model, "--device", "cpu")
    assert run_cli("predict", path, *tail)[0] == 0
    assert open_volume(tmp_path / "p.tif").dtype == np.uint8
    assert run_cli("predict", path, *tail, "--overwrite", "--bits", "32")[0] == 0
    floats = open_volume(tmp_path / "p.tif")
    assert floats.dtype == np.float32
    assert 0 <= floats.numpy().min() < 0.2
    assert 0.8 < floats.numpy().max() <= 1
    assert names(tmp_path) == {"v.tif", "p.tif"}


def test_evaluate_prints_and_writes(run_cli, segment, blobs, tmp_path: Path) -> None:
    image, truth = blobs
    run, _ = segment(save_volume(image, tmp_path / "v.tif"))
    path = save_volume(truth, tmp_path / "truth.tif")
    json_file = tmp_path / "scores.json"
    code, out, err = run_cli("evaluate", run, path, "--instances", "--json", json_file)
    assert code == 0, err
    scores = json.loads(json_file.read_text())
    assert {
        *("iou", "iou_per_tile", "voc", "dice", "precision", "recall", "accuracy"),
        *("det", "ap50", "ap75", "f1_50", "pq"),
    } <= set(scores)
    for name in ("iou", "voc", "dice", "ap75", "pq"):
        assert scores[name] == 1
        assert re.search(rf"^{name} +1\.0000 +\w", out, re.MULTILINE)
    assert scores["n_truth_objects"] == 4
    assert scores["boundary_hausdorff95_nm"] == 0
    assert "averaged over" in out


def test_evaluate_masks(run_cli, blobs, tmp_path: Path) -> None:
    mask = (blobs[1].numpy() > 0).astype(np.uint8) * 255
    half = mask.copy()
    half[4:] = 0
    np.save(tmp_path / "true.npy", mask)
    np.save(tmp_path / "half.npy", half)
    json_file = tmp_path / "scores.json"
    tail = ("--json", json_file, "--voxel-size", "30,10,10")
    code, _, err = run_cli("evaluate", tmp_path / "half.npy", tmp_path / "true.npy", *tail)
    assert code == 0, err
    scores = json.loads(json_file.read_text())
    assert scores["precision"] == 1
    assert scores["iou"] == pytest.approx(np.count_nonzero(half) / np.count_nonzero(mask))
    assert scores["boundary_hausdorff95_nm"] > 0


def test_evaluate_overrules_a_header_that_cannot_be(run_cli, blobs, tmp_path: Path) -> None:
    import tifffile

    mask = (blobs[1].numpy() > 0).astype(np.uint8)
    metadata = {"axes": "ZYX", "spacing": 0.03, "unit": "nm"}
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, mask, imagej=True, resolution=(100, 100), metadata=metadata)
    assert run_cli("evaluate", path, path)[0] == 2
    assert run_cli("evaluate", path, path, "--voxel-size", "30,10,10")[0] == 0


def test_phantom(run_cli, tmp_path: Path) -> None:
    tail = ("--shape", "2,48,64", "--seed", "4", "--format", "ome-zarr")
    code, out, err = run_cli("phantom", "-o", tmp_path / "one", *tail)
    assert code == 0, err
    assert names(tmp_path / "one") == {"image.ome.zarr", "labels.ome.zarr", "overview.png"}
    one = open_volume(tmp_path / "one" / "image.ome.zarr")
    assert one.shape == (2, 48, 64)
    assert one.voxel_size_nm == (20, 5, 5)
    expected = make_phantom((2, 48, 64), (20, 5, 5), seed=4)  # the same seed, the same bytes
    np.testing.assert_array_equal(one.numpy(), expected.image.numpy())
    labels = open_volume(tmp_path / "one" / "labels.ome.zarr").numpy()
    np.testing.assert_array_equal(labels, expected.labels.numpy())
    assert out.startswith(f"{tmp_path / 'one'}: {labels.max()} mitochondria")


@pytest.mark.parametrize("name", ["fib", "serial", "random"])
def test_phantom_styles(run_cli, blobs, tmp_path: Path, monkeypatch, name: str) -> None:
    asked: list[object] = []

    def grow(*shape_and_size: object, **options: object) -> Phantom:
        asked.extend((*shape_and_size, *options.values()))
        return Phantom(*blobs)

    monkeypatch.setattr("chondria.data.phantom.make_phantom", grow)
    tail = ("--shape", "8,56,72", "--voxel-size", "30,10,10", "--seed", "5", "--style", name)
    code, _, err = run_cli("phantom", *tail, "-o", tmp_path / "run")
    assert code == 0, err
    styles = {
        "fib": PhantomStyle(),
        "serial": PhantomStyle.serial_section(),
        "random": PhantomStyle.random(np.random.default_rng(5)),
    }
    assert asked == [(8, 56, 72), (30, 10, 10), 5, styles[name]]


def test_info(run_cli, blobs, tiny_model: Path, tmp_path: Path) -> None:
    code, out, _ = run_cli("info")
    assert code == 0
    for word in ("chondria", "torch", "device", "unet", "ome-zarr"):
        assert word in out
    code, out, _ = run_cli("info", save_volume(blobs[0], tmp_path / "v.tif"))
    assert code == 0
    assert re.search(r"format +tiff$", out, re.MULTILINE)
    assert "(8, 56, 72)" in out
    assert "(30.0, 10.0, 10.0)" in out
    np.save(tmp_path / "v.npy", blobs[0].numpy())
    assert "not stated" in run_cli("info", tmp_path / "v.npy")[1]
    code, out, _ = run_cli("info", tiny_model)
    assert code == 0
    assert "dark is foreground" in out
    weights = load_model(tiny_model).network.parameters()
    assert f"{sum(weight.numel() for weight in weights):,}" in out


def test_info_about_the_model_of_the_package(run_cli) -> None:
    assert DEFAULT_MODEL in bundled_models()
    code, out, _ = run_cli("info", DEFAULT_MODEL)
    assert code == 0
    assert re.search(rf"^name +{DEFAULT_MODEL}$", out, re.MULTILINE)
    for word in ("terms", "NOTICE", "lucchi++", "parameters", "validation"):
        assert word in out


def test_file_names_with_brackets(segment, blobs, tmp_path: Path) -> None:
    path = save_volume(blobs[0], tmp_path / "v [bold] [/x].tif")
    run, _ = segment(path, output="run [/y]")
    assert record(run)["image"] == str(path)


def test_an_empty_folder_may_be_the_output(segment, blobs, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    run, _ = segment(save_volume(blobs[0], tmp_path / "v.tif"))
    assert (run / "run.json").is_file()
    shutil.rmtree(run)
    run, _ = segment(tmp_path / "v.tif", output="deep/er/run")
    assert (run / "run.json").is_file()


def test_no_arguments_show_the_commands(run_cli) -> None:
    _, out, err = run_cli("--help")
    for command in ("demo", "check", "segment", "evaluate", "predict", "train", "phantom", "info"):
        assert command in out + err
