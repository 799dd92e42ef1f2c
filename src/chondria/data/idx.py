"""Arrays in the IDX format of MNIST, plain or compressed by gzip."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, InputNotFoundError

__all__ = ["read_idx"]

BYTES = 0x08  # the only type of element that MNIST has
GZIP = b"\x1f\x8b"


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Read an array of bytes.

    Parameters
    ----------
    path : str or Path
        An IDX file: two zero bytes, the type, the number of axes, then their lengths (big-endian)
        and the elements (http://yann.lecun.com/exdb/mnist).

    Returns
    -------
    ndarray of uint8
        Images (N, Y, X) or labels (N,).

    Raises
    ------
    InputNotFoundError
        If there is no such file.
    FormatError
        If it is no IDX file of bytes, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no file '{path}'; `chondria datasets fetch mnist` downloads the digits, or "
            "give the folder that they lie in by --data."
        )
    content = path.read_bytes()
    if content[:2] == GZIP:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise FormatError(
                f"Cannot unpack {path} ({error}): it is damaged; download it anew."
            ) from error
    return _parse(content, path)


def _parse(content: bytes, path: Path) -> NDArray[np.uint8]:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != BYTES:
        raise FormatError(
            f"Found no IDX file of bytes in {path}; give a file like train-images-idx3-ubyte.gz."
        )
    axes = content[3]
    start = 4 + 4 * axes
    shape = struct.unpack(f">{axes}I", content[4:start]) if len(content) >= start else ()
    if len(content) != start + math.prod(shape) or not axes:
        raise FormatError(
            f"Found {len(content)} bytes in {path}, but its head promises an array of shape "
            f"{shape}: it is cut off; download it anew."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
