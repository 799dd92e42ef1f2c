"""Segment a volume in memory: probabilities, label map and object table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chondria.allocation import retain_freed_memory
from chondria.experiments.labelling import label_volume
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import assess_objects, gather_votes
from chondria.inference.backends import Agreement
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.table import ObjectTable, measure_objects
from chondria.postprocessing.confidence import ObjectConfidence
from chondria.volume import Volume

__all__ = [
    "Prediction",
    "Segmentation",
    "label_objects",
    "predict_probability",
    "segment_volume",
    "timed",
]


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


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds that a block takes to a record."""
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
