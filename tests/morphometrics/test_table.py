"""Measurements of shapes of known size, and of random ones against scikit-image."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.measure import regionprops

from chondria.errors import PixelValueError
from chondria.morphometrics.table import measure_objects, write_objects_csv
from chondria.volume import Volume

BASE = ["id", "voxels"]
PLACE = ["centroid_z_px", "centroid_y_px", "centroid_x_px"]
PLACE_NM = ["centroid_z_nm", "centroid_y_nm", "centroid_x_nm"]
REST = [
    *("bbox_z_start_px", "bbox_z_stop_px", "bbox_y_start_px", "bbox_y_stop_px"),
    *("bbox_x_start_px", "bbox_x_stop_px", "touches_border"),
]
LABELS = arrays(
    np.int64,
    array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7),
    elements=st.sampled_from([0, 0, 0, 1, 2, 5, 40]),
)


@settings(deadline=None)
@given(labels=LABELS, scale=st.sampled_from([1, 10**9]))
def test_measurements_agree_with_scikit_image(labels: np.ndarray, scale: int) -> None:
    rows = measure_objects(Volume(labels * scale)).rows()
    regions = regionprops(labels)
    assert [row["id"] for row in rows] == [region.label * scale for region in regions]
    for row, region in zip(rows, regions, strict=True):
        assert row["voxels"] == region.area
        assert [row[name] for name in PLACE] == pytest.approx(region.centroid)
        starts, stops = region.bbox[:3], region.bbox[3:]
        assert [row[f"bbox_{axis}_start_px"] for axis in "zyx"] == list(starts)
        assert [row[f"bbox_{axis}_stop_px"] for axis in "zyx"] == list(stops)


@settings(deadline=None)
@given(
    start=st.tuples(*[st.integers(0, 3)] * 3),
    size=st.tuples(*[st.integers(1, 5)] * 3),
    margin=st.tuples(*[st.integers(0, 2)] * 3),
    voxel_nm=st.tuples(*[st.floats(0.5, 90)] * 3),
)
def test_a_box_measures_what_it_measures(
    start: tuple[int, ...],
    size: tuple[int, ...],
    margin: tuple[int, ...],
    voxel_nm: tuple[float, float, float],
) -> None:
    shape = np.add(start, size) + margin
    labels = np.zeros(shape, np.uint16)
    labels[tuple(slice(a, a + b) for a, b in zip(start, size, strict=True))] = 7
    origin = (100.0, -20.0, 3.0)
    (row,) = measure_objects(Volume(labels, voxel_nm, origin)).rows()
    middle = np.add(start, np.subtract(size, 1) / 2)
    assert [row[name] for name in PLACE] == pytest.approx(list(middle))
    assert [row[name] for name in PLACE_NM] == pytest.approx(list(origin + middle * voxel_nm))
    edges = np.multiply(size, voxel_nm) / 1000
    axes = slice(None) if shape[0] > 1 else slice(1, None)
    name = "volume_um3" if shape[0] > 1 else "area_um2"
    assert row[name] == pytest.approx(np.prod(edges[axes]))
    assert row["touches_border"] == (0 in start[axes] or 0 in margin[axes])


def test_in_a_single_slice_only_the_edges_of_the_image_are_a_border() -> None:
    labels = np.zeros((1, 4, 6), np.uint8)
    labels[0, 1:3, 1:3], labels[0, 1:3, 4:] = 1, 2
    assert measure_objects(Volume(labels))["touches_border"].tolist() == [False, True]


def test_a_sphere_has_the_volume_of_a_sphere() -> None:
    z, y, x = np.ogrid[-20:21, -20:21, -20:21]
    ball = (z**2 + y**2 + x**2 <= 18**2).astype(np.uint8)
    table = measure_objects(Volume(ball, (10.0, 10.0, 10.0)))
    assert table["volume_um3"][0] == pytest.approx(4 / 3 * np.pi * 0.18**3, rel=0.01)
    assert not table["touches_border"][0]


@pytest.mark.parametrize(
    ("shape", "voxel_size_nm", "columns"),
    [
        ((2, 3, 4), None, [*BASE, *PLACE, *REST]),
        ((2, 3, 4), (5, 5, 5), [*BASE, "volume_um3", *PLACE_NM, *PLACE, *REST]),
        ((1, 3, 4), (5, 5, 5), [*BASE, "area_um2", *PLACE_NM, *PLACE, *REST]),
    ],
)
def test_columns_say_their_unit_and_stay_without_objects(
    shape: tuple[int, ...],
    voxel_size_nm: tuple[float, ...] | None,
    columns: list[str],
    tmp_path: Path,
) -> None:
    table = measure_objects(Volume(np.zeros(shape, np.uint16), voxel_size_nm))
    assert list(table.columns) == columns
    assert len(table) == 0
    assert table.rows() == []
    write_objects_csv(table, tmp_path / "objects.csv")
    assert (tmp_path / "objects.csv").read_text() == ",".join(columns) + "\n"


def test_the_file_holds_the_table(tmp_path: Path) -> None:
    labels = np.zeros((3, 4, 5), np.uint32)
    labels[1, 1:3, 1:4], labels[2, 0, 0] = 3, 12
    table = measure_objects(Volume(labels, (30.0, 4.6, 4.6)))
    write_objects_csv(table, tmp_path / "objects.csv")
    with (tmp_path / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["3", "12"]
    assert [row["touches_border"] for row in rows] == ["false", "true"]
    for written, measured in zip(rows, table.rows(), strict=True):
        assert list(written) == list(measured)
        assert float(written["volume_um3"]) == pytest.approx(measured["volume_um3"], rel=1e-9)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64, np.uint64])
def test_every_integer_type_is_measured(dtype: type) -> None:
    labels = np.zeros((2, 3, 4), dtype)
    labels[1, 1, 1:3] = 1
    assert measure_objects(Volume(labels)).rows()[0]["voxels"] == 2


def test_labels_may_be_read_only() -> None:
    labels = np.eye(3, dtype=np.uint16)[None]
    labels.setflags(write=False)
    assert measure_objects(Volume(labels))["voxels"].tolist() == [3]


def test_identifiers_may_exceed_every_index() -> None:
    labels = np.full((2, 2, 2), 2**64 - 1, np.uint64)
    (row,) = measure_objects(Volume(labels)).rows()
    assert (row["id"], row["voxels"]) == (2**64 - 1, 8)


@pytest.mark.parametrize("values", [np.full((1, 2, 2), 0.5), np.full((1, 2, 2), -1)])
def test_what_is_no_label_map_is_refused(values: np.ndarray) -> None:
    with pytest.raises(PixelValueError, match="whole numbers"):
        measure_objects(Volume(values))
