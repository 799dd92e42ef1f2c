"""Segment a volume in memory: probabilities, label map and object table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.allocation import retain_freed_memory
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import assess_objects, gather_votes
from chondria.inference.backends import Agreement
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.table import ObjectTable, measure_objects
from chondria.postprocessing.confidence import ObjectConfidence, object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median, zy_median
from chondria.postprocessing.instances import (
    connected_instances,
    keep_objects,
    remove_small_objects,
)
from chondria.postprocessing.oztel import drop_spurious, refine_boundaries
from chondria.postprocessing.separation import separate_instances
from chondria.volume import Volume

__all__ = [
    "Prediction",
    "Segmentation",
    "label_objects",
    "label_volume",
    "predict_probability",
    "segment_volume",
    "timed",
]

SMALLEST_WITHOUT_SIZE_PX = 20


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a segmentation found.

    Attributes
    ----------
    probability : Volume, (Z, Y, X), uint8
        255 is certainty.
    labels : Volume, (Z, Y, X)
        0 is background, each other number one object.
    objects : ObjectTable
        Measures of every object, how sure the network is of it: `mean_probability`, `doubt`, and
        how far to trust it: `chondria.experiments.trust.assess_objects`.
    compute : Compute
        Where, with what and how precisely the network was computed.
    agreement : Agreement
        How the probabilities compare with those of PyTorch in fp32.
    seconds : dict
        Time of each stage.
    boundary : Volume, (Z, Y, X), uint8, or None
        Probabilities of outlines, where objects were separated and the model finds them.
    """

    probability: Volume
    labels: Volume
    objects: ObjectTable
    compute: Compute
    agreement: Agreement
    seconds: dict[str, float] = field(default_factory=dict)
    boundary: Volume | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a network says of a volume.

    Attributes
    ----------
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.
    boundary : ndarray of uint8, (Z, Y, X), or None
        Of the outlines of objects.
    compute : Compute
        Where, with what and how precisely it was computed.
    agreement : Agreement
        How the probabilities compare with those of PyTorch in fp32.
    """

    probability: NDArray[np.uint8]
    boundary: NDArray[np.uint8] | None
    compute: Compute
    agreement: Agreement


def segment_volume(
    model: Model,
    volume: Volume,
    settings: SegmentationSettings | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    where: str = "the image",
) -> Segmentation:
    """Segment a volume in memory.

    Parameters
    ----------
    model : Model
        See `chondria.models.load_model`.
    volume : Volume, (Z, Y, X)
        The image.
    settings : SegmentationSettings
        Averaging, threshold, filters, device.
    progress : callable, optional
        Told how many tiles of how many are predicted.
    where : str
        What to call the image in an error.

    Returns
    -------
    Segmentation
        Probabilities, label map and object table on the volume's own grid.

    Raises
    ------
    ChondriaError
        If the image or a setting cannot be used.
    """
    retain_freed_memory()
    chosen = (settings or SegmentationSettings()).of(model.card)
    seconds: dict[str, float] = {}
    with timed(seconds, "predict"):
        seen = predict_probability(model, volume, chosen, progress=progress, where=where)
        values = seen.probability
    with timed(seconds, "postprocess"):
        found, confidence = label_volume(values, volume, chosen, seen.boundary)
        labels = volume.with_data(found)
    with timed(seconds, "measure"):
        objects = _measured(labels, volume, confidence, chosen)
    with timed(seconds, "trust"):
        votes = gather_votes(model, volume, chosen)
        objects = assess_objects(model.card, objects, labels, values, votes)
    outlines = None if seen.boundary is None else volume.with_data(seen.boundary)
    how = (seen.compute, seen.agreement, seconds, outlines)
    return Segmentation(volume.with_data(values), labels, objects, *how)


def predict_probability(
    model: Model,
    volume: Volume,
    settings: SegmentationSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    where: str = "the image",
) -> Prediction:
    """Predict a volume in memory by 8 bits; outlines too, if they are there to separate by."""
    compute = choose_compute_for(
        model,
        volume,
        settings.device,
        settings.precision,
        settings.backend,
        settings.tta,
        settings.blending,
    )
    values = np.empty(volume.shape, np.uint8)
    how = PredictionSettings(
        compute, tta=settings.tta, blending=settings.blending, window_px=settings.window_px
    )
    outlines = None
    if settings.separate and model.card.boundary_nm:
        outlines = np.empty(volume.shape, np.uint8)
    agreement = predict_volume(
        model, volume, values, settings=how, progress=progress, where=where, boundary=outlines
    )
    return Prediction(values, outlines, compute, agreement)


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


def label_objects(
    probability: NDArray[np.uint8],
    volume: Volume,
    settings: SegmentationSettings,
    boundary: NDArray[np.uint8] | None = None,
) -> tuple[Volume, ObjectTable]:
    """Label and measure: `label_volume`, and the table of the objects with how sure it is."""
    found, confidence = label_volume(probability, volume, settings, boundary)
    labels = volume.with_data(found)
    return labels, _measured(labels, volume, confidence, settings)


def _measured(
    labels: Volume, image: Volume, confidence: ObjectConfidence, settings: SegmentationSettings
) -> ObjectTable:
    """Measure all where there is a voxel size, without which only voxels can be counted."""
    if settings.measures == "all" and labels.voxel_size_nm is not None:
        objects = measure_everything(labels, image=image)
    else:
        objects = measure_objects(labels)
    for name in ("mean_probability", "doubt"):
        objects = objects.with_column(name, getattr(confidence, name)[objects["id"]])
    return objects


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
    if volume.shape[0] == 1 or settings.dimensions == 2:
        return round(math.pi / 4 * diameter_nm**2 / (size[1] * size[2]))
    return round(math.pi / 6 * diameter_nm**3 / math.prod(size))


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds that a block takes to a record."""
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
