"""The job of `chondria calibrate`: a model and a volume with truth in, a model with trust out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ModelError, SettingsError, ShapeError, VoxelSizeError
from chondria.evaluation.objects import as_label_map, as_mask, connected_objects
from chondria.experiments.calibration_report import write_calibration_report
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import assess_objects
from chondria.experiments.trust_evidence import are_true, candidate_settings, gather_evidence
from chondria.experiments.trust_reports import (
    calibration_report,
    error_report,
    object_settings,
)
from chondria.experiments.volume_segmentation import Segmentation, label_objects, segment_volume
from chondria.io import data_hash
from chondria.models import Model, save_model
from chondria.morphometrics.table import ObjectTable, write_objects_csv
from chondria.report.drawing import save_drawings
from chondria.report.reliability import reliability_diagrams
from chondria.trust.record import TrustRecord, VolumeEvidence, fit_trust
from chondria.volume import Volume

__all__ = ["Found", "calibrate_model", "observe"]

Found = tuple[NDArray[np.uint8], NDArray[Any], ObjectTable]
"""Probability, labels and objects."""

# What of the settings a card keeps.
OF_THE_CARD = ("threshold", "z_median_nm", "smallest_diameter_nm", "largest_doubt")
NAME = "the validation volume"


def calibrate_model(
    model: Model,
    image: Volume,
    truth: Volume,
    folder: str | Path,
    settings: SegmentationSettings | None = None,
    *,
    truth_is_instances: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TrustRecord:
    """Learn from a volume with truth how far to trust a model, and write a model that knows it.

    The folder holds ``model.safetensors`` (the weights as they were; the card has the settings
    and what was learned), ``calibration.json``, ``reliability.svg``, ``candidates.csv`` (the
    objects that `probability_true` was learned from, and which of them are true), ``errors.json``
    (what the corrections make of this very volume), ``run.json`` and ``report.html``.

    Parameters
    ----------
    model : Model
        Must not have learned from the volume: errors would look too small.
    image : Volume, (Z, Y, X)
        With a voxel size.
    truth : Volume, (Z, Y, X)
        A mask, whose objects are its 3-D components, or a label map.
    folder : str or Path
        A new or empty folder.
    settings : SegmentationSettings
        How objects are made; what is learned holds for these.
    truth_is_instances : bool
        The truth's values are identifiers.
    progress : callable, optional
        Told how many tiles of how many are predicted.

    Returns
    -------
    TrustRecord
        What the card of the new model holds.

    Raises
    ------
    OutputExistsError
        If the folder holds another run.
    ModelError
        If the model has learned from these very images.
    ChondriaError
        If image, truth or a setting cannot be used.
    """
    _check(image, truth)
    true = image.with_data(_objects(truth.numpy(), truth_is_instances))
    chosen = (settings or SegmentationSettings()).of(model.card)
    with new_run_folder(folder) as run:
        record = environment() | {"job": "calibrate", "image_sha256": data_hash(image)}
        _refuse_learned(model, str(record["image_sha256"]))
        seen, found, evidence = observe(model, image, true, chosen, NAME, progress)
        trust = fit_trust([evidence], object_settings(chosen))
        changes = {name: getattr(chosen, name) for name in OF_THE_CARD}
        knowing = model.with_card(trust=trust.as_dict(), **changes)
        save_model(knowing, run / "model.safetensors")
        _write_candidates(run / "candidates.csv", knowing, seen, true)
        report = calibration_report(trust)
        write_json(run / "calibration.json", report)
        write_json(run / "errors.json", error_report(trust, image, found, chosen))
        save_drawings(reliability_diagrams(report["curves"]), run / "reliability.svg")
        write_json(run / "run.json", record | _how(model, image, chosen))
        write_calibration_report(run)
    return trust


def observe(
    model: Model,
    image: Volume,
    truth: Volume,
    settings: SegmentationSettings,
    name: str = NAME,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Segmentation, Found, VolumeEvidence]:
    """Segment a volume with truth, and compare.

    Parameters
    ----------
    model : Model
        Must not have learned from the volume; what its card knows of its trust is not asked.
    image : Volume, (Z, Y, X)
        With a voxel size.
    truth : Volume, (Z, Y, X)
        The true label map.
    settings : SegmentationSettings
        How objects are made; every value is set (`SegmentationSettings.of`).
    name : str
        Of the volume, for people.
    progress : callable, optional
        Told how many tiles of how many are predicted.

    Returns
    -------
    Segmentation
        Every candidate, also those that a filter drops.
    (probability, labels, objects)
        What the settings find.
    VolumeEvidence
        For `chondria.trust.record.fit_trust`.
    """
    asked = model.with_card(trust={})
    seen = segment_volume(asked, image, candidate_settings(settings), progress=progress)
    outlines = None if seen.boundary is None else seen.boundary.numpy()
    labels, objects = label_objects(seen.probability.numpy(), image, settings, outlines)
    found = (seen.probability.numpy(), labels.numpy(), objects)
    candidates = (seen.labels.numpy(), seen.objects)
    return seen, found, gather_evidence(name, image, found, candidates, truth)


def _objects(values: NDArray[Any], are_instances: bool) -> NDArray[Any]:
    if are_instances:
        objects = as_label_map(values, "the truth")
    else:
        objects = connected_objects(as_mask(values, "the truth"))
    if not np.any(objects):
        raise SettingsError(
            "Found no foreground in the truth; nothing can be calibrated on it: give slices with "
            "mitochondria."
        )
    return objects


def _write_candidates(path: Path, model: Model, seen: Segmentation, truth: Volume) -> None:
    """Write the objects that were learned from, with what is true and what is now said of them."""
    labels, levels = seen.labels, seen.probability.numpy()
    table = assess_objects(model.card, seen.objects, labels, levels, {})
    true = are_true(labels.numpy(), seen.objects, truth.numpy())
    write_objects_csv(table.with_column("is_true", true), path)


def _how(model: Model, image: Volume, settings: SegmentationSettings) -> dict[str, Any]:
    return {
        "shape": image.shape,
        "voxel_size_nm": image.voxel_size_nm,
        "model": {"name": model.card.name, "source": model.source},
        "settings": {name: getattr(settings, name) for name in settings.__slots__},
    }


def _check(image: Volume, truth: Volume) -> None:
    if image.shape != truth.shape:
        raise ShapeError(
            f"Found images of shape {image.shape} and a truth of shape {truth.shape} (Z, Y, X); "
            "they must be equal: crop or resample one."
        )
    if image.voxel_size_nm is None:
        raise VoxelSizeError(
            "Found no voxel size of the images, without which sizes cannot be compared; give "
            "--voxel-size Z,Y,X in nm."
        )


def _refuse_learned(model: Model, image_hash: str) -> None:
    """Refuse a volume that the model has learned from as a whole."""
    for entry in model.card.data:
        if entry.get("images_sha256") == image_hash and entry.get("used_for") == "training":
            raise ModelError(
                f"Found that the model '{model.card.name}' has learned from slices of this very "
                "volume, on which its errors look too small; give another volume, or the slices "
                "that it kept for validation."
            )
