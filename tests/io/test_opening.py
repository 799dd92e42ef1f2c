"""Inputs that are missing, damaged or of the wrong kind: each an error that says so."""

import contextlib
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chondria.errors import (
    ChondriaError,
    FormatError,
    InputNotFoundError,
    ShapeError,
    VoxelSizeError,
)
from chondria.io import FORMATS, format_suffix, open_slices, open_volume, save_volume, volume_format
from chondria.volume import Volume

VALUES = np.random.default_rng(3).integers(0, 255, (4, 50, 60), np.uint8)
STACK = Volume(VALUES, (30, 4, 4))
FILES = [key for key, entry in FORMATS.items() if entry.suffix and "zarr" not in key]


def save(folder: Path, key: str, suffix: str | None = None) -> Path:
    volume = STACK.with_data(VALUES[:1]) if key == "png" else STACK
    return save_volume(volume, folder / f"v{suffix or format_suffix(key)}", key)


def test_missing_input_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "volume_1.tif").touch()
    with pytest.raises(InputNotFoundError, match=r"no file or folder '.*volume1\.tif'.*volume_1"):
        open_volume(tmp_path / "volume1.tif")
    with pytest.raises(InputNotFoundError, match=r"folder '.*nowhere' does not exist either"):
        open_volume(tmp_path / "nowhere" / "v.tif")
    with pytest.raises(InputNotFoundError, match="no file or folder"):
        open_volume(tmp_path / "file.h5:/raw")
    with pytest.raises(InputNotFoundError, match="no file or folder"):
        open_slices([tmp_path / "1.png"])
    with pytest.raises(InputNotFoundError, match="no image files"):
        open_slices([])


def test_input_that_may_not_be_read(tmp_path: Path, monkeypatch) -> None:
    np.save(tmp_path / "v.npy", VALUES)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputNotFoundError, match=r"v\.npy' may not be read"):
        open_volume(tmp_path / "v.npy")


def test_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match=r"no TIFF or PNG slices \(found: nothing\)"):
        open_volume(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / ".0000.png").touch()
    with pytest.raises(InputNotFoundError, match="found: images"):
        open_volume(tmp_path)


def test_unknown_content_lists_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"no image at all")
    with pytest.raises(FormatError, match=r"of no format that can be read: .*OME-Zarr.*NIfTI"):
        open_volume(tmp_path / "a.tif")
    (tmp_path / "a.png").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(FormatError, match="looks like a JPEG"):
        open_volume(tmp_path / "a.png")
    (tmp_path / "empty.tif").touch()
    with pytest.raises(FormatError, match="empty"):
        open_volume(tmp_path / "empty.tif")
    (tmp_path / "a.tif.gz").write_bytes(gzip.compress(b"II*\0" + bytes(600)))
    with pytest.raises(FormatError, match="of no format"):
        open_volume(tmp_path / "a.tif.gz")


@pytest.mark.parametrize("key", FILES)
def test_content_decides_not_the_name(tmp_path: Path, key: str) -> None:
    path = save(tmp_path, key, suffix=".dat")
    assert volume_format(path) == key
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES[: 1 if key == "png" else 4])


@pytest.mark.parametrize("key", [*FILES, "nii.gz", "tiff-plain", "tiff-ome", "tiff-big"])
@pytest.mark.parametrize("kept", [1e-3, 0.01, 0.3, 0.7, 0.95, -60])
def test_truncated_files(tmp_path: Path, key: str, kept: float) -> None:
    path = tmp_path / f"v.{key}"
    if key.startswith("tiff-"):
        settings = {"tiff-plain": {}, "tiff-ome": {"ome": True}, "tiff-big": {"bigtiff": True}}[key]
        tifffile.imwrite(path, VALUES, photometric="minisblack", **settings)
    else:
        path = save(tmp_path, *(("nifti", ".nii.gz") if key == "nii.gz" else (key,)))
    size = path.stat().st_size
    os.truncate(path, max(1, size + int(kept) if kept < 0 else int(size * kept)))
    with pytest.raises(FormatError, match=r"truncated|damaged|Cannot read|no format"):
        open_volume(path).numpy()


@pytest.mark.parametrize("key", ["tiff", "png", "npy", "nifti", "mrc", "hdf5"])
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_any_damage_is_our_error_or_a_volume(tmp_path: Path, key: str, place: float, byte) -> None:
    path = tmp_path / f"v{format_suffix(key)}"
    if not path.exists():
        save(tmp_path, key)
        path.rename(tmp_path / "whole")
    content = bytearray((tmp_path / "whole").read_bytes())
    # Headers are where damage is dangerous: half of the places lie in the first 2 per cent.
    content[int(place**6 * (len(content) - 1))] = byte
    path.write_bytes(content)
    # Only our errors may come out, or what numpy says of a header that promises terabytes.
    with contextlib.suppress(ChondriaError, MemoryError):
        open_volume(path).numpy()


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4, 5), (1, 2, 3, 4, 5), (0, 4, 5), (3, 0)])
def test_arrays_that_are_no_volume(tmp_path: Path, shape: tuple[int, ...]) -> None:
    import h5py
    import zarr

    values = np.ones(shape, np.uint8)
    np.save(tmp_path / "v.npy", values)
    zarr.create_array(tmp_path / "v.zarr", shape=shape, dtype="u1")
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["raw"] = values
    said = str(shape).replace("(", r"\(").replace(")", r"\)")
    for name in ("v.npy", "v.zarr", "v.h5:/raw"):
        with pytest.raises(ShapeError, match=rf"{len(shape)} axes of shape {said}.*one channel"):
            open_volume(tmp_path / name)


@pytest.mark.parametrize("dtype", [np.complex64, object, "S3", [("r", "u1"), ("g", "u1")]])
def test_pixels_that_are_no_numbers(tmp_path: Path, dtype) -> None:
    np.save(tmp_path / "v.npy", np.zeros((2, 3, 4), dtype))
    with pytest.raises(FormatError, match=r"pixels of type|pickled|objects"):
        open_volume(tmp_path / "v.npy")


@pytest.mark.parametrize("size", [(0.03, 0.004, 0.004), (5e6, 5e6, 5e6)])
def test_implausible_voxel_size_of_a_file_can_be_overruled(tmp_path: Path, size) -> None:
    z, y, x = size
    metadata = {"axes": "ZYX", "spacing": z, "unit": "nm"}
    tifffile.imwrite(
        tmp_path / "v.tif", VALUES, imagej=True, resolution=(1 / x, 1 / y), metadata=metadata
    )
    with pytest.raises(VoxelSizeError, match=r"header of '.*v\.tif' states.*--voxel-size"):
        open_volume(tmp_path / "v.tif")
    assert open_volume(tmp_path / "v.tif", (30, 4, 4)).voxel_size_nm == (30, 4, 4)
    with pytest.raises(VoxelSizeError, match="micrometres"):
        open_volume(tmp_path / "v.tif", (0.03, 0.004, 0.004))


def test_single_slice_with_two_lengths_and_stack_with_two(tmp_path: Path, caplog) -> None:
    said = {"unit": "nm", "axes": "ZYX"}
    for name, values in (("one.tif", VALUES[:1]), ("many.tif", VALUES)):
        tifffile.imwrite(
            tmp_path / name, values, imagej=True, resolution=(1 / 4, 1 / 5), metadata=said
        )
    assert open_volume(tmp_path / "one.tif").voxel_size_nm == pytest.approx((5, 5, 4))
    assert open_volume(tmp_path / "many.tif").voxel_size_nm is None
    assert "many.tif' states no voxel size along all" in caplog.text


def test_files_are_not_read_when_opened(data_folder: Path) -> None:
    volume = open_volume(data_folder / "lucchi++" / "test" / "images", (5, 5, 5))
    assert volume.shape == (165, 768, 1024)
    assert volume.dtype == np.uint8
    assert not isinstance(volume.data, np.ndarray)
    image = volume.data[80]
    assert image.shape == (768, 1024)
    assert 50 < image.mean() < 200
    assert image.std() > 10
    np.testing.assert_array_equal(volume.data[79:82, 100:104][1], image[100:104])
    labels = open_volume(data_folder / "lucchi++" / "test" / "labels")
    assert set(np.unique(labels.data[80])) == {0, 255}
