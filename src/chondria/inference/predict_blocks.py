"""Predict a volume with a 3-D network: overlapping blocks of slices, averaged as they pass by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from chondria.errors import SettingsError
from chondria.inference.backends import Agreement, ready_network
from chondria.inference.layout import check_arrays, layout
from chondria.inference.predict import probabilities
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.streaming import in_background
from chondria.io.slabs import ArraySink
from chondria.networks.network import Network
from chondria.tiling import Tile, even_spans, mirror_indices, read_mirrored
from chondria.volume import ArraySource

__all__ = ["check_torch", "predict_blocks"]


def check_torch(backend: str, precision: str) -> None:
    """Refuse what cannot compute a 3-D network.

    Raises
    ------
    SettingsError
        If another backend than PyTorch, or int8, is asked for.
    """
    for name, found, refused, allowed in (
        ("backend", backend, "openvino", "torch"),
        ("precision", precision, "int8", "bf16 or fp32"),
    ):
        if found == refused:
            raise SettingsError(
                f"Found the {name} {found} for a model whose network is three-dimensional; only "
                f"PyTorch computes those: choose the {name} {allowed}, or auto."
            )


def predict_blocks(
    network: Network,
    source: ArraySource,
    sink: ArraySink,
    *,
    block_slices: int,
    normalize: Callable[[NDArray[Any]], NDArray[np.float32]],
    settings: PredictionSettings,
    progress: Callable[[int, int], None] | None = None,
) -> Agreement:
    """Predict blocks of slices that share half of them, and average (Xiao et al. 2018).

    In the plane, tiled blocks equal whole ones to rounding (see `chondria.tiling`). Along z, a
    network that sees as much as it wants would see more than in training; so it sees blocks of the
    depth that it was trained on, and what it says of a slice is averaged over the blocks with that
    slice. One block of probabilities is in memory at a time.

    Parameters
    ----------
    network : Network
        Three-dimensional.
    source : ArraySource, (Z, Y, X)
        Pixels at the size that the network was trained on, and slices of the thickness.
    sink : ArraySink, (Z, Y, X)
        Takes the probability map, slice by slice: 0 to 1 if it is of a floating type,
        ``round(255 p)`` if uint8.
    block_slices : int
        Depth of a block, rounded down to a multiple of the network's `stride_slices`; a volume of
        fewer slices is one block. Where the volume's slices are no multiple, they are mirrored.
    normalize, settings, progress
        See `chondria.inference.predict.predict`.

    Returns
    -------
    Agreement
        How the probabilities compare with those of PyTorch in fp32.

    Raises
    ------
    ShapeError
        If source and sink are not two volumes of one shape.
    SettingsError
        If the sink is of another type, tiles have no room within the network's halo, or the
        backend is not PyTorch.
    """
    check_arrays(source, sink)
    check_torch(settings.compute.backend, settings.compute.precision)
    n = int(source.shape[0])
    spans = even_spans(n, block_slices, shared=block_slices // 2, stride=network.stride_slices)
    depth = spans[0].stop
    tiles = layout(network, source.shape[1:], settings, depth)
    jobs = [(span, tile) for span in spans for tile in tiles]
    average = _RunningAverage(sink, depth)
    agreement = Agreement()

    def read(job: tuple[slice, Tile]) -> Tensor:
        span, tile = job
        planes = mirror_indices(span.start, span.stop, n).tolist()
        return _read_block(source, planes, tile, normalize)

    with ExitStack() as stack:
        logits_of = stack.enter_context(ready_network(network, settings.compute, agreement))
        images = stack.enter_context(closing(in_background(read, jobs, depth=1)))
        for done, ((_, tile), image) in enumerate(zip(jobs, images, strict=True), 1):
            found = probabilities(logits_of, image, settings)[0, 0]
            average.add(tile, found[:, *tile.crop].cpu().numpy())
            if done % len(tiles) == 0:
                average.end_block(spans[done // len(tiles) :])
            if progress is not None:
                progress(done, len(jobs))
    return agreement


class _RunningAverage:
    """Sums what blocks say of each slice, and hands a slice on when no further block has it."""

    def __init__(self, sink: ArraySink, depth: int) -> None:
        self._sink = sink
        self._sum = np.zeros((depth, *sink.shape[1:]), np.float32)
        self._count = np.zeros(depth, np.float32)
        self._first = 0

    def add(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Take a tile of the block that begins where the sum does."""
        self._sum[:, *tile.write] += values

    def end_block(self, following: list[slice]) -> None:
        """Write the slices that the next block has not, and make room for its own."""
        self._count += 1
        end = following[0].start if following else int(self._sink.shape[0])
        passed = end - self._first
        for k in range(passed):
            self._write(self._first + k, self._sum[k] / self._count[k])
        for values in (self._sum, self._count):
            values[: len(values) - passed] = values[passed:].copy()
            values[len(values) - passed :] = 0
        self._first = end

    def _write(self, z: int, mean: NDArray[np.float32]) -> None:
        height, width = mean.shape
        if np.dtype(self._sink.dtype) == np.uint8:
            mean = np.rint(mean * 255)
        self._sink[z, 0:height, 0:width] = mean


def _read_block(
    source: ArraySource,
    planes: list[int],
    tile: Tile,
    normalize: Callable[[NDArray[Any]], NDArray[np.float32]],
) -> Tensor:
    """Read a tile of several slices and make it model input (1, 1, Z, Y, X)."""
    block = torch.empty((1, 1, len(planes), *tile.read_shape))
    for plane, z in zip(block[0, 0].numpy(), planes, strict=True):
        plane[:] = normalize(read_mirrored(source, z, tile.read))
    return block
