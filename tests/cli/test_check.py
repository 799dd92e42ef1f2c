import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from typer.testing import CliRunner

from chondria.cli.main import app
from chondria.cli.options import open_images, parse_voxel_size
from chondria.errors import InputNotFoundError, VoxelSizeError
from chondria.io import save_volume
from chondria.volume import Volume

runner = CliRunner()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    noise = ndimage.gaussian_filter(
        np.random.default_rng(0).standard_normal((6, 96, 96)), (2, 3, 3)
    )
    grey = np.clip(128 + 40 * noise / noise.std(), 0, 255).astype(np.uint8)
    save_volume(Volume(grey, (40.0, 5.0, 5.0)), tmp_path / "image.tif")
    return tmp_path / "image.tif"


def test_sound_image_exits_with_zero(image: Path) -> None:
    result = runner.invoke(app, ["check", str(image)])
    assert result.exit_code == 0, result.output
    assert "6 x 96 x 96" in result.output
    assert "no errors" in result.output


def test_error_exits_with_two_after_the_table_and_json(image: Path, tmp_path: Path) -> None:
    save_volume(Volume(np.zeros((6, 96, 96), np.uint8)), tmp_path / "mask.tif")
    report = tmp_path / "report.json"
    arguments = ["check", str(image), "--mask", str(tmp_path / "mask.tif"), "--json", str(report)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert "1 error" in result.output
    findings = json.loads(report.read_text())["findings"]
    assert [f["what"] for f in findings if f["level"] == "error"] == ["mask values"]


def test_the_voxel_size_given_overrides_the_file(image: Path) -> None:
    result = runner.invoke(app, ["check", str(image), "--voxel-size", "30,6,6"])
    assert "30 x 6 x 6 nm" in result.output


@pytest.mark.parametrize("text", ["40", "40,5", "40,5,5,5", "a,b,c", "40;5;5", ""])
def test_voxel_sizes_that_are_not_three_numbers(text: str) -> None:
    with pytest.raises(VoxelSizeError, match="three lengths in nm as Z,Y,X"):
        parse_voxel_size(text)


@pytest.mark.parametrize(("text", "size"), [(None, None), ("40, 5.9,5.9", (40.0, 5.9, 5.9))])
def test_voxel_sizes_that_are(text: str | None, size: Any) -> None:
    assert parse_voxel_size(text) == size


@pytest.mark.parametrize("text", ["0,5,5", "-1,5,5", "nan,5,5", "0.04,0.005,0.005"])
def test_voxel_sizes_that_cannot_be(text: str) -> None:
    with pytest.raises(VoxelSizeError):
        parse_voxel_size(text)


def test_several_files_are_slices_in_natural_order(tmp_path: Path) -> None:
    for z in (2, 10, 1):
        save_volume(Volume(np.full((1, 8, 8), z, np.uint8)), tmp_path / f"s{z}.png")
    volume = open_images(sorted(tmp_path.glob("*.png")))
    assert volume.numpy()[:, 0, 0].tolist() == [1, 2, 10]


def test_no_file_at_all() -> None:
    with pytest.raises(InputNotFoundError):
        open_images([])
