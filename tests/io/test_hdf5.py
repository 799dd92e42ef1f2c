from pathlib import Path

import h5py
import numpy as np
import pytest

from chondria.errors import FormatError, InputNotFoundError, ShapeError
from chondria.io import open_volume, save_volume, volume_format
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(1, 60000, (5, 33, 47), np.uint16)


def write(path: Path, **datasets: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[f"em/{name}"] = values
    return path


def test_dataset_is_named_after_a_colon(tmp_path: Path) -> None:
    path = write(tmp_path / "v.h5", raw=VALUES, labels=VALUES[:, :9])
    for name in ("/em/raw", "em/raw"):
        assert volume_format(f"{path}:{name}") == "hdf5"
        np.testing.assert_array_equal(open_volume(f"{path}:{name}").numpy(), VALUES)
    assert open_volume(Path(f"{path}:/em/labels")).shape == (5, 9, 47)


def test_only_volume_needs_no_name(tmp_path: Path) -> None:
    path = write(tmp_path / "v.h5", raw=VALUES, table=np.zeros(3), thumbnail=VALUES[0])
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES)
    assert open_volume(write(tmp_path / "w.h5", only=VALUES[0])).shape == (1, 33, 47)


def test_unclear_and_missing_datasets_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "v.h5", raw=VALUES, labels=VALUES)
    with pytest.raises(FormatError, match=r"2 datasets .*/em/labels \(5, 33, 47\), /em/raw .*:/"):
        open_volume(path)
    with pytest.raises(InputNotFoundError, match=r"no dataset '/raw' in .*/em/raw"):
        open_volume(f"{path}:/raw")
    with pytest.raises(FormatError, match=r"0 datasets .*datasets: none"):
        open_volume(write(tmp_path / "empty.h5"))
    with pytest.raises(ShapeError, match="1 axes"):
        open_volume(f"{write(tmp_path / 'w.h5', table=np.zeros(3))}:/em/table")


def test_axes_of_length_one_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "v.h5", raw=VALUES[np.newaxis, ..., np.newaxis])
    np.testing.assert_array_equal(open_volume(path).data[1:3, 4], VALUES[1:3, 4])


@pytest.mark.parametrize("dtype", [">i4", "<f4", "?"])
def test_values_are_native(tmp_path: Path, dtype: str) -> None:
    volume = open_volume(write(tmp_path / "v.h5", raw=VALUES.astype(dtype)))
    assert volume.dtype.isnative
    assert volume.dtype == np.dtype("u1" if dtype == "?" else dtype).newbyteorder("=")
    np.testing.assert_array_equal(volume.numpy(), VALUES.astype(dtype))


def test_voxel_size_attributes(tmp_path: Path) -> None:
    path = write(tmp_path / "v.h5", raw=VALUES)
    with h5py.File(path, "a") as file:
        file["em/raw"].attrs["resolution"] = [1, 2, 3]
    assert open_volume(path).voxel_size_nm is None
    with h5py.File(path, "a") as file:
        file["em/raw"].attrs["element_size_um"] = np.array([0.05, 0.004, 0.0046])
    assert open_volume(path).voxel_size_nm == (50, 4, 4.6)
    with h5py.File(path, "a") as file:
        file["em/raw"].attrs["voxel_size_nm"] = [30, 3, 3]
    assert open_volume(path).voxel_size_nm == (30, 3, 3)
    with h5py.File(path, "a") as file:
        file["em/raw"].attrs["voxel_size_nm"] = "three"
    with pytest.raises(FormatError, match="allowed is voxel_size_nm as three numbers"):
        open_volume(path)


def test_written_file_says_its_voxel_size_twice(tmp_path: Path) -> None:
    save_volume(Volume(VALUES, (50, 4.6, 5)), f"{tmp_path}/v.h5:/em/raw")
    with h5py.File(tmp_path / "v.h5") as file:
        attributes = dict(file["em/raw"].attrs)
        assert file["em/raw"].compression == "gzip"
    np.testing.assert_allclose(attributes["voxel_size_nm"], [50, 4.6, 5])
    np.testing.assert_allclose(attributes["element_size_um"], [0.05, 0.0046, 0.005])
