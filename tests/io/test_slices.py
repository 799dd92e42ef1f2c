from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from chondria.errors import FormatError, ShapeError
from chondria.io import open_slices, open_volume, save_volume, volume_format
from chondria.volume import Volume

VALUES = np.random.default_rng(3).integers(0, 255, (12, 6, 7), np.uint8)


def write(path: Path, image: np.ndarray) -> Path:
    if path.suffix.lower() == ".png":
        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(image)))
    else:
        tifffile.imwrite(path, image)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
def test_slices_are_in_numeric_order(tmp_path: Path, suffix: str) -> None:
    files = [write(tmp_path / f"mito_{z}{suffix}", image) for z, image in enumerate(VALUES)]
    for name in (".hidden.png", "Thumbs.db", "notes.txt"):
        (tmp_path / name).write_text("no image")
    np.testing.assert_array_equal(open_volume(tmp_path).numpy(), VALUES)
    shell_order = sorted(str(file) for file in files)
    assert [Path(file).stem for file in shell_order[:3]] == ["mito_0", "mito_1", "mito_10"]
    np.testing.assert_array_equal(open_slices(shell_order, (30, 4, 4)).numpy(), VALUES)
    assert open_slices(shell_order[3:5], (30, 4, 4)).voxel_size_nm == (30, 4, 4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("other", [VALUES[0, :5], VALUES[0].astype(np.uint16)])
def test_unequal_slices_name_the_first_one(tmp_path: Path, suffix: str, other) -> None:
    for z, image in enumerate(VALUES):
        write(tmp_path / f"{z}{suffix}", image)
    write(tmp_path / f"7{suffix}", other)
    write(tmp_path / f"9{suffix}", other)
    shapes = rf"'.*[/\\]7{suffix}' is of shape \({len(other)}, 7\) and type {other.dtype}.*\(6, 7\)"
    with pytest.raises(ShapeError, match=shapes):
        open_volume(tmp_path)


def test_mixed_formats_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "0.png", VALUES[0])
    write(tmp_path / "1.tif", VALUES[1])
    with pytest.raises(FormatError, match=r"mixes slices of different formats \(\.png, \.tif\)"):
        open_volume(tmp_path)


def test_files_of_several_slices_or_other_formats_are_no_slice(tmp_path: Path) -> None:
    write(tmp_path / "0.tif", VALUES)
    with pytest.raises(ShapeError, match=r"holds 12 slices of shape \(6, 7\)"):
        open_volume(tmp_path)
    np.save(tmp_path / "0.npy", VALUES[0])
    with pytest.raises(FormatError, match="of the format npy"):
        open_slices([tmp_path / "0.npy"])


def test_damaged_slice_is_named_when_it_is_read(tmp_path: Path) -> None:
    for z, image in enumerate(VALUES):
        file = write(tmp_path / f"{z}.png", image)
    content = file.read_bytes()
    file.write_bytes(content[:-30])
    volume = open_volume(tmp_path)
    np.testing.assert_array_equal(volume.data[:11], VALUES[:11])
    with pytest.raises(FormatError, match=r"11\.png: the file is truncated"):
        volume.numpy()


def test_slice_that_changed_after_opening(tmp_path: Path) -> None:
    write(tmp_path / "0.png", VALUES[0])
    volume = open_volume(tmp_path)
    write(tmp_path / "0.png", VALUES[0, :3])
    with pytest.raises(FormatError, match="open it again"):
        volume.numpy()


def test_colour_is_refused_at_once_and_grey_colour_accepted(tmp_path: Path) -> None:
    rgb = np.repeat(VALUES[..., np.newaxis], 3, axis=-1)
    for z, image in enumerate(rgb):
        write(tmp_path / f"{z}.png", image)
    np.testing.assert_array_equal(open_volume(tmp_path).numpy(), VALUES)
    rgb[0, 2, 3] = 1, 2, 3
    write(tmp_path / "0.png", rgb[0])
    with pytest.raises(FormatError, match=r"3-channel image .*0\.png.*pick one channel"):
        open_volume(tmp_path)


def test_voxel_size_file_of_a_folder(tmp_path: Path) -> None:
    path = save_volume(Volume(VALUES, (50, 4.6, 4.6)), tmp_path / "v", "png-slices")
    assert (path / "voxel_size.json").read_text() == '{"voxel_size_nm": [50.0, 4.6, 4.6]}\n'
    assert [file.name for file in sorted(path.iterdir())][:2] == ["0000.png", "0001.png"]
    assert volume_format(path) == "png-slices"
    (path / "voxel_size.json").write_text('{"voxel_size_nm": [50')
    with pytest.raises(FormatError, match=r"voxel_size\.json' is no JSON"):
        open_volume(path)
    (path / "voxel_size.json").write_text('{"voxel_size_nm": "five"}')
    with pytest.raises(FormatError, match="three numbers in Z, Y, X order"):
        open_volume(path)
