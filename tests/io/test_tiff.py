import logging
import multiprocessing
import struct
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile

from chondria.errors import FormatError, ShapeError
from chondria.io import create_volume, open_volume, save_volume, tiff_write
from chondria.io.header import Grid
from chondria.io.tiff_chain import check_chain
from chondria.volume import Volume

RNG = np.random.default_rng(5)
VALUES = RNG.integers(0, 255, (6, 33, 47), np.uint8)


def write(path: Path, values: np.ndarray = VALUES, **settings) -> Path:
    settings.setdefault("photometric", "minisblack")
    tifffile.imwrite(path, values, **settings)
    return path


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "f4", "f8"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"bigtiff": True, "tile": (16, 16)},
        {"rowsperstrip": 5},
        {"metadata": None},
        {"ome": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "metadata": {"axes": "TYX"}},
    ],
    ids=str,
)
def test_foreign_files(tmp_path: Path, byteorder: str, dtype: str, settings) -> None:
    values = VALUES.astype(dtype)
    volume = open_volume(write(tmp_path / "v.tif", values, byteorder=byteorder, **settings))
    assert volume.dtype == np.dtype(dtype)
    assert volume.dtype.isnative
    np.testing.assert_array_equal(volume.numpy(), values)
    np.testing.assert_array_equal(volume.data[2], values[2])


def imagej(path: Path, unit: str, spacing: float, x: float, y: float) -> Path:
    metadata = {"axes": "ZYX", "spacing": spacing, "unit": unit}
    return write(path, imagej=True, resolution=(1 / x, 1 / y), metadata=metadata)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("nm", 1),
        ("micron", 1e-3),
        ("um", 1e-3),
        ("\\u00B5m", 1e-3),
        ("Angstrom", 10),
        ("mm", 1e-6),
        ("nanometers", 1),
    ],
)
def test_units_of_imagej(tmp_path: Path, unit: str, factor: float) -> None:
    path = imagej(tmp_path / "v.tif", unit, 50 * factor, 4.6 * factor, 5 * factor)
    assert open_volume(path).voxel_size_nm == pytest.approx((50, 5, 4.6), rel=1e-4)


@pytest.mark.parametrize("unit", ["inch", "cm", "pixel", "", "furlong"])
def test_units_that_are_no_voxel_size(tmp_path: Path, unit: str) -> None:
    assert open_volume(imagej(tmp_path / "v.tif", unit, 5, 5, 5)).voxel_size_nm is None


@pytest.mark.parametrize("unit", ["INCH", "CENTIMETER", "NONE"])
@pytest.mark.parametrize("dots", [72, 96, 300, 10**7])
def test_resolution_tags_alone_are_a_printers(tmp_path: Path, unit: str, dots: int) -> None:
    path = write(tmp_path / "v.tif", resolution=(dots, dots), resolutionunit=unit)
    assert open_volume(path).voxel_size_nm is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"X": 0.0046, "Y": 0.005, "Z": 0.05}, (50, 5, 4.6)),
        ({"X": 4.6, "Y": 5, "Z": 50, "Unit": "nm"}, (50, 5, 4.6)),
        ({"X": 46, "Y": 50, "Z": 500, "Unit": "\u00c5"}, (50, 5, 4.6)),
        ({"X": 4.6, "Y": 5, "Z": 50, "Unit": "pixel"}, None),
        ({"X": 0.0046, "Y": 0.005}, None),
        ({}, None),
    ],
)
def test_physical_size_of_ome(tmp_path: Path, said, expected) -> None:
    unit = {f"PhysicalSize{n}Unit": said["Unit"] for n in "XYZ" if "Unit" in said}
    size = {f"PhysicalSize{n}": said[n] for n in "XYZ" if n in said}
    path = write(tmp_path / "v.ome.tif", ome=True, metadata={"axes": "ZYX", **size, **unit})
    assert open_volume(path).voxel_size_nm == (expected and pytest.approx(expected))


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_grey_stored_as_rgb_is_grey_and_colour_is_refused(tmp_path, planar, compression) -> None:
    rgb = np.repeat(VALUES[..., np.newaxis], 3, axis=-1)
    settings = {"photometric": "rgb", "planarconfig": planar, "compression": compression}

    def stored(values: np.ndarray) -> np.ndarray:
        return values if planar == 1 else np.moveaxis(values, -1, 1)

    path = write(tmp_path / "grey.tif", stored(rgb), **settings)
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES)
    rgb[4, 7, 9] = 1, 2, 3
    late = open_volume(write(tmp_path / "late.tif", stored(rgb), **settings))
    with pytest.raises(FormatError, match=r"3-channel image .* page 5 of"):
        late.numpy()
    with pytest.raises(FormatError, match=r"page 1 of .*pick one channel"):
        open_volume(write(tmp_path / "colour.tif", stored(rgb[4:]), **settings))


def test_alpha(tmp_path: Path) -> None:
    rgba = np.repeat(VALUES[:1, ..., np.newaxis], 4, axis=-1)
    rgba[..., 3] = 255
    settings = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    path = write(tmp_path / "a.tif", rgba, **settings)
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES[:1])
    rgba[0, 3, 3, 3] = 128
    with pytest.raises(FormatError, match="alpha channel that is not opaque"):
        open_volume(write(tmp_path / "b.tif", rgba, **settings))


def test_one_bit_inverted_and_palette(tmp_path: Path) -> None:
    mask = VALUES > 128
    bits = open_volume(write(tmp_path / "1bit.tif", mask))
    np.testing.assert_array_equal(bits.numpy(), mask * np.uint8(255))
    assert bits.dtype == np.uint8
    inverted = open_volume(write(tmp_path / "white.tif", VALUES, photometric="miniswhite"))
    np.testing.assert_array_equal(inverted.numpy(), 255 - VALUES)
    colours = RNG.integers(0, 65535, (3, 256), np.uint16)
    palette = write(tmp_path / "p.tif", VALUES, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(open_volume(palette).numpy(), VALUES)


@pytest.mark.parametrize("axes", ["CYX", "TZYX", "ZCYX"])
def test_channels_and_times_are_refused_by_name(tmp_path: Path, axes: str) -> None:
    values = VALUES if len(axes) == 3 else VALUES.reshape(2, 3, 33, 47)
    path = write(tmp_path / "v.tif", values, ome=True, metadata={"axes": axes})
    with pytest.raises(ShapeError, match=rf"{axes[0]}=\d.* of shape .*pick one channel"):
        open_volume(path)


def test_pages_of_different_size(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "v.tif") as tif:
        for values in (VALUES[0], VALUES[1, :20]):
            tif.write(values, photometric="minisblack")
    with pytest.raises(ShapeError, match=r"2 separate images .*\(33, 47\) and \(20, 47\)"):
        open_volume(tmp_path / "v.tif")


def test_imagej_virtual_stack_of_one_page(tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", imagej=True, metadata={"axes": "ZYX"})
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, 0)  # ImageJ's way beyond 4 GB
    path.write_bytes(content)
    np.testing.assert_array_equal(open_volume(path).numpy(), VALUES)
    path.write_bytes(content[: 5 * VALUES[0].size])
    with pytest.raises(FormatError, match="truncated"):
        open_volume(path)


def test_missing_file_of_a_multi_file_ome(tmp_path: Path, caplog) -> None:
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="47" '
        'SizeY="33" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="C:0" SamplesPerPixel="1"/>'
        '<TiffData FirstZ="0" IFD="0"><UUID FileName="v.ome.tif">urn:uuid:a</UUID></TiffData>'
        '<TiffData FirstZ="1" IFD="0"><UUID FileName="w.ome.tif">urn:uuid:b</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    caplog.set_level(logging.CRITICAL)
    path = write(tmp_path / "v.ome.tif", VALUES[0], description=xml, metadata=None)
    with pytest.raises(FormatError, match=r"Page 2 .* another file that is missing"):
        open_volume(path)


def test_chain_that_loops_or_breaks(tmp_path: Path) -> None:
    path = write(tmp_path / "v.tif", metadata=None)
    check_chain(path)
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    for offset in (first, len(content) + 8):
        struct.pack_into("<I", content, first + 2 + 12 * count, offset)
        path.write_bytes(content)
        with pytest.raises(FormatError, match="breaks off after 1 pages"):
            check_chain(path)


def test_kind_of_tiff_follows_pixels_and_size(tmp_path: Path) -> None:
    for dtype, kind in (("u1", "is_imagej"), ("i4", "is_ome"), ("u8", "is_shaped")):
        path = save_volume(Volume(VALUES.astype(dtype), (50, 4, 4)), tmp_path / f"{dtype}.tif")
        with tifffile.TiffFile(path) as tif:
            assert getattr(tif, kind)
            assert not tif.is_bigtiff
            assert len(tif.pages) == 6
            assert tif.pages.first.compression == 8
    large = tiff_write._settings(Grid((5000, 1000, 1000), np.dtype("u1"), (5.0, 5.0, 5.0)))
    assert large["bigtiff"]
    assert large["ome"]


def test_created_file_larger_than_classic_tiff(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tiff_write, "_CLASSIC_BYTES", 1000)
    with create_volume(tmp_path / "v.tif", VALUES.shape, "u1", (50, 4, 5)) as sink:
        sink[2:4] = VALUES[2:4]
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.is_bigtiff
        assert tif.is_ome
    volume = open_volume(tmp_path / "v.tif")
    np.testing.assert_array_equal(volume.data[1:4:2], VALUES[1:4:2] * [[[0]], [[1]]])
    assert volume.voxel_size_nm == (50, 4, 5)


def test_pages_are_read_by_other_processes(tmp_path: Path) -> None:
    volume = open_volume(save_volume(Volume(VALUES), tmp_path / "v.tif"))
    volume.data[0]  # the file is open here already
    context = multiprocessing.get_context("forkserver")
    # A function of the package: the processes need not find this file. Unlike a Pool, the executor
    # fails, not hangs, where one of them dies.
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for found in pool.map(Volume.numpy, [volume] * 4):
            np.testing.assert_array_equal(found, VALUES)
