"""From a volume with truth to a model that says how far to trust it, and what it then says."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chondria.data.phantom import make_phantom
from chondria.errors import (
    ModelError,
    OutputExistsError,
    SettingsError,
    ShapeError,
    VoxelSizeError,
)
from chondria.evaluation.overlap import contingency_table
from chondria.experiments.calibration import calibrate_model
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import LENGTH, objects_of
from chondria.experiments.trust_reports import error_report
from chondria.experiments.volume_segmentation import segment_volume
from chondria.io import data_hash
from chondria.models import Model, load_model
from chondria.morphometrics.table import ObjectTable, measure_objects
from chondria.trust.error_units import Overlaps, error_units
from chondria.trust.level_counts import block_level_counts
from chondria.trust.record import TrustRecord, VolumeEvidence, fit_trust
from chondria.trust.scope import describe_scope
from chondria.volume import Volume

CPU = SegmentationSettings(device="cpu", precision="fp32", backend="torch")


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


@pytest.fixture
def merged(blobs) -> tuple[Volume, Volume]:
    """The image, and a truth in which two objects are one and another is none."""
    image, truth = blobs
    labels = truth.numpy().copy()
    labels[labels == 2] = 1
    labels[labels == 4] = 0
    return image, truth.with_data(labels)


def calibrated(model: Model, pair: tuple[Volume, Volume], folder: Path) -> Model:
    calibrate_model(model, *pair, folder, CPU, truth_is_instances=True)
    return load_model(folder / "model.safetensors")


def test_a_model_learns_its_errors_and_states_them(model, merged, tmp_path) -> None:
    knowing = calibrated(model, merged, tmp_path / "calibrated")
    tally = TrustRecord.from_dict(knowing.card.trust).tally
    assert (tally.true_objects, tally.predicted_objects) == (2, 4)
    assert (tally.split, tally.extra, tally.merged, tally.missing) == (1, 1, 0, 0)
    segment(knowing, merged[0], tmp_path / "run", CPU)
    said = json.loads((tmp_path / "run" / "errors.json").read_text())
    count = next(c for c in said["rows"] if c["measure"] == "count")
    assert (count["measured"], count["factor"], count["corrected"]) == (4, 0.5, 2)
    assert count["low"] <= 2 <= count["high"]
    assert said["warnings"] == []
    assert "1 are no mitochondria" in said["sentences"][0]
    assert said["sentences"][1].startswith("Count: 4 measured")
    stated = json.loads((tmp_path / "run" / "calibration.json").read_text())
    curves = [(curve["name"], curve["stage"]) for curve in stated["curves"]]
    assert curves == [(n, s) for n in ("voxels", "objects") for s in ("before", "after")]
    assert "fitted on 4 objects" in stated["note"]
    levels = stated["pixels"]["levels"]
    assert len(levels) == 256
    assert levels == sorted(levels)


def test_the_weights_and_the_labels_stay(model, merged, tmp_path) -> None:
    knowing = calibrated(model, merged, tmp_path / "calibrated")
    before, after = (segment_volume(m, merged[0], CPU) for m in (model, knowing))
    np.testing.assert_array_equal(before.labels.numpy(), after.labels.numpy())
    np.testing.assert_array_equal(before.probability.numpy(), after.probability.numpy())
    assert "probability_true" not in before.objects.columns
    assert after.objects["probability_true"] == pytest.approx(np.full(4, 3.5 / 5))


def test_every_file_of_a_calibration_is_there(model, merged, tmp_path) -> None:
    calibrated(model, merged, tmp_path / "out")
    expected = {"model.safetensors", "calibration.json", "errors.json", "reliability.svg"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected | {
        "candidates.csv",
        "run.json",
        "report.html",
    }
    page = (tmp_path / "out" / "report.html").read_text()
    assert re.findall(r'<section id="(\w+)"', page) == [
        *("threshold", "calibration", "errors", "candidates", "model", "provenance"),
    ]
    header, *rows = (tmp_path / "out" / "candidates.csv").read_text().splitlines()
    assert header.endswith(",boundary_sharpness,probability_true,is_true")
    assert [row.rsplit(",")[-1] for row in rows] == ["true", "true", "true", "false"]


def test_agreements_are_columns_where_they_are_asked_for(model, blobs, tiny_model) -> None:
    asked = replace(CPU, trust="views", also=(str(tiny_model),))
    objects = segment_volume(model, blobs[0], asked).objects
    # The tiny network sees one pixel: views agree on all, and so does a copy.
    assert objects["view_agreement"].tolist() == objects["seed_agreement"].tolist() == [1] * 4
    assert np.all(objects["boundary_sharpness"] > 0.02)


def test_without_a_voxel_size_objects_are_not_judged(model, merged, tmp_path) -> None:
    knowing = calibrated(model, merged, tmp_path / "calibrated")
    bare = Volume(merged[0].data)
    found = segment(knowing, bare, tmp_path / "run", CPU)
    assert not {"boundary_sharpness", "probability_true"} & found.objects.columns.keys()
    said = json.loads((tmp_path / "run" / "errors.json").read_text())
    assert said["rows"] == []
    assert "not known" in said["warnings"][0]


def test_other_settings_and_other_images_are_warned_of(model, merged, tmp_path) -> None:
    knowing = calibrated(model, merged, tmp_path / "calibrated")
    image = replace(merged[0], voxel_size_nm=(30.0, 10.0, 16.0))
    segment(knowing, image, tmp_path / "run", replace(CPU, threshold=0.7))
    warnings = json.loads((tmp_path / "run" / "errors.json").read_text())["warnings"]
    assert any("16 nm along x" in warning for warning in warnings)
    assert any("threshold 0.7; validated was 0.5" in warning for warning in warnings)


def test_lengths_are_corrected_for_volumes_as_thick_only(model, merged) -> None:
    image, truth = merged
    found = segment_volume(model, image, CPU)
    maps = (found.probability.numpy(), found.labels.numpy(), found.objects)

    def long(table: ObjectTable) -> ObjectTable:
        return table.with_column(LENGTH, np.cbrt(table["volume_um3"]))

    seen = (*maps[:2], long(maps[2]))
    true = truth.numpy(), long(measure_objects(truth))
    overlaps = contingency_table(maps[1], true[0])
    units, tally = error_units(
        Overlaps(overlaps.predicted_ids, overlaps.true_ids, overlaps.voxels),
        objects_of(seen[2], image.shape),
        objects_of(true[1], image.shape),
    )
    scope = describe_scope("seen", image.numpy(), maps[1], maps[0], image.voxel_size_nm)
    blocks = block_level_counts(maps[0], true[0])
    for thickness, expected in ((1.0, True), (3.0, False)):
        known = replace(scope, extent_nm=scope.extent_nm * thickness)
        record = fit_trust([VolumeEvidence(blocks, None, (units, tally), known)])
        rows = error_report(record, image, seen, CPU.of(model.card))["rows"]
        lengths = [row["factor"] for row in rows if row["measure"] == "total_length"]
        sums = [table[LENGTH].sum() for table in (true[1], seen[2])]
        assert lengths == ([pytest.approx(sums[0] / sums[1])] if expected else [])


def test_nothing_found_is_no_crash(model, merged, tmp_path) -> None:
    knowing = calibrated(model, merged, tmp_path / "calibrated")
    bright = merged[0].with_data(
        np.full(merged[0].shape, 170, np.uint8) + np.arange(72, dtype=np.uint8) // 71
    )
    found = segment(knowing, bright, tmp_path / "run", replace(CPU, threshold=0.99))
    assert len(found.objects) == 0
    assert found.objects["probability_true"].size == 0
    assert json.loads((tmp_path / "run" / "errors.json").read_text())["rows"] == []


def test_a_single_slice_is_calibrated_in_areas(model, blobs, tmp_path) -> None:
    image, truth = (volume.with_data(volume.numpy()[3:4]) for volume in blobs)
    knowing = calibrated(model, (image, truth), tmp_path / "calibrated")
    segment(knowing, image, tmp_path / "run", CPU)
    said = json.loads((tmp_path / "run" / "errors.json").read_text())
    units = {c["measure"]: c["unit"] for c in said["rows"]}
    areas = {"total_area": "um2", "mean_area": "um2", "area_fraction": ""}
    assert units == {"count": ""} | areas | {"total_length": "um", "mean_length": "um"}
    assert {c["factor"] for c in said["rows"]} == {1}


def test_of_volumes_a_single_slice_gets_no_mean_area(model, blobs, tmp_path) -> None:
    knowing = calibrated(model, blobs, tmp_path / "calibrated")
    segment(knowing, blobs[0].with_data(blobs[0].numpy()[3:4]), tmp_path / "run", CPU)
    said = json.loads((tmp_path / "run" / "errors.json").read_text())
    assert {c["measure"] for c in said["rows"]} == {"count", "total_area", "area_fraction"}


def test_what_cannot_be_calibrated_is_refused_and_leaves_nothing(model, blobs, tmp_path) -> None:
    image, truth = blobs
    folder = tmp_path / "out"
    cases = [
        (image.with_data(image.numpy()[:4]), truth, ShapeError),
        (Volume(image.data), truth, VoxelSizeError),
        (image, truth.with_data(truth.numpy() * 0), SettingsError),
    ]
    for pixels, labels, error in cases:
        with pytest.raises(error):
            calibrate_model(model, pixels, labels, folder, CPU, truth_is_instances=True)
    learned = {"images_sha256": data_hash(image), "used_for": "training"}
    with pytest.raises(ModelError, match="has learned from slices of this very volume"):
        calibrate_model(
            model.with_card(data=[learned]), image, truth, folder, CPU, truth_is_instances=True
        )
    assert not folder.exists()
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(OutputExistsError):
        calibrate_model(model, image, truth, folder, CPU, truth_is_instances=True)


def test_the_command_says_what_it_learned(run_cli, tiny_model, tmp_path) -> None:
    from chondria.io import save_volume

    phantom = make_phantom((4, 96, 96), (30.0, 10.0, 10.0), seed=1)
    image = save_volume(phantom.image, tmp_path / "image.tif")
    truth = save_volume(phantom.labels, tmp_path / "labels.tif")
    out = tmp_path / "out"
    options = ["--model", tiny_model, "--instances", "--slices", "1,3", "--device", "cpu"]
    code, said, err = run_cli("calibrate", image, truth, "-o", out, *options)
    assert code == 0, err
    assert said.strip().endswith("model.safetensors")
    assert json.loads((out / "run.json").read_text())["shape"] == [3, 96, 96]
    code, said, _ = run_cli("info", out / "model.safetensors")
    assert "temperature" in said
    code, _, err = run_cli("calibrate", image, truth, "-o", tmp_path / "b", "--slices", "3,1")
    assert code == 2
    assert "such as 141,164" in err
    assert math.isfinite(load_model(out / "model.safetensors").card.trust["pixels"]["temperature"])


def test_its_page_is_drawn_again(run_cli, model, merged, tmp_path) -> None:
    calibrated(model, merged, tmp_path / "out")
    page = tmp_path / "out" / "report.html"
    before = page.read_text()
    page.unlink()
    code, out, err = run_cli("report", tmp_path / "out")
    assert code == 0, err
    assert out.strip() == str(page)
    assert page.read_text() == before
    (tmp_path / "out" / "model.safetensors").unlink()
    code, _, err = run_cli("report", tmp_path / "out")
    assert code == 2
    assert "no finished calibration" in " ".join(err.split())
