"""Segmentation from Python: settings, results, and what a failed run leaves."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chondria.errors import FormatError, OutputExistsError, SettingsError, ShapeError
from chondria.experiments.run_folder import new_run_folder
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.volume_segmentation import segment_volume
from chondria.models import Model, load_model
from chondria.volume import Volume

CPU = SegmentationSettings(device="cpu", precision="fp32", backend="torch")


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


def test_objects_probability_and_times(model: Model, blobs) -> None:
    image, truth = blobs
    told: list[tuple[int, int]] = []
    found = segment_volume(model, image, CPU, progress=lambda *counts: told.append(counts))
    np.testing.assert_array_equal(found.labels.numpy() > 0, truth.numpy() > 0)
    np.testing.assert_array_equal(found.probability.numpy() > 127, truth.numpy() > 0)
    assert found.labels.voxel_size_nm == found.probability.voxel_size_nm == image.voxel_size_nm
    assert len(found.objects) == 4
    assert set(found.seconds) == {"predict", "postprocess", "measure", "trust"}
    assert told[-1] == (8, 8)


def test_written_is_what_is_returned(model: Model, blobs, tmp_path: Path) -> None:
    from chondria.io import open_volume

    found = segment(model, blobs[0], tmp_path / "run", CPU, format="ome-zarr")
    for name, volume in (("labels", found.labels), ("probability", found.probability)):
        stored = open_volume(tmp_path / "run" / f"{name}.ome.zarr")
        np.testing.assert_array_equal(stored.numpy(), volume.numpy())


def test_open_settings_come_from_the_card(model: Model) -> None:
    card = model.with_card(threshold=0.3, z_median_nm=45.0, smallest_diameter_nm=80.0).card
    filled = SegmentationSettings(z_median_nm=0.0, tta="d4").of(card)
    assert (filled.threshold, filled.z_median_nm, filled.smallest_diameter_nm) == (0.3, 0.0, 80.0)
    assert filled.tta == "d4"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 0.0),
        ("threshold", 1.0),
        ("threshold", math.nan),
        ("tta", "d8"),
        ("blending", "linear"),
        ("window_px", 250),
        ("spurious_probability", 1.0),
        ("spurious_probability", math.nan),
        ("refine_boundaries_px", -1),
        ("zy_median_px", 4),
        ("zy_median_px", -5),
        ("z_median_nm", -1.0),
        ("neck_ratio", 0.0),
        ("neck_ratio", 1.5),
        ("neck_ratio", math.nan),
        ("smallest_diameter_nm", math.nan),
        ("largest_doubt", -1.0),
        ("largest_doubt", math.nan),
    ],
)
def test_settings_out_of_bounds(field: str, value: object) -> None:
    with pytest.raises(SettingsError):
        SegmentationSettings(**{field: value})


def test_threshold_moves_the_outline(model: Model, blobs) -> None:
    ramp = np.linspace(0, 255, 64).round().astype(np.uint8)
    image = Volume(np.broadcast_to(ramp, (1, 64, 64)).copy(), (10.0, 10.0, 10.0))
    low, high = (
        np.count_nonzero(
            segment_volume(
                model, image, SegmentationSettings(threshold=t, device="cpu")
            ).labels.numpy()
        )
        for t in (0.1, 0.9)
    )
    assert 0 < high < low < image.numpy().size


def test_z_median_takes_out_a_single_slice(model: Model, blobs) -> None:
    values = np.full((9, 32, 32), 170, np.uint8)
    values[:, :8, :8] = 60
    values[4, 16:24, 16:24] = 60
    image = Volume(values, (10.0, 10.0, 10.0))
    settings = SegmentationSettings(device="cpu", z_median_nm=30.0)
    assert len(segment_volume(model, image, CPU).objects) == 2
    assert len(segment_volume(model, image, settings).objects) == 1
    bare = Volume(values)  # no voxel size: no extent in nm
    assert len(segment_volume(model, bare, settings).objects) == 2


def test_smallest_diameter_is_a_ball_or_a_disc(model: Model) -> None:
    values = np.full((3, 40, 40), 170, np.uint8)
    values[1, 5:15, 5:15] = 60  # 100 voxels in one slice: 1e5 nm2, 3e6 nm3
    values[:, 25:35, 25:35] = 60  # 300 voxels: 9e6 nm3
    image = Volume(values, (30.0, 10.0, 10.0))

    def count(diameter: float, volume: Volume = image, dimensions: int = 3) -> int:
        settings = SegmentationSettings(
            smallest_diameter_nm=diameter, dimensions=dimensions, device="cpu"
        )
        return len(segment_volume(model, volume, settings).objects)

    ball = (6 * 100 * 3000 / math.pi) ** (1 / 3)
    assert count(ball * 0.99) == 2
    assert count(ball * 1.02) == 1
    disc = (4 * 100 * 100 / math.pi) ** 0.5
    assert count(disc * 0.99, dimensions=2) == 4
    assert count(disc * 1.02, dimensions=2) == 0
    one = Volume(values[1:2], (30.0, 10.0, 10.0))
    assert count(disc * 0.99, one) == 2
    assert count(disc * 1.02, one) == 0


def test_everything_is_measured_unless_size_is_enough(model: Model, tmp_path: Path) -> None:
    values = np.full((6, 40, 40), 170, np.uint8)
    values[1:5, 5:35, 5:15] = 60
    image = Volume(values, (30.0, 10.0, 10.0))
    whole = segment(model, image, tmp_path / "all", CPU).objects
    assert whole["grey_mean"].tolist() == [60]
    assert whole["feret_max_um"][0] == pytest.approx(0.3, abs=0.06)
    said = json.loads((tmp_path / "all" / "objects.volume.json").read_text())
    assert said["volume"]["volume_fraction"] == pytest.approx(0.125)
    small = segment(model, image, tmp_path / "size", replace(CPU, measures="size")).objects
    assert "grey_mean" not in small.columns
    assert not (tmp_path / "size" / "objects.volume.json").exists()
    without = segment_volume(model, Volume(values), CPU).objects
    assert "grey_mean" not in without.columns
    with pytest.raises(SettingsError, match="allowed are all and size"):
        replace(CPU, measures="both")


def test_doubtful_objects_are_dropped(model: Model, tmp_path: Path) -> None:
    values = np.full((2, 40, 40), 170, np.uint8)
    values[:, 5:15, 5:15] = 60
    values[:, 25:35, 25:35] = np.linspace(60, 170, 10)  # fades
    image = Volume(values, (30.0, 10.0, 10.0))
    both = segment(model, image, tmp_path / "run", replace(CPU, measures="size")).objects
    sure, unsure = both["mean_probability"]
    assert 0.5 < unsure < sure <= 1
    assert both["doubt"][0] < 1 < both["doubt"][1]
    header = (tmp_path / "run" / "objects.csv").read_text().splitlines()[0]
    assert header.endswith(",touches_border,mean_probability,doubt,boundary_sharpness")
    for found in (
        segment_volume(model, image, replace(CPU, largest_doubt=1.0)),
        segment_volume(model.with_card(largest_doubt=1.0), image, CPU),
    ):
        assert found.objects["mean_probability"].tolist() == pytest.approx([sure])
        assert not found.labels.numpy()[:, 25:35, 25:35].any()
    assert len(segment_volume(model, image, replace(CPU, largest_doubt=9.0)).objects) == 2


def test_nothing_found_is_a_result(model: Model, tmp_path: Path) -> None:
    values = np.full((2, 40, 40), 100, np.uint8)
    values[:, ::8] = 180  # bright lines: nothing is dark
    found = segment(model, Volume(values, (30.0, 10.0, 10.0)), tmp_path / "run", CPU)
    assert len(found.objects) == 0
    header, *rows = (tmp_path / "run" / "objects.csv").read_text().splitlines()
    assert header.startswith("id,voxels,volume_um3")
    assert not rows


@pytest.mark.parametrize("shape", [(1, 1, 7), (1, 5, 1), (3, 17, 23)])
def test_small_and_odd_shapes(model: Model, shape) -> None:
    values = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    for size in (None, (30.0, 3.0, 3.0), (30.0, 25.0, 25.0)):
        assert segment_volume(model, Volume(values, size), CPU).labels.shape == shape


def test_formats_that_cannot_hold_it_are_refused_first(model: Model, blobs, tmp_path: Path) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was predicted before it was refused")

    for format, error in (("png", ShapeError), ("gif", FormatError)):
        with pytest.raises(error):
            segment(model, blobs[0], tmp_path / "run", CPU, format=format, progress=never)
    assert not any(tmp_path.iterdir())


def test_another_run_is_not_written_over(model: Model, blobs, tmp_path: Path) -> None:
    segment(model, blobs[0], tmp_path / "run", CPU)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(OutputExistsError, match="holds another run"):
        segment(model, blobs[0], tmp_path / "run", CPU)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}


def test_a_failed_run_folder_is_gone(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        with new_run_folder(path) as run:
            (run / "part").mkdir()
            (run / "part" / "file").touch()
            (run / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "a" / "b" / "run")
    assert not any(tmp_path.iterdir())
    (tmp_path / "empty").mkdir()
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "empty")
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]
