"""Predict a whole volume with a classifier of supervoxels, which sees all of its slices at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.io.slabs import ArraySink
from chondria.supervoxels.classifier import SupervoxelClassifier
from chondria.volume import ArraySource, VoxelSize

__all__ = ["predict_supervoxels"]


def predict_supervoxels(
    classifier: SupervoxelClassifier,
    source: ArraySource,
    sink: ArraySink,
    *,
    normalize: Callable[[NDArray[Any]], NDArray[np.float32]],
    voxel_size_nm: VoxelSize | None,
    tta: Literal["none", "d4"] = "none",
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Predict a volume in memory with NumPy, on one core.

    Parameters
    ----------
    classifier : SupervoxelClassifier
        What was learned.
    source : ArraySource, (Z, Y, X)
        Pixels at the size that the classifier was trained on; read slice by slice.
    sink : ArraySink, (Z, Y, X)
        Takes the probability map: 0 to 1 if it is of a floating type, ``round(255 p)`` if uint8.
    normalize : callable
        From pixels (Y, X) as the source has them to float32.
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x) of the source; None takes the classifier's.
    tta : {"none", "d4"}
        Whether to average over the eight flips and rotations, each with regions of its own.
    progress : callable, optional
        Told after each of these how many of how many are done.
    """
    image = np.stack([normalize(np.asarray(source[z])) for z in range(source.shape[0])])
    size = voxel_size_nm or classifier.voxel_size_nm
    views = list(_views(tta))
    mean = np.zeros(image.shape, np.float32)
    for done, (turns, flipped) in enumerate(views, 1):
        seen = np.rot90(image[:, :, ::-1] if flipped else image, turns, (1, 2))
        turned = (size[0], size[2], size[1]) if turns % 2 else size
        found = classifier.predict(np.ascontiguousarray(seen), turned)
        back = np.rot90(found, -turns, (1, 2))
        mean += back[:, :, ::-1] if flipped else back
        if progress is not None:
            progress(done, len(views))
    mean /= len(views)
    _write(sink, mean)


def _views(tta: Literal["none", "d4"]) -> Iterator[tuple[int, bool]]:
    """Quarter turns and whether flipped before."""
    if tta == "none":
        yield 0, False
        return
    yield from ((turns, flipped) for flipped in (False, True) for turns in range(4))


def _write(sink: ArraySink, probability: NDArray[np.float32]) -> None:
    bytes_wanted = np.dtype(sink.dtype) == np.uint8
    for z, values in enumerate(probability):
        sink[z, :, :] = np.rint(values * 255).astype(np.uint8) if bytes_wanted else values
