"""One volume through every format and back: equal values, voxel size and origin."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from chondria.io import (
    FORMATS,
    create_volume,
    data_hash,
    format_suffix,
    open_volume,
    save_volume,
    volume_format,
)
from chondria.volume import Volume

CASES = [(key, name) for key, entry in FORMATS.items() for name in entry.pixel_types]
VOXEL_SIZE = (50.123456, 4.6, 4.7)
ORIGIN = (100.0, -20.5, 7.25)


def make_volume(
    dtype: str, depth: int = 5, voxel_size_nm: tuple[float, ...] | None = VOXEL_SIZE
) -> Volume:
    rng = np.random.default_rng(7)
    shape = (depth, 37, 41)
    if np.dtype(dtype).kind == "f":
        return Volume(rng.normal(size=shape).astype(dtype), voxel_size_nm, ORIGIN)
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    return Volume(values, voxel_size_nm, ORIGIN)


@pytest.mark.parametrize(("key", "dtype"), CASES)
def test_values_voxel_size_and_origin_come_back(tmp_path: Path, key: str, dtype: str) -> None:
    volume = make_volume(dtype, depth=1 if key == "png" else 5)
    path = save_volume(volume, tmp_path / f"a b{format_suffix(key)}", key)
    back = open_volume(path)
    assert volume_format(path) == key
    np.testing.assert_array_equal(back.numpy(), volume.numpy())
    widened = key == "mrc" and dtype == "uint8"
    assert back.dtype == np.dtype("uint16" if widened else dtype)
    assert back.voxel_size_nm == pytest.approx(VOXEL_SIZE, rel=1e-6)
    assert back.origin_nm == pytest.approx(ORIGIN, rel=1e-6)


@pytest.mark.parametrize("key", FORMATS)
def test_no_voxel_size_comes_back_as_none(tmp_path: Path, key: str) -> None:
    data = make_volume("uint16", 1 if key == "png" else 3).numpy()
    path = save_volume(Volume(data), tmp_path / f"v{format_suffix(key)}", key)
    assert open_volume(path).voxel_size_nm is None
    assert open_volume(path, (30, 4, 4)).voxel_size_nm == (30, 4, 4)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [path.name]


@pytest.mark.parametrize("key", FORMATS)
def test_given_voxel_size_overrules_the_file(tmp_path: Path, key: str) -> None:
    volume = make_volume("uint16", 1 if key == "png" else 3)
    path = save_volume(volume, tmp_path / f"v{format_suffix(key)}", key)
    assert open_volume(path, (8, 8, 8)).voxel_size_nm == (8, 8, 8)


@pytest.mark.parametrize("key", FORMATS)
def test_sources_index_like_numpy_and_pickle(tmp_path: Path, key: str) -> None:
    volume = make_volume("uint16", 1 if key == "png" else 5)
    values = volume.numpy()
    path = save_volume(volume, tmp_path / f"v{format_suffix(key)}", key)
    data = open_volume(path).data
    copy = pickle.loads(pickle.dumps(data))
    for source in (data, copy):
        np.testing.assert_array_equal(source[0], values[0])
        np.testing.assert_array_equal(source[-1, 3:9, ::-2], values[-1, 3:9, ::-2])
        np.testing.assert_array_equal(source[..., 5], values[..., 5])
        np.testing.assert_array_equal(np.asarray(source), values)
        assert source[0, 1, 2] == values[0, 1, 2]


@pytest.mark.parametrize("key", FORMATS)
def test_big_endian_and_bool_values_are_saved_native(tmp_path: Path, key: str) -> None:
    values = make_volume("uint16", 1 if key == "png" else 3).numpy()
    swapped = save_volume(Volume(values.astype(">u2")), tmp_path / f"a{format_suffix(key)}", key)
    mask = save_volume(Volume(values > 9000), tmp_path / f"b{format_suffix(key)}", key)
    assert open_volume(swapped).dtype.isnative
    np.testing.assert_array_equal(open_volume(swapped).numpy(), values)
    np.testing.assert_array_equal(open_volume(mask).numpy(), (values > 9000).astype(np.uint8))


@pytest.mark.parametrize("key", [key for key in FORMATS if key != "png"])
def test_created_piece_by_piece_equals_saved_whole(tmp_path: Path, key: str) -> None:
    volume = make_volume("uint16", depth=9)
    values = volume.numpy().copy()
    values[4:6, :, 30:] = 0
    path = tmp_path / f"v{format_suffix(key)}"
    with create_volume(path, values.shape, "uint16", VOXEL_SIZE, key, origin_nm=ORIGIN) as sink:
        assert sink.shape == values.shape
        sink[5:9, :20, :30] = values[5:9, :20, :30]
        sink[:4] = values[:4]
        sink[4:, 20:, :30] = values[4:, 20:, :30]
        sink[4, :20, :30] = values[4, :20, :30]
        sink[6:, ..., 30:] = values[6:, :, 30:]
        np.testing.assert_array_equal(sink[3:6], values[3:6])
        assert not path.exists()
    back = open_volume(path)
    np.testing.assert_array_equal(back.numpy(), values)
    assert back.voxel_size_nm == pytest.approx(VOXEL_SIZE, rel=1e-6)
    assert back.origin_nm == pytest.approx(ORIGIN, rel=1e-6)


def test_hash_is_of_the_values_whatever_the_format(tmp_path: Path) -> None:
    volume = make_volume("int16")
    hashes = {
        data_hash(open_volume(save_volume(volume, tmp_path / f"{key}{entry.suffix}", key)))
        for key, entry in FORMATS.items()
        if "int16" in entry.pixel_types
    }
    assert hashes == {data_hash(volume)}
    assert data_hash(Volume(volume.numpy().astype(">i2"))) == data_hash(volume)
    assert data_hash(Volume(volume.numpy()[::-1])) != data_hash(volume)
    assert data_hash(Volume(volume.numpy().view(np.uint16))) != data_hash(volume)
    assert data_hash(Volume(volume.numpy().reshape(37, 5, 41))) != data_hash(volume)


def test_output_can_replace_the_input_it_is_read_from(tmp_path: Path) -> None:
    for key in ("ome-zarr", "png-slices", "tiff"):
        volume = make_volume("uint16")
        path = save_volume(volume, tmp_path / f"{key}{format_suffix(key)}", key)
        save_volume(open_volume(path), path, key, overwrite=True)
        np.testing.assert_array_equal(open_volume(path).numpy(), volume.numpy())
        assert open_volume(path).voxel_size_nm == pytest.approx(VOXEL_SIZE)
