"""Plain Zarr arrays: read version 2 and 3, write version 3 in shards."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chondria.errors import FormatError
from chondria.io.damage import damaged_as_format_error
from chondria.io.header import Grid, Header, header_from_dict, header_to_dict
from chondria.io.recent import KEPT_BYTES
from chondria.io.slabs import ArraySink, SlabBuffer
from chondria.io.view import ZyxView, zyx_axes
from chondria.io.zarr_node import ZarrNode, read_node
from chondria.volume import ArraySource

if TYPE_CHECKING:
    import zarr

__all__ = ["Storage", "choose_storage", "create_zarr", "new_array", "open_array", "open_zarr"]

_logger = logging.getLogger(__name__)

_CHUNK_VOXELS_LOG2 = 18
_SLAB_BYTES = KEPT_BYTES
# Above this many stored units, looking at every file costs more than it is worth.
_CHECKED_UNITS = 200_000


@dataclass(frozen=True)
class Storage:
    """Boxes (z, y, x) in which an array is stored.

    Parameters
    ----------
    chunk : tuple of int
        What is compressed as one.
    shard : tuple of int
        What is one file: whole chunks.
    """

    chunk: tuple[int, int, int]
    shard: tuple[int, int, int]


def choose_storage(grid: Grid) -> Storage:
    """Choose chunks and shards: 64^3 in 256^3 for a volume, flatter for large or few slices.

    A slab of shards across the whole volume stays below 256 MiB, so that it can be gathered in
    memory when it is written slice by slice, and be kept when it is read slice by slice.
    """
    depth, height, width = grid.shape
    slice_bytes = height * width * grid.dtype.itemsize
    deep = 256
    while deep > 1 and (deep * slice_bytes > _SLAB_BYTES or deep >= 2 * depth):
        deep //= 2
    chunk_deep = min(64, deep)
    wide = 2 ** round((_CHUNK_VOXELS_LOG2 - math.log2(chunk_deep)) / 2)
    chunk = min(chunk_deep, depth), min(wide, height), min(wide, width)
    wanted = min(deep, depth), min(4 * wide, height), min(4 * wide, width)
    z, y, x = (edge * -(-want // edge) for edge, want in zip(chunk, wanted, strict=True))
    return Storage(chunk, (z, y, x))


def open_zarr(path: Path) -> tuple[ArraySource, Header]:
    """Open a Zarr array lazily.

    The voxel size is the attribute ``voxel_size_nm`` (z, y, x) that chondria writes; no other
    attribute has one meaning for all.

    Raises
    ------
    FormatError
        If metadata or chunks are missing or damaged.
    ShapeError
        If the array is neither an image nor a volume.
    """
    node = read_node(path)
    array = open_array(node)
    header = header_from_dict(node.attributes, path)
    return ZyxView(array, zyx_axes(array.shape, path), path), header


def open_array(node: ZarrNode) -> zarr.Array[Any]:
    """Open the array of a node and look whether its chunks are all there.

    Raises
    ------
    FormatError
        If metadata is damaged, a chunk is empty, or one is missing that chondria had written.
    """
    import zarr

    with damaged_as_format_error(node.path):
        array = zarr.open_array(store=str(node.path), mode="r", zarr_format=_version(node.version))
    if 0 not in array.shape:
        _check_chunks(array, node)
    return array


def new_array(
    path: Path, grid: Grid, version: int, attributes: dict[str, Any]
) -> tuple[zarr.Array[Any], SlabBuffer]:
    """Create an array at a path; version 3 in shards, version 2 in chunks.

    Returns
    -------
    array : zarr.Array
        The stored array.
    buffer : SlabBuffer
        To write through; it must be closed.
    """
    import zarr
    from zarr.codecs import ZstdCodec

    storage = choose_storage(grid)
    settings: dict[str, Any] = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
    if version == 3:
        settings = {"compressors": ZstdCodec(level=1), "shards": storage.shard}
        settings["dimension_names"] = ("z", "y", "x")
    array = zarr.create_array(
        store=str(path),
        shape=grid.shape,
        dtype=grid.dtype,
        chunks=storage.chunk,
        zarr_format=_version(version),
        attributes={**attributes, "chondria": {"complete": True}},
        config={"write_empty_chunks": True},
        **settings,
    )
    return array, SlabBuffer(array, storage.shard[0] if version == 3 else storage.chunk[0])


@contextmanager
def create_zarr(path: Path, grid: Grid) -> Iterator[ArraySink]:
    """Create a plain Zarr array (version 3) and give it to be written."""
    _, buffer = new_array(path, grid, 3, dict(header_to_dict(grid)))
    yield buffer
    buffer.close()


def _version(version: int) -> Any:
    return version


def _check_chunks(array: zarr.Array[Any], node: ZarrNode) -> None:
    """Compare the files with the grid of chunks; Zarr reads a missing one as the fill value."""
    unit = array.shards or array.chunks
    counts = [-(-size // edge) for size, edge in zip(array.shape, unit, strict=True)]
    if math.prod(counts) > _CHECKED_UNITS:
        return
    encode = array.metadata.encode_chunk_key
    keys = [encode(place) for place in itertools.product(*map(range, counts))]
    files = [node.path / key for key in keys]
    missing = [file for file in files if not file.is_file()]
    empty = [file for file in files if file.is_file() and file.stat().st_size == 0]
    ours = node.attributes.get("chondria", {})
    complete = isinstance(ours, dict) and ours.get("complete") is True
    if empty or (missing and complete):
        raise FormatError(
            f"The Zarr array '{node.path}' is incomplete: {len(missing) + len(empty)} of "
            f"{len(files)} chunk files are missing or empty, the first one "
            f"'{(missing + empty)[0].relative_to(node.path)}'; copy or write it again."
        )
    if missing:
        _logger.warning(
            "%d of %d chunks of '%s' are not stored and are read as %s",
            len(missing),
            len(files),
            node.path,
            array.fill_value,
        )
