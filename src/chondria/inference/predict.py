"""Predict the probability of mitochondria, slice by slice, in tiles that join without seams.

Or, if asked for, in the blended windows of the thesis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from chondria.errors import ModelError
from chondria.inference.backends import Agreement, Logits, ready_network
from chondria.inference.blending import BlendedSlices
from chondria.inference.layout import check_arrays, layout
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.streaming import in_background
from chondria.inference.tta import mean_probability
from chondria.io.slabs import ArraySink
from chondria.networks.quantisation import Ranges
from chondria.tiling import Tile, read_mirrored
from chondria.volume import ArraySource

__all__ = ["predict", "probabilities"]

# Puts what was found in a tile (Y, X) of a slice in its place.
Put = Callable[[int, Tile, NDArray[Any]], None]


def predict(
    network: nn.Module,
    source: ArraySource,
    sink: ArraySink,
    *,
    normalize: Callable[[NDArray[Any]], NDArray[np.float32]],
    settings: PredictionSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
    calibration: Ranges | None = None,
    boundary: ArraySink | None = None,
) -> Agreement:
    """Predict every slice of a volume; reading and writing happen beside the computing.

    Tiled prediction equals that of the whole slice to rounding (see `chondria.tiling`).

    Parameters
    ----------
    network : nn.Module
        From (B, 1, Y, X) to logits (B, channels, Y, X), for Y and X that are multiples of its
        attribute ``stride_px``; its attribute ``halo_px`` is how far a block on that grid sees,
        and ``values_per_px`` how many numbers it holds at once for each pixel.
        Moved to the device in channels-last format; its training mode is given back.
    source : ArraySource, (Z, Y, X)
        Pixels at the size that the network was trained on. Read tile by tile, in order of slices,
        from one thread.
    sink : ArraySink, (Z, Y, X)
        Takes the probability map: 0 to 1 if it is of a floating type, ``round(255 p)`` if uint8.
        Written tile by tile, in order of slices, from one thread.
    normalize : callable
        From pixels (Y, X) as the source has them to float32 model input of the same shape.
        It sees one tile at a time, so it must treat every pixel alike.
    settings : PredictionSettings
        Device, backend, precision, tiles.
    progress : callable, optional
        Told after each batch of tiles how many tiles of how many are in the sink.
    calibration : mapping, optional
        Ranges of the network's inputs, for int8 (`chondria.networks.quantisation`).
    boundary : ArraySink, optional
        As the sink, for the network's second channel; what it costs is the writing.

    Returns
    -------
    Agreement
        How the probabilities compare with those of PyTorch in fp32.

    Raises
    ------
    ShapeError
        If source and sink are not two volumes of one shape.
    SettingsError
        If the sink is of another type, or tiles have no room within the network's halo.
    ModelError
        If the network's output is not of the shape of its input, it has no channel for the
        boundary, or no calibration for int8.

    Notes
    -----
    Chunks of compressed storage should be decoded and encoded once, not for every slice in them:
    what `chondria.io` opens and creates sees to that, a bare Zarr or HDF5 array does not.
    """
    settings = settings or PredictionSettings()
    sinks = [sink] if boundary is None else [sink, boundary]
    for target in sinks:
        check_arrays(source, target)
    tiles = layout(network, source.shape[1:], settings)
    total = len(tiles) * source.shape[0]
    batches = list(_batches(total, tiles, settings.batch_px))
    writers = [_writer(target, tiles, settings) for target in sinks]
    pinned = settings.compute.device.type == "cuda"
    agreement = Agreement()

    def read(batch: range) -> Tensor:
        return _read_batch(source, batch, tiles, normalize, pinned)

    def write(computed: tuple[range, list[Tensor]]) -> int:
        batch, values = computed
        _write_batch([put for put, _ in writers], batch, tiles, values)
        return batch.stop

    with ExitStack() as stack:
        logits_of = stack.enter_context(
            ready_network(network, settings.compute, agreement, calibration)
        )
        images = stack.enter_context(closing(in_background(read, batches)))
        kinds = [dtype for _, dtype in writers]
        values = (_compute(logits_of, image, settings, kinds) for image in images)
        done = stack.enter_context(closing(in_background(write, zip(batches, values, strict=True))))
        for count in done:
            if progress is not None:
                progress(count, total)
    return agreement


def _batches(total: int, tiles: list[Tile], batch_px: int) -> Iterator[range]:
    """Group all tiles of all slices, counted through, into batches; all tiles are of one shape.

    The batches are equal where that makes them at most half as large: a backend that compiles a
    network for each shape has to compile it twice otherwise.
    """
    y, x = tiles[0].read_shape
    most = min(total, max(1, batch_px // (y * x)))
    equal = (size for size in range(most, (most - 1) // 2, -1) if total % size == 0)
    size = next(equal, most)
    return (range(start, min(start + size, total)) for start in range(0, total, size))


def _read_batch(
    source: ArraySource,
    batch: range,
    tiles: list[Tile],
    normalize: Callable[[NDArray[Any]], NDArray[np.float32]],
    pinned: bool,
) -> Tensor:
    """Read tiles and make them model input (B, 1, Y, X)."""
    images = torch.empty((len(batch), 1, *tiles[0].read_shape), pin_memory=pinned)
    for image, number in zip(images.numpy(), batch, strict=True):
        z, tile = divmod(number, len(tiles))
        image[0] = normalize(read_mirrored(source, z, tiles[tile].read))
    return images


def probabilities(
    logits_of: Logits, images: Tensor, settings: PredictionSettings, channels: int = 1
) -> Tensor:
    """Compute probabilities (B, channels, ...) of images (B, 1, ...), on the device.

    Raises
    ------
    ModelError
        If the network's output is not of the shape of its input, or has not so many channels.
    """
    device = settings.compute.device
    last = torch.channels_last if images.dim() == 4 else torch.channels_last_3d
    images = images.to(device, memory_format=last, non_blocking=True)
    probability = mean_probability(logits_of, images, settings.transforms, settings.batch_px)
    found = probability.shape
    if found[:1] + found[2:] != images.shape[:1] + images.shape[2:] or found[1] < channels:
        raise ModelError(
            f"Found a network output of shape {tuple(found)} for an input of "
            f"{tuple(images.shape)}; a network must keep the shape of its images, and this needs "
            f"{channels} of its channels."
        )
    return probability[:, :channels]


def _compute(
    logits_of: Logits, images: Tensor, settings: PredictionSettings, kinds: list[np.dtype[Any]]
) -> list[Tensor]:
    """Compute probabilities (B, Y, X) on the device, each in the range of its sink's type."""
    found = probabilities(logits_of, images, settings, len(kinds)).unbind(1)
    return [
        channel if dtype.kind == "f" else channel.mul(255).round_().to(torch.uint8)
        for channel, dtype in zip(found, kinds, strict=True)
    ]


def _writer(
    sink: ArraySink, tiles: list[Tile], settings: PredictionSettings
) -> tuple[Put, np.dtype[Any]]:
    """Tell where to put what was computed of a tile, and in which type."""
    if settings.blending == "spline":
        return BlendedSlices(sink, tiles).add, np.dtype(np.float32)

    def put(z: int, tile: Tile, values: NDArray[Any]) -> None:
        sink[z, *tile.write] = values[tile.crop]

    return put, np.dtype(sink.dtype)


def _write_batch(writers: list[Put], batch: range, tiles: list[Tile], values: list[Tensor]) -> None:
    """Put each tile of a batch in its place; waits for the device, beside the computing."""
    for put, channel in zip(writers, values, strict=True):
        for value, number in zip(channel.cpu().numpy(), batch, strict=True):
            z, tile = divmod(number, len(tiles))
            put(z, tiles[tile], value)
