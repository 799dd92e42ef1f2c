"""The job of `chondria segment`: images in, a run folder with measured objects out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.allocation import retain_freed_memory
from chondria.errors import SettingsError
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.inference.predict import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import data_hash, format_suffix, save_volume
from chondria.io.atomic import check_disk_space
from chondria.io.formats import check_holds
from chondria.io.header import Grid
from chondria.models import Model, ModelCard
from chondria.morphometrics import ObjectTable, measure_objects, write_objects_csv
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances, remove_small_objects
from chondria.report.overview import draw_overview
from chondria.volume import Volume

__all__ = ["Segmentation", "SegmentationSettings", "segment", "segment_volume"]

SMALLEST_WITHOUT_SIZE_PX = 20


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """How to segment; None takes what the model's card says.

    Attributes
    ----------
    threshold : float or None
        Probability from which a voxel is foreground.
    z_median_nm : float or None
        Extent of the median along z; no effect where slices are thicker than half of it.
    smallest_diameter_nm : float or None
        Objects smaller than a sphere (in 2-D, a disc) of this diameter are dropped.
    dimensions : {3, 2}
        Objects run through the slices, or every slice has its own.
    tta : {"none", "d4"}
        Averaging over the eight flips and rotations.
    device, precision : str
        See `chondria.inference.device`.
    """

    threshold: float | None = None
    z_median_nm: float | None = None
    smallest_diameter_nm: float | None = None
    dimensions: Literal[2, 3] = 3
    tta: Literal["none", "d4"] = "none"
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise SettingsError(
                f"Found the threshold {self.threshold:g}; a probability above 0 and below 1 is "
                "needed, such as 0.5."
            )
        if self.tta not in ("none", "d4"):
            raise SettingsError(f"Found the averaging '{self.tta}'; allowed are none and d4.")
        for said, length in (
            ("extent of the median along z", self.z_median_nm),
            ("diameter of the smallest object", self.smallest_diameter_nm),
        ):
            if length is not None and not 0 <= length < math.inf:
                raise SettingsError(
                    f"Found {length:g} nm as the {said}; a length of 0 or more is needed, where 0 "
                    "switches it off."
                )

    def of(self, card: ModelCard) -> SegmentationSettings:
        """Fill what was left open from a model's card."""
        open_fields = ("threshold", "z_median_nm", "smallest_diameter_nm")
        given = {name: getattr(self, name) for name in self.__slots__}
        filled = {name: getattr(card, name) for name in open_fields if given[name] is None}
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
        Measures of every object.
    seconds : dict
        Time of each stage.
    """

    probability: Volume
    labels: Volume
    objects: ObjectTable
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
    with _timed(seconds, "predict"):
        values = np.empty(volume.shape, np.uint8)
        predict_volume(
            model,
            volume,
            values,
            settings=_prediction_settings(chosen),
            progress=progress,
            where=where,
        )
    with _timed(seconds, "postprocess"):
        labels = volume.with_data(_label(values, volume, chosen))
    with _timed(seconds, "measure"):
        objects = measure_objects(labels)
    return Segmentation(volume.with_data(values), labels, objects, seconds)


def segment(
    model: Model,
    volume: Volume,
    folder: str | Path,
    settings: SegmentationSettings | None = None,
    *,
    format: str = "tiff",
    progress: Callable[[int, int], None] | None = None,
    where: str = "the image",
) -> Segmentation:
    """Segment a volume and write a run folder.

    The folder holds ``labels.*``, ``probability.*`` (8 bits, 255 is certainty), ``objects.csv``,
    ``overview.png`` and ``run.json``. Should anything fail, a folder made here is removed again.

    Parameters
    ----------
    model, volume, settings, progress, where
        See `segment_volume`.
    folder : str or Path
        A new or empty folder.
    format : str
        A key of `chondria.io.FORMATS`, of labels and probabilities.

    Returns
    -------
    Segmentation
        What was written.

    Raises
    ------
    OutputExistsError
        If the folder holds another run.
    ChondriaError
        If the image or a setting cannot be used, or the disk is too small.
    """
    suffix = format_suffix(format)
    for dtype in (np.uint8, np.uint16):
        check_holds(format, Grid.of(volume.with_data(np.broadcast_to(dtype(0), volume.shape))))
    with new_run_folder(folder) as run:
        check_disk_space(run, 5 * math.prod(volume.shape))
        record = environment() | {"job": "segment", "image": where} | _provenance(model, volume)
        result = segment_volume(model, volume, settings, progress=progress, where=where)
        with _timed(result.seconds, "write"):
            save_volume(result.probability, folder / f"probability{suffix}", format)
            save_volume(result.labels, folder / f"labels{suffix}", format)
            write_objects_csv(result.objects, run / "objects.csv")
            title = f"{len(result.objects)} mitochondria found by {model.card.name}"
            draw_overview(volume, result.labels.data, run / "overview.png", title=title)
        with _timed(result.seconds, "hash"):
            record["image_sha256"] = data_hash(volume)
        chosen = (settings or SegmentationSettings()).of(model.card)
        device = choose_device(chosen.device)
        record |= {
            "device": describe_device(device),
            "settings": {name: getattr(chosen, name) for name in chosen.__slots__},
            "precision": choose_precision(chosen.precision, device),
            "objects": len(result.objects),
            "seconds": {stage: round(value, 3) for stage, value in result.seconds.items()},
        }
        write_json(run / "run.json", record)
    return result


def _prediction_settings(settings: SegmentationSettings) -> PredictionSettings:
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, device)
    return PredictionSettings(
        device=device,
        precision="bf16" if precision == "bf16" else "fp32",
        tta=settings.tta,
    )


def _label(
    probability: NDArray[np.uint8], volume: Volume, settings: SegmentationSettings
) -> NDArray[Any]:
    """Threshold, smooth along z, number the objects, drop the small ones."""
    assert settings.threshold is not None  # `of` filled it from the card
    mask = threshold(probability, settings.threshold)
    size = volume.voxel_size_nm
    if size is not None and settings.z_median_nm:
        mask = z_median(mask, z_extent_slices(settings.z_median_nm, size[0]))
    labels = connected_instances(mask, dimensions=settings.dimensions)
    return remove_small_objects(labels, _smallest_voxels(volume, settings))


def _smallest_voxels(volume: Volume, settings: SegmentationSettings) -> int:
    """Count the voxels of the smallest object that is kept."""
    size, diameter_nm = volume.voxel_size_nm, settings.smallest_diameter_nm or 0.0
    if size is None:
        return SMALLEST_WITHOUT_SIZE_PX if diameter_nm else 0
    if volume.shape[0] == 1 or settings.dimensions == 2:
        return round(math.pi / 4 * diameter_nm**2 / (size[1] * size[2]))
    return round(math.pi / 6 * diameter_nm**3 / math.prod(size))


def _provenance(model: Model, volume: Volume) -> dict[str, Any]:
    return {
        "shape": volume.shape,
        "voxel_size_nm": volume.voxel_size_nm,
        "dtype": str(volume.dtype),
        "model": {
            "name": model.card.name,
            "source": model.source,
            "network": model.card.network,
            "options": model.card.options,
            "pixel_size_nm": model.card.pixel_size_nm,
            "chondria": model.card.chondria,
        },
    }


class _timed:  # noqa: N801 - reads as a statement
    """Adds the seconds that a block takes to a record."""

    def __init__(self, seconds: dict[str, float], stage: str) -> None:
        self._seconds, self._stage = seconds, stage

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._stage] = time.perf_counter() - self._started
