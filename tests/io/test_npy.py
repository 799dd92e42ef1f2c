from pathlib import Path

import numpy as np
import pytest

from chondria.errors import FormatError
from chondria.io import open_volume, save_volume
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(1, 30000, (5, 33, 47), np.int16)


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_is_mapped(tmp_path: Path, dtype: str, order: str) -> None:
    np.save(tmp_path / "v.npy", np.asarray(VALUES.astype(dtype), order=order))
    volume = open_volume(tmp_path / "v.npy")
    assert volume.dtype.isnative
    np.testing.assert_array_equal(volume.numpy(), VALUES.astype(dtype))


def test_changes_never_reach_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VALUES)
    values = open_volume(tmp_path / "v.npy").numpy()
    assert isinstance(values, np.memmap)
    values[:] = 0
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), VALUES)


def test_image_and_sidecar(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VALUES[0])
    assert open_volume(tmp_path / "v.npy").shape == (1, 33, 47)
    (tmp_path / "v.npy.json").write_text('{"voxel_size_nm": [50, 4.6, 4.6]}')
    assert open_volume(tmp_path / "v.npy").voxel_size_nm == (50, 4.6, 4.6)
    (tmp_path / "v.npy.json").write_text("[50, 4.6, 4.6]")
    with pytest.raises(FormatError, match=r"v\.npy\.json cannot be read; allowed is"):
        open_volume(tmp_path / "v.npy")


def test_overwriting_without_a_voxel_size_removes_the_old_one(tmp_path: Path) -> None:
    save_volume(Volume(VALUES, (50, 4, 4)), tmp_path / "v.npy")
    assert (tmp_path / "v.npy.json").exists()
    save_volume(Volume(VALUES), tmp_path / "v.npy", overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["v.npy"]


def test_later_npy_versions_are_named(tmp_path: Path) -> None:
    with (tmp_path / "v.npy").open("wb") as stream:
        np.lib.format.write_array(stream, VALUES, version=(3, 0))
    with pytest.raises(FormatError, match="version 3"):
        open_volume(tmp_path / "v.npy")
