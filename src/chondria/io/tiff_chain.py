"""Walk the directories of a TIFF: readers pass over a broken chain and give fewer slices."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from chondria.errors import FormatError

__all__ = ["check_chain"]

# Codes of: count of tags, one tag (code, type, count, value or its offset), an offset.
_LAYOUT = {42: ("H", "HHI4s", "I"), 43: ("Q", "HHQ8s", "Q")}
# Bytes of one value by the type of a tag: TIFF 6.0, section 2, and BigTIFF.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES |= {16: 8, 17: 8, 18: 8}


def check_chain(path: Path) -> None:
    """Refuse a TIFF whose page directories or their values leave the file, or never end.

    Parameters
    ----------
    path : Path
        A TIFF or BigTIFF by its first bytes.

    Raises
    ------
    FormatError
        If the file is truncated or damaged; the message says after how many pages.
    """
    size = path.stat().st_size
    seen: set[int] = set()
    try:
        with path.open("rb") as stream:
            _walk(stream, size, seen)
    except (struct.error, KeyError, _BrokenChainError) as error:
        raise FormatError(
            f"The TIFF '{path}' is truncated or damaged: its list of pages breaks off after "
            f"{len(seen)} pages in a file of {size} bytes; copy or export it again."
        ) from error


class _BrokenChainError(Exception):
    """An offset points to where it cannot."""


def _walk(stream: BinaryIO, size: int, seen: set[int]) -> None:
    """Visit every directory; `seen` gathers the offsets of those that are whole."""
    head = stream.read(16)
    order = ">" if head[:2] == b"MM" else "<"
    (magic,) = struct.unpack_from(order + "H", head, 2)
    count_code, tag_code, offset_code = _LAYOUT[magic]
    (offset,) = struct.unpack_from(order + offset_code, head, 4 if magic == 42 else 8)
    if offset == 0:
        raise _BrokenChainError
    while offset:
        if offset >= size or offset in seen:
            raise _BrokenChainError
        stream.seek(offset)
        (count,) = _read(stream, order + count_code)
        tags = stream.read(count * struct.calcsize(order + tag_code))
        (following,) = _read(stream, order + offset_code)
        for _, kind, values, place in struct.iter_unpack(order + tag_code, tags):
            nbytes = _TYPE_BYTES.get(kind, 1) * values
            if nbytes > len(place) and struct.unpack(order + offset_code, place)[0] + nbytes > size:
                raise _BrokenChainError
        seen.add(offset)
        offset = following


def _read(stream: BinaryIO, code: str) -> tuple[int, ...]:
    return struct.unpack(code, stream.read(struct.calcsize(code)))
