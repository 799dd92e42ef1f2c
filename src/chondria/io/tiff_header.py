"""Voxel size and origin in the metadata of a TIFF: OME, ImageJ, and our own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from chondria.io.header import NO_ORIGIN, Grid, Header, header_from_dict, length_nm

if TYPE_CHECKING:
    from tifffile import TiffFile

__all__ = ["imagej_metadata", "ome_metadata", "tiff_header"]

_logger = logging.getLogger(__name__)

# Lengths of a printer: programs copy a resolution of 72 or 300 dots per inch into micrographs.
_PRINT_UNITS = ("inch", "inches", "in", "cm", "centimeter", "centimeters")
_XYZ = "XYZ"


def tiff_header(tif: TiffFile) -> Header:
    """Read what a TIFF says of its voxel size.

    Parameters
    ----------
    tif : TiffFile
        The open file.

    Returns
    -------
    Header
        From OME-XML, ImageJ's description with its resolution tags, or chondria's description.
        Resolution tags alone are the setting of a printer and say nothing.
    """
    if tif.ome_metadata:
        return _from_ome(tif.ome_metadata)
    if tif.imagej_metadata:
        return _from_imagej(tif.imagej_metadata, tif.pages.first.tags)
    for said in tif.shaped_metadata or ():
        if "voxel_size_nm" in said or "origin_nm" in said:
            return header_from_dict(said, tif.filename)
    return Header()


def imagej_metadata(grid: Grid) -> tuple[dict[str, Any], tuple[float, float] | None]:
    """Give ImageJ's description of a grid, and the pixels per nanometre along x and y."""
    metadata: dict[str, Any] = {"axes": "ZYX"}
    if grid.voxel_size_nm is None:
        return metadata, None
    metadata.update(spacing=grid.voxel_size_nm[0], unit="nm")
    if grid.origin_nm != NO_ORIGIN:  # ImageJ says which voxel, counted from the first, is zero
        for name, shift, size in zip("zyx", grid.origin_nm, grid.voxel_size_nm, strict=True):
            metadata[f"{name}origin"] = -shift / size
    return metadata, (1 / grid.voxel_size_nm[2], 1 / grid.voxel_size_nm[1])


def ome_metadata(grid: Grid) -> dict[str, Any]:
    """Give the attributes of a grid in OME-XML."""
    metadata: dict[str, Any] = {"axes": "ZYX"}
    for name, size in zip("ZYX", grid.voxel_size_nm or (), strict=False):
        metadata[f"PhysicalSize{name}"] = size
        metadata[f"PhysicalSize{name}Unit"] = "nm"
    if grid.origin_nm != NO_ORIGIN:
        depth, z_step = grid.shape[0], (grid.voxel_size_nm or (0.0,))[0]
        z, y, x = grid.origin_nm
        metadata["Plane"] = {
            "PositionZ": [z + z_step * place for place in range(depth)],
            "PositionY": [y] * depth,
            "PositionX": [x] * depth,
            **{f"Position{name}Unit": ["nm"] * depth for name in _XYZ},
        }
    return metadata


def _from_ome(xml: str) -> Header:
    from xml.etree import ElementTree

    pixels = ElementTree.fromstring(xml).find(".//{*}Pixels")
    if pixels is None:
        return Header()
    size = [
        length_nm(_number(pixels.get(f"PhysicalSize{n}")), pixels.get(f"PhysicalSize{n}Unit", "um"))
        for n in reversed(_XYZ)
    ]
    plane = pixels.find("{*}Plane[@PositionX]")
    if plane is None or pixels.get("PhysicalSizeX") is None:
        return Header(size)
    z, y, x = (
        (_number(plane.get(f"Position{n}")) or 0.0)
        * (length_nm(1.0, plane.get(f"Position{n}Unit")) or 0.0)
        for n in reversed(_XYZ)
    )
    return Header(size, (z, y, x))


def _from_imagej(said: dict[str, Any], tags: Any) -> Header:
    unit = str(said.get("unit", ""))
    if unit.strip().lower() in _PRINT_UNITS:
        _logger.info("a resolution in %s is a printer's setting, not a voxel size", unit)
        return Header()
    pixel = [_pixel_length(tags, name) for name in ("YResolution", "XResolution")]
    lengths = [_number(said.get("spacing")), *pixel]
    units = [str(said.get(name, unit)) for name in ("zunit", "yunit", "unit")]
    size = [length_nm(length, u) for length, u in zip(lengths, units, strict=True)]
    voxels = [_number(said.get(f"{name}origin")) or 0.0 for name in "zyx"]
    # Adding zero turns the -0.0 of no origin into 0.0.
    z, y, x = (-n * (s or 0.0) + 0.0 for n, s in zip(voxels, size, strict=True))
    return Header(size, (z, y, x))


def _pixel_length(tags: Any, name: str) -> float | None:
    value = tags[name].value if name in tags else None
    if not isinstance(value, tuple) or len(value) != 2 or not value[0]:
        return None
    return float(value[1]) / float(value[0])


def _number(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError):
        return None
