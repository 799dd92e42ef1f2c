from pathlib import Path

import nibabel
import numpy as np
import pytest

from chondria.errors import FormatError, ShapeError, VoxelSizeError
from chondria.io import open_volume, save_volume
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(1, 30000, (5, 33, 47), np.int16)
AFFINE = np.diag([0.0046, 0.005, 0.05, 1])


def write(path: Path, values=VALUES.T, unit="micron", affine=AFFINE, kind=nibabel.Nifti1Image):
    image = kind(values, affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_arrays_run_x_y_z(tmp_path: Path, kind, suffix: str) -> None:
    volume = open_volume(write(tmp_path / f"v{suffix}", kind=kind))
    np.testing.assert_array_equal(volume.numpy(), VALUES)
    assert volume.voxel_size_nm == (50, 5, 4.6)


def test_nibabel_reads_what_is_written(tmp_path: Path) -> None:
    volume = Volume(VALUES, (50, 5, 4.6), (1000, 0, -20))
    for suffix in (".nii", ".nii.gz"):
        image = nibabel.load(save_volume(volume, tmp_path / f"v{suffix}"))
        np.testing.assert_array_equal(np.asarray(image.dataobj), VALUES.T)
        assert image.header.get_xyzt_units()[0] == "micron"
        np.testing.assert_allclose(image.header.get_zooms(), [0.0046, 0.005, 0.05], rtol=1e-6)
        np.testing.assert_allclose(image.affine[:3, 3], [-0.02, 0, 1], atol=1e-7)
        back = open_volume(tmp_path / f"v{suffix}")
        assert back.voxel_size_nm == (50, 5, 4.6)
        assert back.origin_nm == pytest.approx((1000, 0, -20))


@pytest.mark.parametrize(("unit", "zoom"), [("unknown", 5.0), ("unknown", 1.0), ("mm", 1.0)])
def test_size_that_nobody_said(tmp_path: Path, unit: str, zoom: float) -> None:
    path = write(tmp_path / "v.nii", unit=unit, affine=np.diag([zoom, zoom, zoom, 1]))
    assert open_volume(path).voxel_size_nm is None


def test_millimetres(tmp_path: Path) -> None:
    path = write(tmp_path / "v.nii", unit="mm", affine=np.diag([5e-6, 5e-6, 5e-5, 1]))
    assert open_volume(path).voxel_size_nm == pytest.approx((50, 5, 5))
    path = write(tmp_path / "w.nii", unit="mm", affine=np.diag([5, 5, 5, 1]))
    with pytest.raises(VoxelSizeError, match=r"header of .*w\.nii"):
        open_volume(path)


def test_scaled_and_big_endian_values(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    image = nibabel.Nifti1Image(VALUES.T, AFFINE, header)
    nibabel.save(image, tmp_path / "big.nii")
    volume = open_volume(tmp_path / "big.nii")
    assert volume.dtype == np.dtype("=i2")
    np.testing.assert_array_equal(volume.numpy(), VALUES)
    image = nibabel.Nifti1Image(VALUES.T / 1000.0, AFFINE)
    image.header.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "scaled.nii")
    np.testing.assert_allclose(
        open_volume(tmp_path / "scaled.nii").numpy(), VALUES / 1000, atol=5e-4
    )


def test_axes(tmp_path: Path) -> None:
    affine = np.diag([0.004, 0.005, 1, 1])
    flat = open_volume(write(tmp_path / "flat.nii", VALUES[0].T, affine=affine))
    np.testing.assert_array_equal(flat.numpy(), VALUES[:1])
    assert flat.voxel_size_nm == (5, 5, 4)
    one = open_volume(write(tmp_path / "one.nii", VALUES.T[..., np.newaxis]))
    np.testing.assert_array_equal(one.numpy(), VALUES)
    many = np.stack([VALUES.T, VALUES.T], axis=-1)
    with pytest.raises(ShapeError, match="4 axes"):
        open_volume(write(tmp_path / "many.nii", many))


def test_colours_and_complex_are_refused(tmp_path: Path) -> None:
    rgb = np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name, values in (("rgb.nii", rgb), ("complex.nii", VALUES.T.astype(np.complex64))):
        with pytest.raises(FormatError, match="pixels of type"):
            open_volume(write(tmp_path / name, values))
