"""Outputs that are refused or fail: the message, and that nothing is left behind."""

import shutil
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from chondria.errors import (
    DiskSpaceError,
    FormatError,
    MissingPackageError,
    OutputExistsError,
    ShapeError,
    VoxelSizeError,
)
from chondria.io import FORMATS, create_volume, format_suffix, open_volume, save_volume
from chondria.volume import Volume

STACK = Volume(np.arange(60, dtype=np.uint8).reshape(3, 4, 5), (30, 4, 4))
IMAGE = Volume(np.arange(20, dtype=np.uint8).reshape(1, 4, 5), (30, 4, 4))
FLAT = {"png"}


def fitting(key: str) -> Volume:
    return IMAGE if key in FLAT else STACK


class BreaksOff:
    """A source whose last slice cannot be read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape, self.dtype, self.chunks = shape, np.dtype(np.uint8), (1, 4, 5)

    def __getitem__(self, key):
        raise FormatError("slice 2 is damaged")


@pytest.mark.parametrize("key", FORMATS)
def test_failed_write_leaves_nothing(tmp_path: Path, key: str) -> None:
    path = tmp_path / "out" / f"v{format_suffix(key)}"
    with pytest.raises(FormatError, match="slice 2"):
        save_volume(Volume(BreaksOff(fitting(key).shape)), path, key)
    assert list(tmp_path.iterdir()) == []

    def interrupted() -> None:
        with create_volume(path, (1, 4, 5), "u1", None, key) as sink:
            sink[0] = 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", FORMATS)
def test_existing_output_is_kept_unless_overwritten(tmp_path: Path, key: str) -> None:
    path = tmp_path / f"v{format_suffix(key)}"
    save_volume(fitting(key), path, key)
    other = Volume(fitting(key).numpy()[:, :3] + 1)
    with pytest.raises(OutputExistsError, match="exists already"):
        save_volume(other, path, key)
    with pytest.raises(OutputExistsError, match="exists already"):
        create_volume(path, other.shape, "u1", None, key).__enter__()
    np.testing.assert_array_equal(open_volume(path).numpy(), fitting(key).numpy())
    save_volume(other, path, key, overwrite=True)
    np.testing.assert_array_equal(open_volume(path).numpy(), other.numpy())
    assert open_volume(path).voxel_size_nm is None
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("key", FORMATS)
def test_disk_too_small(tmp_path: Path, key: str, monkeypatch) -> None:
    usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    path = tmp_path / f"v{format_suffix(key)}"
    with pytest.raises(DiskSpaceError, match=r"may need 1\.0 MB .* 0\.0 MB free"):
        save_volume(fitting(key), path, key)
    with pytest.raises(DiskSpaceError):
        create_volume(path, fitting(key).shape, "u1", None, key).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_folder_of_other_things_is_never_overwritten(tmp_path: Path) -> None:
    for inside in ("notes.txt", "sub/0000.png", "0000.png/x"):
        home = tmp_path / inside.replace("/", "-")
        (home / inside).parent.mkdir(parents=True)
        (home / inside).write_text("dear")
        for key in ("png-slices", "tiff", "ome-zarr"):
            with pytest.raises(OutputExistsError, match="other things"):
                save_volume(STACK, home, key, overwrite=True)
        assert (home / inside).read_text() == "dear"


def test_zarr_group_of_several_arrays_is_never_overwritten(tmp_path: Path) -> None:
    import zarr

    group = zarr.create_group(tmp_path / "v.zarr")
    group.create_array("raw", shape=(2, 2), dtype="u1")
    with pytest.raises(OutputExistsError, match="other things"):
        save_volume(STACK, tmp_path / "v.zarr", overwrite=True)


def test_hdf5_file_with_other_datasets_is_never_overwritten(tmp_path: Path) -> None:
    import h5py

    path = save_volume(STACK, f"{tmp_path}/v.h5:/em/raw")
    assert open_volume(path).shape == STACK.shape
    save_volume(STACK, path, overwrite=True)
    with h5py.File(tmp_path / "v.h5", "a") as file:
        file["labels"] = np.zeros(3)
    with pytest.raises(OutputExistsError, match="other things"):
        save_volume(STACK, path, overwrite=True)
    with pytest.raises(FormatError, match="format is tiff"):
        save_volume(STACK, path, "tiff")


@pytest.mark.parametrize(
    ("dtype", "key", "offered"),
    [
        ("int32", "png-slices", "tiff, tiff-slices, ome-zarr"),
        ("float32", "png-slices", "tiff, tiff-slices, ome-zarr"),
        ("int32", "mrc", "nifti"),
        ("float16", "nifti", "mrc"),
    ],
)
def test_pixels_a_format_cannot_hold(tmp_path: Path, dtype: str, key: str, offered: str) -> None:
    volume = Volume(np.zeros((2, 3, 4), dtype))
    with pytest.raises(FormatError, match=f"{dtype}, which .* cannot hold .*--format.*{offered}"):
        save_volume(volume, tmp_path / "v", key)
    with pytest.raises(FormatError, match="cannot hold"):
        create_volume(tmp_path / "v", (2, 3, 4), dtype, None, key).__enter__()


def test_other_refusals(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"3 slices .* png-slices"):
        save_volume(STACK, tmp_path / "v.png")
    with pytest.raises(ShapeError, match="32767"):
        create_volume(tmp_path / "v.nii", (1, 1, 40000), "u1").__enter__()
    with pytest.raises(FormatError, match=r"by its name.*\.tif.*--format"):
        save_volume(STACK, tmp_path / "v")
    with pytest.raises(FormatError, match=r"no format 'jpeg'.*png-slices"):
        save_volume(STACK, tmp_path / "v", "jpeg")
    with pytest.raises(FormatError, match="complex64"):
        save_volume(Volume(np.zeros((2, 3, 4), np.complex64)), tmp_path / "v.npy")
    with pytest.raises(ShapeError, match=r"\(4, 5\)"):
        create_volume(tmp_path / "v.npy", (4, 5), "u1").__enter__()
    with pytest.raises(VoxelSizeError, match="micrometres"):
        create_volume(tmp_path / "v.npy", (1, 4, 5), "u1", (0.03, 0.004, 0.004)).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_stray_sidecar_is_kept(tmp_path: Path) -> None:
    (tmp_path / "v.npy.json").write_text("{}")
    with pytest.raises(OutputExistsError, match=r"v\.npy\.json"):
        save_volume(STACK, tmp_path / "v.npy")


@pytest.mark.parametrize(
    ("key", "package", "extra"),
    [("hdf5", "h5py", "hdf5"), ("mrc", "mrcfile", "mrc"), ("nifti", "nibabel.nifti1", "nifti")],
)
def test_missing_package(tmp_path: Path, key: str, package: str, extra: str, monkeypatch) -> None:
    path = save_volume(STACK, tmp_path / f"v{format_suffix(key)}", key)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, package.partition(".")[0], None)
    with pytest.raises(MissingPackageError, match=rf"pip install 'chondria\[{extra}\]'"):
        open_volume(path)
    with pytest.raises(MissingPackageError, match=rf"pip install 'chondria\[{extra}\]'"):
        save_volume(STACK, tmp_path / f"w{format_suffix(key)}", key)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "key"),
    [("a.TIF", "tiff"), ("a.ome.tiff", "tiff"), ("a.zarr", "ome-zarr"), ("a.nii.gz", "nifti")],
)
def test_format_follows_the_name(tmp_path: Path, name: str, key: str) -> None:
    from chondria.io import volume_format

    path = save_volume(STACK, tmp_path / name)
    assert volume_format(path) == key
    np.testing.assert_array_equal(open_volume(path).numpy(), STACK.numpy())
