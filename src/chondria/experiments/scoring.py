"""Score a model on a test volume, once for each way from probabilities to objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError
from chondria.evaluation.blocks import block_counts
from chondria.evaluation.objects import as_mask
from chondria.evaluation.sheet import score
from chondria.experiments.volume_segmentation import (
    SegmentationSettings,
    label_volume,
    predict_probability,
)
from chondria.io import open_volume
from chondria.models import Model
from chondria.volume import Volume, VoxelSize

__all__ = ["TestVolume", "open_test_volume", "score_model"]


@dataclass(frozen=True, slots=True)
class TestVolume:
    """Images and true masks, (Z, Y, X), read when they are needed."""

    __test__ = False  # no test of pytest's

    images: Volume
    masks: Volume


def open_test_volume(images: Path, masks: Path, voxel_size_nm: VoxelSize | None) -> TestVolume:
    """Open a test volume.

    Raises
    ------
    ChondriaError
        If images or masks are missing or of different shapes.
    """
    volume = open_volume(images, voxel_size_nm)
    truth = open_volume(masks, voxel_size_nm)
    if volume.shape != truth.shape:
        raise ShapeError(
            f"Found test images of shape {volume.shape} and masks of shape {truth.shape}; every "
            "image needs a mask of its own size."
        )
    return TestVolume(volume, truth)


def score_model(
    model: Model, test: TestVolume, steps: Mapping[str, SegmentationSettings]
) -> dict[str, dict[str, Any]]:
    """Score a model.

    Parameters
    ----------
    model : Model
        What is scored.
    test : TestVolume
        Predicted once for each kind of averaging and blending.
    steps : mapping of str to SegmentationSettings
        By name; what is left open is the card's.

    Returns
    -------
    dict
        For each step ``scores`` (every metric of `chondria.evaluation.sheet.score`) and ``blocks``
        (true positives, false positives and false negatives of each block).
    """
    truth = as_mask(test.masks.numpy(), "the test masks")
    predicted: dict[tuple[str, str, int], NDArray[np.uint8]] = {}
    found = {}
    for name, settings in steps.items():
        chosen = settings.of(model.card)
        how = (chosen.tta, chosen.blending, chosen.window_px)
        if how not in predicted:
            predicted[how], *_ = predict_probability(model, test.images, chosen)
        labels, _ = label_volume(predicted[how], test.images, chosen)
        sheet = score(
            labels,
            truth,
            voxel_size_nm=test.images.voxel_size_nm,
            prediction_is_instances=True,
        )
        found[name] = {
            "scores": sheet.as_dict(),
            "blocks": block_counts(labels, truth).tolist(),
            "settings": {key: getattr(chosen, key) for key in chosen.__slots__},
        }
    return found
