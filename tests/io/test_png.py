from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from chondria.errors import FormatError
from chondria.io import open_volume, save_volume
from chondria.io.png import encode_png, read_png, read_png_info
from chondria.volume import Volume

VALUES = np.random.default_rng(5).integers(0, 4, (33, 47), np.uint8)
LABEL_COLOURS = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
GREYS = [10, 10, 10, 80, 80, 80, 160, 160, 160, 250, 250, 250]


def palette_image(colours: list[int]) -> Image.Image:
    image = Image.fromarray(VALUES)
    image.putpalette(colours)
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_is_read_as_it_is(tmp_path: Path, dtype) -> None:
    values = (VALUES * np.uint16(20000 if dtype is np.uint16 else 60)).astype(dtype)
    Image.fromarray(values).save(tmp_path / "v.png")
    info = read_png_info(tmp_path / "v.png")
    assert (info.shape, info.dtype, info.is_grey) == ((33, 47), dtype, True)
    np.testing.assert_array_equal(read_png(tmp_path / "v.png"), values)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(VALUES > 1).save(tmp_path / "v.png")
    np.testing.assert_array_equal(read_png(tmp_path / "v.png"), (VALUES > 1) * np.uint8(255))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_coloured_palette_gives_indices(tmp_path: Path, bits: int) -> None:
    palette_image(LABEL_COLOURS).save(tmp_path / "v.png", bits=bits)
    assert read_png_info(tmp_path / "v.png").colour_type == 3
    np.testing.assert_array_equal(read_png(tmp_path / "v.png"), VALUES)


@pytest.mark.parametrize("transparent", [{}, {"transparency": 0}])
def test_grey_palette_gives_greys(tmp_path: Path, transparent) -> None:
    palette_image(GREYS).save(tmp_path / "v.png", **transparent)
    np.testing.assert_array_equal(
        read_png(tmp_path / "v.png"), np.array([10, 80, 160, 250], np.uint8)[VALUES]
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_grey_stored_with_channels(tmp_path: Path, mode: str) -> None:
    Image.fromarray(VALUES * 60).convert(mode).save(tmp_path / "v.png")
    np.testing.assert_array_equal(open_volume(tmp_path / "v.png").numpy()[0], VALUES * 60)


def test_colour_and_transparency_are_refused(tmp_path: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (20, 30, 4), np.uint8)
    Image.fromarray(rgb[..., :3]).save(tmp_path / "rgb.png")
    with pytest.raises(FormatError, match=r"3-channel image of shape \(20, 30, 3\) in .*rgb\.png"):
        open_volume(tmp_path / "rgb.png")
    Image.fromarray(rgb).save(tmp_path / "rgba.png")
    with pytest.raises(FormatError, match="4-channel image"):
        open_volume(tmp_path / "rgba.png")
    grey = np.repeat(rgb[..., :1], 4, axis=-1)
    Image.fromarray(grey).save(tmp_path / "clear.png")
    with pytest.raises(FormatError, match=r"not opaque in .*clear\.png"):
        open_volume(tmp_path / "clear.png")


def test_written_files_are_plain_png_with_a_text(tmp_path: Path) -> None:
    path = save_volume(Volume(VALUES[np.newaxis], (50, 4.6, 4.6)), tmp_path / "v.png")
    with Image.open(path) as image:
        assert image.text == {"chondria": '{"voxel_size_nm": [50.0, 4.6, 4.6]}'}
        np.testing.assert_array_equal(np.array(image), VALUES)


def test_foreign_texts_are_passed_over(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Comment", "{not json")
    Image.fromarray(VALUES).save(tmp_path / "v.png", pnginfo=texts, dpi=(300, 300))
    assert open_volume(tmp_path / "v.png").voxel_size_nm is None


def test_encoding_of_views_equals_that_of_copies() -> None:
    view = VALUES[::2, ::-1]
    np.testing.assert_array_equal(imagecodecs.png_decode(encode_png(view)), view)


def test_other_content_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.png").write_bytes(b"II*\0")
    with pytest.raises(FormatError, match="no PNG by its content"):
        read_png_info(tmp_path / "v.png")
