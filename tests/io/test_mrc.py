import struct
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from chondria.errors import FormatError
from chondria.io import open_volume, save_volume
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(-128, 127, (5, 33, 47), np.int8)


def write(path: Path, values: np.ndarray = VALUES, size: tuple[float, ...] = ()) -> Path:
    with mrcfile.new(path) as file:
        file.set_data(values)
        if size:
            file.voxel_size = size
    return path


def test_axes_and_angstroms(tmp_path: Path) -> None:
    volume = open_volume(write(tmp_path / "v.mrc", size=(46, 50, 500)))
    np.testing.assert_array_equal(volume.numpy(), VALUES)
    assert volume.voxel_size_nm == (50, 5, 4.6)
    path = save_volume(Volume(VALUES, (50, 5, 4.6)), tmp_path / "w.mrc")
    with mrcfile.open(path) as file:
        assert file.voxel_size.x == pytest.approx(46)
        assert file.voxel_size.z == pytest.approx(500)
        assert file.is_volume()
        np.testing.assert_array_equal(file.data, VALUES)
    assert mrcfile.validate(path)


@pytest.mark.parametrize("size", [(), (1, 1, 1)])
def test_size_that_nobody_said(tmp_path: Path, size: tuple[float, ...]) -> None:
    assert open_volume(write(tmp_path / "v.mrc", size=size)).voxel_size_nm is None


def test_single_image(tmp_path: Path) -> None:
    volume = open_volume(write(tmp_path / "v.mrc", VALUES[0].astype(np.float32), (40, 40, 40)))
    assert volume.shape == (1, 33, 47)
    assert volume.voxel_size_nm == (4, 4, 4)


@pytest.mark.parametrize(("flags", "dtype"), [(0, np.uint8), (1, np.int8)])
def test_bytes_of_imod(tmp_path: Path, flags: int, dtype) -> None:
    path = write(tmp_path / "v.mrc")
    content = bytearray(path.read_bytes())
    struct.pack_into("<ii", content, 152, 1146047817, flags)
    path.write_bytes(content)
    volume = open_volume(path)
    assert volume.dtype == dtype
    np.testing.assert_array_equal(volume.numpy(), VALUES.view(dtype))


def test_big_endian_file(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mrc", VALUES.astype(">i2"), (40, 40, 400))
    assert path.read_bytes()[212:214] == b"\x11\x11"
    volume = open_volume(path)
    assert volume.dtype == np.dtype("=i2")
    np.testing.assert_array_equal(volume.numpy(), VALUES)
    np.testing.assert_array_equal(volume.data[2], VALUES[2])
    assert volume.voxel_size_nm == (40, 4, 4)


def test_old_file_without_mark_is_known_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mrc")
    content = bytearray(path.read_bytes())
    content[208:212] = bytes(4)
    (tmp_path / "v.rec").write_bytes(content)
    np.testing.assert_array_equal(open_volume(tmp_path / "v.rec").numpy(), VALUES)


def test_other_axis_order_and_complex_pixels_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "v.mrc")
    content = bytearray(path.read_bytes())
    struct.pack_into("<iii", content, 64, 3, 2, 1)
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"axis order \(3, 2, 1\).*allowed"):
        open_volume(path)
    with pytest.raises(FormatError, match="complex64"):
        open_volume(write(tmp_path / "w.mrc", VALUES.astype(np.complex64)))
