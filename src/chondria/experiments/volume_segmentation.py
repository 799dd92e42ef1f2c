"""Segment a volume in memory: probabilities, label map and object table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.allocation import retain_freed_memory
from chondria.errors import SettingsError
from chondria.inference.backends import Agreement
from chondria.inference.blending import check_window
from chondria.inference.compute import Compute
from chondria.inference.predict import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model, ModelCard
from chondria.morphometrics import ObjectTable, measure_objects
from chondria.postprocessing.confidence import ObjectConfidence, object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median, zy_median
from chondria.postprocessing.instances import (
    connected_instances,
    keep_objects,
    remove_small_objects,
)
from chondria.postprocessing.oztel import drop_spurious, refine_boundaries
from chondria.volume import Volume

__all__ = [
    "Segmentation",
    "SegmentationSettings",
    "label_volume",
    "predict_probability",
    "segment_volume",
    "timed",
]

SMALLEST_WITHOUT_SIZE_PX = 20


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """How to segment; None takes what the model's card says.

    Attributes
    ----------
    threshold : float or None
        Probability from which a voxel is foreground.
    spurious_probability : float
        What is connected within a slice and of a smaller mean probability is dropped (Oztel et
        al. 2017: 0.8); 0 keeps all.
    refine_boundaries_px : int
        How far outlines may move onto an edge of the image, by a watershed in each slice (Oztel et
        al. 2017); 0 leaves them.
    z_median_nm : float or None
        Extent of the median along z; no effect where slices are thicker than half of it.
    zy_median_px : int
        Extent of the median of each (z, y) plane, in slices and in rows, odd; 0 for none.
    smallest_diameter_nm : float or None
        Objects smaller than a sphere (in 2-D, a disc) of this diameter are dropped.
    largest_doubt : float or None
        Objects of which the network is so many times less sure than of the average voxel are
        dropped; 0 keeps all.
    dimensions : {3, 2}
        Objects run through the slices, or every slice has its own.
    tta : {"none", "d4"}
        Averaging over the eight flips and rotations.
    blending : {"none", "spline"}
        Prediction of whole slices, or of overlapping windows in their eight flips and rotations.
    window_px : int
        Width of those windows, at the model's pixel size.
    device, precision, backend : str
        See `chondria.inference.volumes.choose_compute_for`.
    """

    threshold: float | None = None
    spurious_probability: float = 0.0
    refine_boundaries_px: int = 0
    z_median_nm: float | None = None
    zy_median_px: int = 0
    smallest_diameter_nm: float | None = None
    largest_doubt: float | None = None
    dimensions: Literal[2, 3] = 3
    tta: Literal["none", "d4"] = "none"
    blending: Literal["none", "spline"] = "none"
    window_px: int = 256
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"

    def __post_init__(self) -> None:
        self._check_prediction()
        self._check_filters()
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise SettingsError(
                f"Found the threshold {self.threshold:g}; a probability above 0 and below 1 is "
                "needed, such as 0.5."
            )
        if self.largest_doubt is not None and not 0 <= self.largest_doubt < math.inf:
            raise SettingsError(
                f"Found the largest doubt {self.largest_doubt:g}; a factor above 1, such as 3, is "
                "needed, or 0, which keeps every object."
            )
        for said, length in (
            ("extent of the median along z", self.z_median_nm),
            ("diameter of the smallest object", self.smallest_diameter_nm),
        ):
            if length is not None and not 0 <= length < math.inf:
                raise SettingsError(
                    f"Found {length:g} nm as the {said}; a length of 0 or more is needed, where 0 "
                    "switches it off."
                )

    def _check_prediction(self) -> None:
        if self.tta not in ("none", "d4"):
            raise SettingsError(f"Found the averaging '{self.tta}'; allowed are none and d4.")
        if self.blending not in ("none", "spline"):
            raise SettingsError(
                f"Found the blending '{self.blending}'; allowed are none and spline."
            )
        check_window(self.window_px)

    def _check_filters(self) -> None:
        if not 0 <= self.spurious_probability < 1:
            raise SettingsError(
                f"Found {self.spurious_probability:g} as the mean probability below which "
                "detections are spurious; it must be below 1, such as 0.8, or 0, which keeps all."
            )
        if self.refine_boundaries_px < 0:
            raise SettingsError(
                f"Found a refinement of boundaries by {self.refine_boundaries_px} px; give 1 or "
                "more, or 0, which leaves them."
            )
        if self.zy_median_px and (self.zy_median_px < 1 or self.zy_median_px % 2 == 0):
            raise SettingsError(
                f"Found a median of (z, y) planes of {self.zy_median_px} px; give an odd number, "
                "such as 5, or 0 for none."
            )

    def of(self, card: ModelCard) -> SegmentationSettings:
        """Fill what was left open from a model's card."""
        given = {name: getattr(self, name) for name in self.__slots__}
        filled = {name: getattr(card, name) for name, value in given.items() if value is None}
        return SegmentationSettings(**(given | filled))


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
        Measures of every object, and how sure the network is of it: `mean_probability`, `doubt`.
    compute : Compute
        Where, with what and how precisely the network was computed.
    agreement : Agreement
        How the probabilities compare with those of PyTorch in fp32.
    seconds : dict
        Time of each stage.
    """

    probability: Volume
    labels: Volume
    objects: ObjectTable
    compute: Compute
    agreement: Agreement
    seconds: dict[str, float] = field(default_factory=dict)


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
        values, compute, agreement = predict_probability(
            model, volume, chosen, progress=progress, where=where
        )
    with timed(seconds, "postprocess"):
        found, confidence = label_volume(values, volume, chosen)
        labels = volume.with_data(found)
    with timed(seconds, "measure"):
        objects = measure_objects(labels)
        for name in ("mean_probability", "doubt"):
            objects = objects.with_column(name, getattr(confidence, name)[objects["id"]])
    return Segmentation(volume.with_data(values), labels, objects, compute, agreement, seconds)


def predict_probability(
    model: Model,
    volume: Volume,
    settings: SegmentationSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    where: str = "the image",
) -> tuple[NDArray[np.uint8], Compute, Agreement]:
    """Predict a volume in memory by 8 bits; says how, and how that agrees with PyTorch in fp32."""
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
    agreement = predict_volume(model, volume, values, settings=how, progress=progress, where=where)
    return values, compute, agreement


def label_volume(
    probability: NDArray[np.uint8], volume: Volume, settings: SegmentationSettings
) -> tuple[NDArray[Any], ObjectConfidence]:
    """Threshold, filter, number the objects, drop the small and the doubtful ones.

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

    Returns
    -------
    tuple
        Label map (Z, Y, X), and how sure the network is of each object.
    """
    assert settings.threshold is not None  # `of` filled it from the card
    mask = _filter(threshold(probability, settings.threshold), probability, volume, settings)
    labels = connected_instances(mask, dimensions=settings.dimensions)
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
