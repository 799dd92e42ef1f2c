"""Single PNG images: grey, 1-bit, palette; the voxel size in a text chunk."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError
from chondria.io.damage import damaged_as_format_error
from chondria.io.grey import as_grey
from chondria.io.header import Grid, Header, header_from_dict, header_to_dict
from chondria.io.slabs import iter_slabs
from chondria.volume import ArraySource

__all__ = ["PngInfo", "encode_png", "is_png", "open_png", "read_png", "read_png_info", "write_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE, _RGB = 3, 2
_TEXT_KEY = b"chondria"
# libpng's fastest useful setting for micrographs: run lengths of Paeth differences are twice as
# fast as its default and 4 % smaller.
_FAST = {"level": 1, "strategy": 3, "filter": 64}


@dataclass(frozen=True)
class PngInfo:
    """What the chunks before the pixels of a PNG say.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    dtype : numpy.dtype
        uint8 or uint16.
    colour_type : int
        0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
    palette : ndarray, (N, 3)
        Colours of a palette image.
    header : Header
        Voxel size and origin where chondria wrote them.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    colour_type: int
    palette: NDArray[np.uint8]
    header: Header

    @property
    def is_grey(self) -> bool:
        """Whether the pixels have one channel by declaration."""
        return self.colour_type in (0, _PALETTE)


def is_png(path: Path) -> bool:
    """Tell a PNG by its first bytes."""
    with path.open("rb") as stream:
        return stream.read(len(_SIGNATURE)) == _SIGNATURE


def read_png_info(path: Path) -> PngInfo:
    """Read the chunks before the pixels; fast enough to look at every slice of a folder.

    Raises
    ------
    FormatError
        If the file is no PNG or damaged.
    """
    with damaged_as_format_error(path), path.open("rb") as stream:
        if stream.read(8) != _SIGNATURE:
            raise FormatError(f"The file '{path}' is no PNG by its content; export it again.")
        chunks = _chunks_before_pixels(stream)
        width, height, depth, colour_type = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
        palette = np.frombuffer(chunks.get(b"PLTE", b""), np.uint8).reshape(-1, 3)
        key, _, text = chunks.get(b"tEXt", b"").partition(b"\0")
        said = json.loads(text) if key == _TEXT_KEY else {}
    dtype = np.dtype(np.uint16 if depth == 16 else np.uint8)
    return PngInfo((height, width), dtype, colour_type, palette, header_from_dict(said, path))


def read_png(path: Path) -> NDArray[Any]:
    """Decode a PNG as one grey channel.

    1-, 2- and 4-bit grey is stretched to 0..255. A palette of greys gives the greys; a palette
    with colours is a label map, and its indices are given.

    Returns
    -------
    ndarray, (Y, X)
        uint8 or uint16.

    Raises
    ------
    FormatError
        If the file is truncated or damaged, or its channels differ.
    """
    import imagecodecs

    info = read_png_info(path)
    if info.colour_type == _PALETTE and bool((info.palette != info.palette[:, :1]).any()):
        return _palette_indices(path)
    with damaged_as_format_error(path):
        image: NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    if info.colour_type == _PALETTE:
        return np.ascontiguousarray(image[..., 0])
    return as_grey(image, path)


def encode_png(image: NDArray[Any], said: dict[str, list[float]] | None = None) -> bytes:
    """Encode a grey image, quickly.

    Parameters
    ----------
    image : ndarray, (Y, X)
        uint8 or uint16.
    said : dict, optional
        Voxel size and origin, for a text chunk named 'chondria'.

    Returns
    -------
    bytes
        The file.
    """
    import imagecodecs

    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(image), **_FAST))
    if not said:
        return encoded
    body = b"tEXt" + _TEXT_KEY + b"\0" + json.dumps(said).encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end_of_header = 8 + 12 + 13
    return encoded[:end_of_header] + chunk + encoded[end_of_header:]


def open_png(path: Path) -> tuple[ArraySource, Header]:
    """Read a PNG as a volume of one slice; raises what `read_png` raises."""
    return read_png(path)[np.newaxis], read_png_info(path).header


def write_png(path: Path, grid: Grid, data: ArraySource) -> None:
    """Write a volume of one slice of uint8 or uint16."""
    for _, _, slab in iter_slabs(data, grid.dtype):
        path.write_bytes(encode_png(slab[0], header_to_dict(grid)))


def _chunks_before_pixels(stream: BinaryIO) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    while True:
        size, kind = struct.unpack(">I4s", stream.read(8))
        if kind == b"IDAT":
            return chunks
        content = stream.read(size + 4)[:-4]
        if kind != b"tEXt" or content.startswith(_TEXT_KEY):
            chunks[kind] = content


def _palette_indices(path: Path) -> NDArray[Any]:
    # libpng expands palettes; Pillow, which scikit-image brings along, keeps the indices.
    from PIL import Image

    with damaged_as_format_error(path), Image.open(path) as image:
        return np.array(image, dtype=np.uint8)
