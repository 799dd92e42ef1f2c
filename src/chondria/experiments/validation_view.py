"""Validation slices for the slice browser of a page: image, probability, truth and errors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chondria.experiments.validation_slices import KeptSlices
from chondria.postprocessing.filters import threshold as above
from chondria.report.content import ShownLayer, ShownVolume
from chondria.report.slices import LabelLayer, encode_slices

__all__ = ["ERRORS", "shown_validation"]

# Orange and blue are told apart by those who see red and green alike.
ERRORS: Final = (("false positive", "#ff9d4d"), ("false negative", "#5cc8ff"))
WHITE, GREEN = "#ffffff", "#c6f06b"


def shown_validation(
    volumes: Sequence[KeptSlices], threshold: float, largest_bytes: int
) -> list[ShownVolume]:
    """Encode validation slices, each volume in its share of the room.

    Parameters
    ----------
    volumes : sequence of KeptSlices
        Any number.
    threshold : float
        Voxels of a higher probability were found.
    largest_bytes : int
        Room for all.

    Returns
    -------
    list of ShownVolume
        With outlines of truth and of what was found, and errors by their kind.
    """
    voxels = sum(prod(volume.truth.shape) for volume in volumes)
    return [
        _shown(volume, threshold, largest_bytes * prod(volume.truth.shape) // voxels)
        for volume in volumes
    ]


def _shown(volume: KeptSlices, threshold: float, largest_bytes: int) -> ShownVolume:
    truth, probability = volume.truth.numpy() > 0, volume.probability.numpy()
    found = above(probability, threshold)
    layers = [
        ShownLayer("truth", "Truth", LabelLayer(truth, [1]), letter="T", colour=WHITE),
        ShownLayer("found", "Found", LabelLayer(found, [1]), letter="F", on=False, colour=GREEN),
        ShownLayer(
            "errors",
            "Errors",
            LabelLayer(_errors(truth, found), [1, 2]),
            kind="classes",
            letter="E",
            classes=ERRORS,
        ),
    ]
    slices = encode_slices(
        volume.image.data, probability, {shown.key: shown.layer for shown in layers}, largest_bytes
    )
    return ShownVolume(slices, layers, volume.voxel_size_nm, volume.name, volume.z)


def _errors(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """1 where nothing was to be found, 2 where something was not."""
    errors: NDArray[np.uint8] = (found & ~truth) + np.uint8(2) * (truth & ~found)
    return errors
