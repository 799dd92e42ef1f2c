"""OME-Zarr images: read 0.4 and 0.5 (and older), write both; one resolution level.

The specification: https://ngff.openmicroscopy.org/0.5/ (Moore et al. 2021,
doi:10.1038/s41592-021-01326-w).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chondria.errors import FormatError, ShapeError
from chondria.io.damage import damaged_as_format_error
from chondria.io.header import NO_ORIGIN, Grid, Header, length_nm
from chondria.io.slabs import ArraySink
from chondria.io.view import ZyxAxes, ZyxView
from chondria.io.zarr_arrays import new_array, open_array
from chondria.io.zarr_node import ZarrNode, is_zarr, read_node
from chondria.volume import ArraySource, VoxelSize

__all__ = ["create_ome_zarr", "create_ome_zarr_04", "find_level", "open_ome_zarr"]


def open_ome_zarr(path: Path) -> tuple[ArraySource, Header]:
    """Open an image of an OME-Zarr lazily.

    Parameters
    ----------
    path : Path
        The group of a multiscale image (its finest level is taken) or one of its levels.

    Returns
    -------
    source : ArraySource, (Z, Y, X)
        The level; time and channel axes must have length one.
    header : Header
        Scale and translation of the level where its axes have units of length.

    Raises
    ------
    FormatError
        If the group holds no image, or metadata or chunks are missing or damaged.
    ShapeError
        If there are several channels or time points.
    """
    node = read_node(path)
    level = find_level(path)
    if node.kind == "group":
        level = node, 0
        if not node.multiscales:
            inside = ", ".join(node.children()) or "nothing"
            raise FormatError(
                f"The Zarr group '{path}' is no OME-Zarr image (no 'multiscales'); name the array "
                f"or image inside it to use: {inside}."
            )
    if level is None:
        raise FormatError(f"The Zarr array '{path}' is not a level of an OME-Zarr image.")
    group, number = level
    with damaged_as_format_error(path):
        image = group.multiscales[0]
        dataset = image["datasets"][number]
        array = open_array(read_node(group.path / dataset["path"]))
        names, units = _axes(image, len(array.shape))
        header = _header(image, dataset, names, units)
    return ZyxView(array, _zyx(names, array.shape, path), path), header


def find_level(path: Path) -> tuple[ZarrNode, int] | None:
    """Find the OME-Zarr image of which a folder is a level, and the number of the level."""
    whole = path.resolve()
    for parent in list(whole.parents)[:2]:
        if not is_zarr(parent):
            continue
        group = read_node(parent)
        for image in group.multiscales[:1]:
            for number, dataset in enumerate(image.get("datasets", [])):
                if parent / str(dataset.get("path")) == whole:
                    return group, number
    return None


@contextmanager
def create_ome_zarr(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create an OME-Zarr 0.5 image (Zarr version 3, sharded) and give it to be written."""
    with _create(path, grid, 3) as sink:
        yield sink


@contextmanager
def create_ome_zarr_04(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create an OME-Zarr 0.4 image (Zarr version 2, nested chunks) and give it to be written."""
    with _create(path, grid, 2) as sink:
        yield sink


@contextmanager
def _create(path: Path, grid: Grid, version: int) -> Iterator[ArraySink]:
    import zarr

    image = {"name": path.name.split(".partial.")[-1].split(".")[0], **_metadata(grid)}
    attributes: dict[str, Any] = {"ome": {"version": "0.5", "multiscales": [image]}}
    if version == 2:
        attributes = {"multiscales": [{"version": "0.4", **image}]}
    zarr.create_group(store=str(path), zarr_format=2 if version == 2 else 3, attributes=attributes)
    _, buffer = new_array(path / "0", grid, version, {})
    yield buffer
    buffer.close()


def _metadata(grid: Grid) -> dict[str, Any]:
    unit = {} if grid.voxel_size_nm is None else {"unit": "nanometer"}
    scale = grid.voxel_size_nm or (1.0, 1.0, 1.0)
    transformations: list[dict[str, Any]] = [{"type": "scale", "scale": list(scale)}]
    if grid.origin_nm != NO_ORIGIN:
        transformations.append({"type": "translation", "translation": list(grid.origin_nm)})
    return {
        "axes": [{"name": name, "type": "space", **unit} for name in "zyx"],
        "datasets": [{"path": "0", "coordinateTransformations": transformations}],
    }


def _axes(image: dict[str, Any], ndim: int) -> tuple[list[str], list[str | None]]:
    """Names and units of the axes; before version 0.4 they were plain names or left out."""
    axes = image.get("axes") or list("tczyx")[-ndim:]
    dicts = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    return [str(axis["name"]).lower() for axis in dicts], [axis.get("unit") for axis in dicts]


def _zyx(names: Sequence[str], shape: Sequence[int], where: Path) -> ZyxAxes:
    said = ", ".join(f"{name}={size}" for name, size in zip(names, shape, strict=False))
    if len(names) != len(shape) or not {"y", "x"} <= set(names):
        raise FormatError(
            f"The axes of '{where}' do not fit its array: found '{said}' for shape "
            f"{tuple(shape)}; allowed are z, y, x with time and channel axes of length one."
        )
    many = [n for n, size in zip(names, shape, strict=True) if n not in "zyx" and size != 1]
    if many:
        raise ShapeError(
            f"Found the axes {said} in '{where}'; a volume has one channel and one time point, so "
            f"pick one along {' and '.join(many)} and save it."
        )
    return (names.index("z") if "z" in names else None), names.index("y"), names.index("x")


def _header(
    image: dict[str, Any], dataset: dict[str, Any], names: list[str], units: list[str | None]
) -> Header:
    scale, shift = [1.0] * len(names), [0.0] * len(names)
    stated = False
    for step in (*_steps(dataset), *_steps(image)):
        if step.get("type") == "scale" and "scale" in step:
            scale = [a * float(b) for a, b in zip(scale, step["scale"], strict=True)]
            shift = [a * float(b) for a, b in zip(shift, step["scale"], strict=True)]
            stated = True
        elif step.get("type") == "translation" and "translation" in step:
            shift = [a + float(b) for a, b in zip(shift, step["translation"], strict=True)]
    if not stated:
        return Header()
    places = [names.index(name) if name in names else None for name in "zyx"]
    size = [None if p is None else length_nm(scale[p], units[p]) for p in places]
    per_unit = [None if p is None else length_nm(1.0, units[p]) for p in places]
    z, y, x = (
        0.0 if p is None or factor is None else shift[p] * factor
        for p, factor in zip(places, per_unit, strict=True)
    )
    origin: VoxelSize = (z, y, x)
    return Header(size, origin)


def _steps(holder: dict[str, Any]) -> list[dict[str, Any]]:
    return list(holder.get("coordinateTransformations") or [])
