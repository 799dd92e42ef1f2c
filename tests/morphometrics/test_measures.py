"""Defined rows for every label map; what no label map is, refused."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from chondria.errors import PixelValueError, SettingsError, ShapeError, VoxelSizeError
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.stereology import summarise_volume
from chondria.morphometrics.table import measure_objects
from chondria.volume import Volume

SIZE = (50.0, 4.6, 4.6)
UNDEFINED = ("azimuth_deg", "elevation_deg", "shell_grey_mean", "shell_grey_sd")
ALONE = ("nearest_centroid_nm", "nearest_surface_nm")


# A blob around its own centroid.
BENT = np.array([[[0, 0, 1], [1, 1, 0], [1, 1, 1]], [[1, 1, 1], [0, 0, 1], [1, 1, 1]]], np.int32)


@settings(max_examples=25)
@example(labels=np.array([[[1, 0, 1]]], np.int32), size=SIZE)
@example(labels=BENT, size=(5.0, 5.0, 5.0))
@given(
    labels=arrays(
        np.int32,
        array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6),
        elements=st.sampled_from([0, 0, 1, 2, 70000]),
    ),
    size=st.sampled_from([SIZE, (5.0, 5.0, 5.0)]),
)
def test_every_label_map_has_defined_rows(labels: np.ndarray, size) -> None:
    volume = Volume(labels, size)
    table = measure_everything(volume, image=volume, probability=volume)
    plain = measure_objects(volume)
    assert list(table.columns)[: len(plain.columns)] == list(plain.columns)
    for name, values in plain.columns.items():
        np.testing.assert_array_equal(table[name], values)
    for name, values in table.columns.items():
        allowed = name in UNDEFINED or (name in ALONE and len(table) < 2)
        assert allowed or np.isfinite(values.astype(float)).all(), name
    for row in table.rows():
        assert 0 < row["solidity"] <= 1
        assert row["feret_min_um"] <= row["feret_max_um"] * (1 + 1e-9)
        assert row["aspect_ratio"] >= 1
        assert row["skeleton_length_um"] > 0
        assert row["end_points"] + row["loops"] > 0
        assert row["mean_probability"] == pytest.approx(row["grey_mean"]) == row["id"]
    summarise_volume(volume, table)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_one_voxel_of_the_largest_number(dtype: type) -> None:
    labels = np.zeros((3, 5, 5), dtype)
    labels[1, 2, 2] = np.iinfo(dtype).max
    (row,) = measure_everything(Volume(labels, SIZE)).rows()
    assert row["id"] == np.iinfo(dtype).max
    assert row["volume_um3"] == pytest.approx(math.prod(SIZE) / 1e9)
    assert row["feret_max_um"] == pytest.approx(0.05)
    assert (row["end_points"], row["parts"], row["nearest_id"]) == (2, 1, 0)
    assert math.isnan(row["nearest_surface_nm"])


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 30), (30, 1, 1), (4, 30, 30)])
def test_an_object_that_fills_the_volume(shape: tuple[int, ...]) -> None:
    volume = Volume(np.full(shape, 9, np.uint64), SIZE)
    (row,) = measure_everything(volume, image=volume).rows()
    assert row["touches_border"]
    assert row["solidity"] == 1
    assert math.isnan(row["shell_grey_mean"])
    said = summarise_volume(volume, measure_objects(volume))
    assert (said.fraction, said.counted_objects, said.whole_objects) == (1, 0, 0)


def test_parts_neighbours_and_grey_values_of_one_number() -> None:
    labels = np.zeros((4, 40, 40), np.uint16)
    labels[:, 5:15, 5:15], labels[:, 25:35, 25:35], labels[1:3, 5:15, 20:30] = 3, 3, 8
    grey = np.where(labels == 3, 50, 90).astype(np.float32)
    table = measure_everything(Volume(labels, SIZE), image=Volume(grey), shell_nm=10)
    assert table["parts"].tolist() == [2, 1]
    assert table["nearest_surface_nm"] == pytest.approx([5 * 4.6, 5 * 4.6])
    assert table["nearest_id"].tolist() == [8, 3]
    assert table["grey_mean"].tolist() == [50, 90]
    assert table["shell_grey_mean"].tolist() == [90, 90]
    assert table["grey_sd"].tolist() == [0, 0]


def test_bytes_are_probabilities_of_255() -> None:
    labels = Volume(np.ones((2, 4, 4), np.uint8), SIZE)
    table = measure_everything(labels, probability=Volume(np.full((2, 4, 4), 51, np.uint8)))
    assert table["mean_probability"] == pytest.approx([0.2])


def test_what_cannot_be_measured_is_refused() -> None:
    labels = np.ones((2, 4, 4), np.uint8)
    with pytest.raises(VoxelSizeError, match="without a voxel size"):
        measure_everything(Volume(labels))
    with pytest.raises(ShapeError, match="an image of shape"):
        measure_everything(Volume(labels, SIZE), image=Volume(labels[:1]))
    with pytest.raises(SettingsError, match="shell of 0 nm"):
        measure_everything(Volume(labels, SIZE), shell_nm=0)
    with pytest.raises(PixelValueError, match="whole numbers"):
        measure_everything(Volume(labels * 0.5, SIZE))


def test_progress_counts_objects() -> None:
    seen: list[tuple[int, int]] = []
    labels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    measure_everything(Volume(labels, SIZE), progress=lambda done, of: seen.append((done, of)))
    assert seen == [(number, 11) for number in range(1, 12)]
