import json
import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from chondria.errors import ChondriaError, FormatError, ShapeError, VoxelSizeError
from chondria.io import create_volume, open_volume, save_volume, volume_format
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(1, 255, (5, 33, 47), np.uint8)
SCALES = {"nanometer": 1.0, "micrometer": 1e-3, "angstrom": 10.0, "millimeter": 1e-6}


def write(
    path: Path,
    values: np.ndarray = VALUES,
    axes: str = "zyx",
    scale: list[float] | None = None,
    *,
    unit: str | None = "nanometer",
    version: str = "0.5",
    **extra,
) -> Path:
    """Write an image as another program would."""
    zarr_format = 3 if version == "0.5" else 2
    kinds = {"t": "time", "c": "channel"}
    dicts = [{"name": n, "type": kinds.get(n, "space")} for n in axes]
    for axis in dicts:
        if axis["type"] == "space" and unit:
            axis["unit"] = unit
    steps = [{"type": "scale", "scale": scale}] if scale else []
    image = {"axes": dicts, "datasets": [{"path": "s0", "coordinateTransformations": steps}]}
    image.update(extra)
    if version != "0.5":
        image["version"] = version
    attributes = {"multiscales": [image]}
    if version == "0.5":
        attributes = {"ome": {"version": "0.5", **attributes}}
    group = zarr.create_group(path, zarr_format=zarr_format, attributes=attributes)
    group.create_array("s0", data=values, chunks=tuple(min(16, n) for n in values.shape))
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("unit", SCALES)
def test_scale_in_any_unit(tmp_path: Path, version: str, unit: str) -> None:
    scale = [length * SCALES[unit] for length in (50, 4.6, 5)]
    path = write(tmp_path / "v.zarr", scale=scale, unit=unit, version=version)
    for opened in (path, path / "s0"):
        volume = open_volume(opened)
        assert volume.voxel_size_nm == (50, 4.6, 5)
        np.testing.assert_array_equal(volume.numpy(), VALUES)
        assert volume_format(opened) == ("ome-zarr" if version == "0.5" else "ome-zarr-0.4")


@pytest.mark.parametrize(("axes", "scale"), [("tczyx", [9, 1, 50, 4, 5]), ("czyx", [1, 50, 4, 5])])
def test_single_channels_and_times_are_left_out(tmp_path: Path, axes: str, scale) -> None:
    values = VALUES.reshape((1,) * (len(axes) - 3) + VALUES.shape)
    volume = open_volume(write(tmp_path / "v.zarr", values, axes, scale))
    np.testing.assert_array_equal(volume.data[1:4, ::3], VALUES[1:4, ::3])
    assert volume.voxel_size_nm == (50, 4, 5)
    many = np.concatenate([values, values], axis=len(axes) - 4)
    with pytest.raises(ShapeError, match=r"axes .*c=2, z=5, y=33, x=47 in .*one along c"):
        open_volume(write(tmp_path / "w.zarr", many, axes, scale))


def test_two_dimensions_and_other_orders(tmp_path: Path) -> None:
    flat = open_volume(write(tmp_path / "yx.zarr", VALUES[0], "yx", [4, 5]))
    np.testing.assert_array_equal(flat.numpy(), VALUES[:1])
    assert flat.voxel_size_nm == (4, 4, 5)
    swapped = open_volume(write(tmp_path / "xyz.zarr", VALUES.T, "xyz", [5, 4, 50]))
    np.testing.assert_array_equal(swapped.numpy(), VALUES)
    assert swapped.voxel_size_nm == (50, 4, 5)


@pytest.mark.parametrize("change", [{"unit": None}, {"scale": None}, {"unit": "parsec"}])
def test_without_unit_or_scale_there_is_no_voxel_size(tmp_path: Path, change) -> None:
    settings = {"scale": [50, 4, 5], "unit": "nanometer", **change}
    assert open_volume(write(tmp_path / "v.zarr", **settings)).voxel_size_nm is None


def test_transformations_of_the_image_come_after_those_of_the_level(tmp_path: Path) -> None:
    level = [
        {"type": "scale", "scale": [25, 2, 2.5]},
        {"type": "translation", "translation": [10, 0, -5]},
    ]
    whole = [
        {"type": "scale", "scale": [2, 2, 2]},
        {"type": "translation", "translation": [1, 1, 1]},
    ]
    datasets = [{"path": "s0", "coordinateTransformations": level}]
    path = write(tmp_path / "v.zarr", datasets=datasets, coordinateTransformations=whole)
    volume = open_volume(path)
    assert volume.voxel_size_nm == (50, 4, 5)
    assert volume.origin_nm == (21, 1, -9)


def test_coarser_level_has_its_own_scale(tmp_path: Path, monkeypatch) -> None:
    datasets = [
        {"path": f"s{n}", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        for n, scale in enumerate(([50, 4, 5], [50, 8, 10]))
    ]
    path = write(tmp_path / "v.zarr", datasets=datasets)
    zarr.open_group(path).create_array("s1", data=VALUES[:, ::2, ::2])
    assert open_volume(path).shape == VALUES.shape
    monkeypatch.chdir(path)
    for level in (path / "s1", Path("s1"), path / "s0" / ".." / "s1"):
        volume = open_volume(level)
        assert volume.voxel_size_nm == (50, 8, 10)
        np.testing.assert_array_equal(volume.numpy(), VALUES[:, ::2, ::2])


@pytest.mark.parametrize("axes", [["z", "y", "x"], None])
def test_versions_before_axes_had_units(tmp_path: Path, axes) -> None:
    path = write(tmp_path / "v.zarr", version="0.3", axes="zyx")
    attributes = json.loads((path / ".zattrs").read_text())
    attributes["multiscales"][0]["axes"] = axes
    (path / ".zattrs").write_text(json.dumps(attributes))
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES)
    assert open_volume(path).voxel_size_nm is None


def test_implausible_scale_names_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "v.zarr", scale=[0.03, 0.004, 0.004])
    with pytest.raises(VoxelSizeError, match=r"header of .*micrometres.*--voxel-size"):
        open_volume(path)


def test_written_metadata_follow_0_5(tmp_path: Path) -> None:
    path = save_volume(Volume(VALUES, (50, 4.6, 5), (100, 0, 0)), tmp_path / "brain.ome.zarr")
    metadata = json.loads((path / "zarr.json").read_text())
    assert metadata["attributes"]["ome"] == {
        "version": "0.5",
        "multiscales": [
            {
                "name": "brain",
                "axes": [{"name": n, "type": "space", "unit": "nanometer"} for n in "zyx"],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [50.0, 4.6, 5.0]},
                            {"type": "translation", "translation": [100, 0, 0]},
                        ],
                    }
                ],
            }
        ],
    }
    level = json.loads((path / "0" / "zarr.json").read_text())
    assert level["dimension_names"] == ["z", "y", "x"]
    assert [codec["name"] for codec in level["codecs"]] == ["sharding_indexed"]


def test_written_metadata_follow_0_4(tmp_path: Path) -> None:
    path = save_volume(Volume(VALUES), tmp_path / "v.ome.zarr", "ome-zarr-0.4")
    (image,) = json.loads((path / ".zattrs").read_text())["multiscales"]
    assert image["version"] == "0.4"
    assert image["axes"] == [{"name": n, "type": "space"} for n in "zyx"]
    level = json.loads((path / "0" / ".zarray").read_text())
    assert level["dimension_separator"] == "/"
    assert level["zarr_format"] == 2


def damage(path: Path, how: str) -> None:
    level = path / "0"
    metadata = next(file for file in level.rglob("*") if file.name in ("zarr.json", ".zarray"))
    chunks = sorted(f for f in level.rglob("*") if f.is_file() and f.name[0].isdigit())
    match how:
        case "no metadata":
            metadata.unlink()
        case "half metadata":
            os.truncate(metadata, metadata.stat().st_size // 2)
        case "no group":
            for name in ("zarr.json", ".zgroup", ".zattrs"):
                (path / name).unlink(missing_ok=True)
        case "half group":
            for name in ("zarr.json", ".zattrs"):
                if (path / name).exists():
                    os.truncate(path / name, 40)
        case "no chunk":
            chunks[-1].unlink()
        case "empty chunk":
            os.truncate(chunks[-1], 0)
        case "half chunk":
            os.truncate(chunks[-1], chunks[-1].stat().st_size // 2)
        case "other bytes":
            chunks[-1].write_bytes(bytes(chunks[-1].stat().st_size))


HOWS = ["no metadata", "half metadata", "no group", "half group"]
HOWS += ["no chunk", "empty chunk", "half chunk", "other bytes"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("key", ["ome-zarr", "ome-zarr-0.4"])
def test_damaged_store(tmp_path: Path, key: str, how: str) -> None:
    path = save_volume(Volume(VALUES), tmp_path / "v.ome.zarr", key)
    damage(path, how)
    with pytest.raises(FormatError, match=r"damaged|incomplete|truncated"):
        open_volume(path).numpy()


def test_missing_chunks_of_other_programs_are_told_not_refused(tmp_path: Path, caplog) -> None:
    path = write(tmp_path / "v.zarr")
    (path / "s0" / "c" / "0" / "0" / "0").unlink()
    volume = open_volume(path)
    assert "1 of 9 chunks of" in caplog.text
    assert volume.data[0, 0, 0] == 0
    np.testing.assert_array_equal(volume.data[:, 16:], VALUES[:, 16:])


def test_groups_that_are_no_image(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "v.zarr")
    group.create_array("raw", shape=(2, 2), dtype="u1")
    with pytest.raises(FormatError, match=r"no OME-Zarr image .* inside it to use: raw"):
        open_volume(tmp_path / "v.zarr")
    assert open_volume(tmp_path / "v.zarr" / "raw").shape == (1, 2, 2)
    (tmp_path / "w.zarr").mkdir()
    with pytest.raises(FormatError, match="holds no Zarr metadata"):
        open_volume(tmp_path / "w.zarr")


@pytest.mark.parametrize(
    "change",
    [
        {"datasets": []},
        {"datasets": [{}]},
        {"datasets": [{"path": "nowhere"}]},
        {"axes": [{"type": "space"}] * 3},
        {"axes": [{"name": "z"}, {"name": "y"}]},
        {"axes": [{"name": n} for n in "abc"]},
        {"coordinateTransformations": [{"type": "scale", "scale": [1, 2]}]},
        {"coordinateTransformations": "far"},
    ],
    ids=str,
)
def test_wrong_metadata(tmp_path: Path, change) -> None:
    path = write(tmp_path / "v.zarr", scale=[50, 4, 5])
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["attributes"]["ome"]["multiscales"][0].update(change)
    (path / "zarr.json").write_text(json.dumps(attributes))
    with pytest.raises(ChondriaError, match=r"damaged|do not fit|no Zarr metadata"):
        open_volume(path)


def test_unwritten_parts_are_stored_as_zeros(tmp_path: Path) -> None:
    with create_volume(tmp_path / "v.zarr", (300, 70, 70), "u1", (5, 5, 5)) as sink:
        sink[280, 3, 4] = 7
    volume = open_volume(tmp_path / "v.zarr")
    assert volume.data[280, 3, 4] == 7
    assert volume.numpy().sum() == 7
