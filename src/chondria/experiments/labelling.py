"""From probabilities to a label map: threshold, filters, numbers, and what is too small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.postprocessing.confidence import ObjectConfidence, object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median, zy_median
from chondria.postprocessing.instances import (
    connected_instances,
    keep_objects,
    remove_small_objects,
)
from chondria.postprocessing.oztel import drop_spurious, refine_boundaries
from chondria.postprocessing.separation import separate_instances
from chondria.volume import Volume, ball_voxels

__all__ = ["label_volume"]

SMALLEST_WITHOUT_SIZE_PX = 20


def label_volume(
    probability: NDArray[np.uint8],
    volume: Volume,
    settings: SegmentationSettings,
    boundary: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[Any], ObjectConfidence]:
    """Threshold, filter, number or separate the objects, drop the small and the doubtful ones.

    The filters, where they are asked for, come in the order of Oztel et al. 2017: what is spurious
    in a slice goes, outlines are refined, and medians make neighbouring slices agree.

    Parameters
    ----------
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.
    volume : Volume, (Z, Y, X)
        Gives the voxel size, and the grey values that boundaries are refined by.
    settings : SegmentationSettings
        Nothing left open (`SegmentationSettings.of`).
    boundary : ndarray of uint8, (Z, Y, X), optional
        Probability of outlines; separated objects are cut along it.

    Returns
    -------
    tuple
        Label map (Z, Y, X), and how sure the network is of each object.
    """
    assert settings.threshold is not None  # `of` filled it from the card
    mask = _filter(threshold(probability, settings.threshold), probability, volume, settings)
    labels = _number(mask, probability, volume, settings, boundary)
    labels = remove_small_objects(labels, _smallest_voxels(volume, settings))
    confidence = object_confidence(labels, probability)
    if settings.largest_doubt:
        labels = keep_objects(labels, confidence.doubt <= settings.largest_doubt)
    return labels, confidence


def _filter(
    mask: NDArray[np.bool_],
    probability: NDArray[np.uint8],
    volume: Volume,
    settings: SegmentationSettings,
) -> NDArray[np.bool_]:
    if settings.spurious_probability:
        mask = drop_spurious(mask, probability, settings.spurious_probability)
    if settings.refine_boundaries_px:
        mask = refine_boundaries(mask, volume.data, settings.refine_boundaries_px)
    size = volume.voxel_size_nm
    if size is not None and settings.z_median_nm:
        mask = z_median(mask, z_extent_slices(settings.z_median_nm, size[0]))
    return zy_median(mask, settings.zy_median_px) if settings.zy_median_px else mask


def _number(
    mask: NDArray[np.bool_],
    probability: NDArray[np.uint8],
    volume: Volume,
    settings: SegmentationSettings,
    boundary: NDArray[np.uint8] | None,
) -> NDArray[Any]:
    """Number what is connected, or each of what only touches."""
    if not settings.separate:
        return connected_instances(mask, dimensions=settings.dimensions)
    return separate_instances(
        mask,
        probability,
        volume.voxel_size_nm,
        dimensions=settings.dimensions,
        neck_ratio=settings.neck_ratio,
        boundary=boundary,
    )


def _smallest_voxels(volume: Volume, settings: SegmentationSettings) -> int:
    """Count the voxels of the smallest object that is kept."""
    size, diameter_nm = volume.voxel_size_nm, settings.smallest_diameter_nm or 0.0
    if size is None:
        return SMALLEST_WITHOUT_SIZE_PX if diameter_nm else 0
    flat = volume.shape[0] == 1 or settings.dimensions == 2
    return round(ball_voxels(diameter_nm, size, flat=flat))
