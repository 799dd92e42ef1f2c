"""Slices as text that a page can hold: pictures as JPEG, labels as run lengths, both in base64."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Runs",
    "averaged",
    "decode_runs",
    "encode_picture",
    "encode_runs",
    "find_runs",
    "sampled",
    "to_bytes",
]

PAYLOAD_BITS, MORE = 7, 0x80


def averaged(plane: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Average squares of pixels; those at the far edges are filled up with the last pixel.

    Parameters
    ----------
    plane : ndarray, (Y, X)
        Grey levels.
    step : int
        Edge of a square in pixels.

    Returns
    -------
    ndarray of float32, (ceil(Y / step), ceil(X / step))
        Means.
    """
    values = np.asarray(plane, np.float32)
    if step == 1:
        return values
    rows, columns = (-length % step for length in values.shape)
    padded = np.pad(values, ((0, rows), (0, columns)), mode="edge")
    height, width = (length // step for length in padded.shape)
    squares = padded.reshape(height, step, width, step)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)


def sampled(plane: NDArray[Any], step: int) -> NDArray[Any]:
    """Take the pixel in the middle of each square of `averaged`: labels have no mean."""
    if step == 1:
        return plane
    rows, columns = (
        np.minimum(np.arange(0, length, step) + step // 2, length - 1) for length in plane.shape
    )
    return plane[np.ix_(rows, columns)]


def to_bytes(plane: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Stretch grey levels so that a window (low, high) fills 0 to 255."""
    low, high = window
    scaled = ((plane - low) * (255 / max(high - low, 1e-12))).clip(0, 255)
    scaled[np.isnan(scaled)] = 0
    levels: NDArray[np.uint8] = (scaled + 0.5).astype(np.uint8)
    return levels


def encode_picture(plane: NDArray[np.uint8], quality: int) -> str:
    """Write a grey picture (Y, X) as JPEG of a quality from 1 to 95, in base64."""
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(plane).save(stream, "JPEG", quality=quality, optimize=True)
    return b64encode(stream.getvalue()).decode("ascii")


@dataclass(frozen=True, eq=False, slots=True)
class Runs:
    """Runs of equal foreground values of a plane, in the order of its rows.

    Attributes
    ----------
    starts, lengths, values : ndarray, (runs,)
        Index of the first pixel, rows one after the other; number of pixels; their value.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    values: NDArray[Any]


def find_runs(plane: NDArray[Any]) -> Runs:
    """Find the runs of a plane (Y, X) of whole numbers, where 0 is background."""
    flat = np.asarray(plane).ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    lengths = np.diff(np.append(starts, flat.size))
    kept = flat[starts] != 0
    return Runs(starts[kept], lengths[kept], flat[starts[kept]])


def encode_runs(runs: Runs) -> str:
    """Write runs whose values are below 2**32.

    Returns
    -------
    str
        For each run: background pixels since the last run, length, value; each number in groups
        of 7 bits, low ones first, the 8th bit set where more follow (LEB128); all in base64.
    """
    ends = np.append(0, (runs.starts + runs.lengths)[:-1])[: len(runs.starts)]
    columns = (runs.starts - ends, runs.lengths, runs.values.astype(np.int64))
    return b64encode(_leb128(np.stack(columns, axis=1).ravel())).decode("ascii")


def decode_runs(text: str, shape: tuple[int, int]) -> NDArray[np.uint32]:
    """Read what `encode_runs` wrote: the plane (Y, X)."""
    numbers, value, shift = [], 0, 0
    for byte in b64decode(text):
        value |= (byte & (MORE - 1)) << shift
        shift += PAYLOAD_BITS
        if not byte & MORE:
            numbers.append(value)
            value = shift = 0
    plane, at = np.zeros(shape[0] * shape[1], np.uint32), 0
    for gap, length, label in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        at += gap
        plane[at : at + length] = label
        at += length
    return plane.reshape(shape)


def _leb128(numbers: NDArray[np.int64]) -> bytes:
    """Write whole numbers from 0 in groups of 7 bits."""
    groups = numbers[:, None] >> np.arange(0, 5 * PAYLOAD_BITS, PAYLOAD_BITS)
    present = groups > 0
    present[:, 0] = True
    more = np.zeros_like(present)
    more[:, :-1] = present[:, 1:]
    codes = (groups & (MORE - 1)) | (more * MORE)
    return codes[present].astype(np.uint8).tobytes()
