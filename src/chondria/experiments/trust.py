"""Say of a segmentation how far to trust it, by what its model's card holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.experiments.run_folder import write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import (
    LENGTH,
    features_of,
    objects_of,
    with_trust_columns,
)
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for
from chondria.inference.votes import Votes, model_votes, view_votes
from chondria.models import Model, ModelCard, load_model
from chondria.morphometrics.table import ObjectTable
from chondria.trust.object_calibration import richest
from chondria.trust.propagation import propagate
from chondria.trust.record import TrustRecord
from chondria.trust.scope import describe_scope, warnings_of
from chondria.volume import Volume

__all__ = [
    "assess_objects",
    "calibration_report",
    "error_report",
    "gather_votes",
    "measured",
    "object_settings",
    "write_trust",
]

NM3_PER_UM3 = 1e9
# What decides which objects are made of probabilities.
OBJECT_SETTINGS = (
    *("threshold", "spurious_probability", "refine_boundaries_px", "z_median_nm", "zy_median_px"),
    *("smallest_diameter_nm", "largest_doubt", "dimensions", "tta", "blending"),
)


def gather_votes(model: Model, volume: Volume, settings: SegmentationSettings) -> dict[str, Votes]:
    """Ask the views of the image and other models, as the settings say.

    Parameters
    ----------
    model : Model
        What segments.
    volume : Volume, (Z, Y, X)
        The image.
    settings : SegmentationSettings
        Nothing left open; `trust` and `also` say whom to ask.

    Returns
    -------
    dict of str to Votes
        By the name of the column; empty where nobody is to be asked.

    Raises
    ------
    ChondriaError
        If another model cannot be loaded, or views asked of what is no network.
    """
    assert settings.threshold is not None  # `of` filled it from the card
    how = PredictionSettings(
        choose_compute_for(model, volume, settings.device, settings.precision, settings.backend)
    )
    votes = {}
    if settings.trust == "views":
        votes["view_agreement"] = view_votes(model, volume, settings.threshold, how)
    if settings.also:
        own = model.with_card(threshold=settings.threshold)
        models = [own, *(load_model(name) for name in settings.also)]
        votes["seed_agreement"] = model_votes(models, volume, how)
    return votes


def assess_objects(
    card: ModelCard,
    objects: ObjectTable,
    labels: Volume,
    probability: NDArray[np.uint8],
    votes: Mapping[str, Votes],
) -> ObjectTable:
    """Add the columns of trust to a table of objects.

    Parameters
    ----------
    card : ModelCard
        Its `trust`, if any, gives `probability_true`.
    objects : ObjectTable
        With `mean_probability`.
    labels : Volume, (Z, Y, X)
        The label map.
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.
    votes : mapping
        See `gather_votes`.

    Returns
    -------
    ObjectTable
        With `boundary_sharpness` (with a voxel size), `view_agreement`, `seed_agreement` (if asked
        for) and `probability_true` (if the card tells).
    """
    objects = with_trust_columns(objects, labels, probability, votes)
    if not card.trust or labels.voxel_size_nm is None:
        return objects
    features = features_of(objects)
    calibration = richest(TrustRecord.from_dict(card.trust).objects, list(features))
    if calibration is None:
        return objects
    return objects.with_column("probability_true", calibration.of(features, len(objects)))


def write_trust(
    folder: Path,
    card: ModelCard,
    image: Volume,
    found: tuple[NDArray[np.uint8], NDArray[Any], ObjectTable],
    settings: SegmentationSettings,
) -> None:
    """Write calibration.json and errors.json into a run folder, if the card holds anything.

    Parameters
    ----------
    folder : Path
        The run folder.
    card : ModelCard
        Of the model.
    image : Volume, (Z, Y, X)
        The image.
    found : (probability, labels, objects)
        The segmentation.
    settings : SegmentationSettings
        How it was made; nothing left open.
    """
    if not card.trust:
        return
    record = TrustRecord.from_dict(card.trust)
    write_json(folder / "calibration.json", calibration_report(record))
    write_json(folder / "errors.json", error_report(record, image, found, settings))


def calibration_report(record: TrustRecord) -> dict[str, Any]:
    """Put what the report shows of calibration in a form that JSON has."""

    def both(before: Any, after: Any) -> dict[str, Any]:
        return {"before": before and asdict(before), "after": after and asdict(after)}

    used = [asdict(objects) | {"sentence": objects.sentence()} for objects in record.objects]
    return {
        "pixels": asdict(record.pixels)
        | {"levels": [round(float(p), 6) for p in record.pixels.levels()]}
        | both(record.pixels_before, record.pixels_after),
        "objects": {"fits": used} | both(record.objects_before, record.objects_after),
        "fitted_on": [asdict(scope) for scope in record.scopes],
    }


def error_report(
    record: TrustRecord,
    image: Volume,
    found: tuple[NDArray[np.uint8], NDArray[Any], ObjectTable],
    settings: SegmentationSettings,
) -> dict[str, Any]:
    """State corrections of a segmentation, and in what it lies outside of what was validated.

    Parameters
    ----------
    record : TrustRecord
        Of the model.
    image, found, settings
        As `write_trust`.

    Returns
    -------
    dict
        `corrections`, `warnings`, `validation`: what JSON has, with sentences for people;
        `expected_volume_fraction` is the mean of the calibrated probabilities.
    """
    probability, labels, objects = found
    new = describe_scope("this volume", image.numpy(), labels, probability, image.voxel_size_nm)
    warnings = warnings_of(new, record.scopes) + _other_settings(record, settings)
    corrections = []
    if record.units is not None and image.voxel_size_nm is not None:
        corrections = propagate(record.units, measured(objects, image))
    levels = np.bincount(probability.ravel(), minlength=256)
    return {
        "validation": record.tally
        and asdict(record.tally) | {"iou": record.tally.iou, "sentence": record.tally.sentence()},
        "corrections": [asdict(c) | {"sentence": c.sentence()} for c in corrections],
        "expected_volume_fraction": record.pixels.mean(levels),
        "warnings": warnings,
    }


def object_settings(settings: SegmentationSettings) -> dict[str, Any]:
    """Give the settings that decide which objects there are."""
    return {name: getattr(settings, name) for name in OBJECT_SETTINGS}


def measured(objects: ObjectTable, image: Volume) -> dict[str, float]:
    """Measure what `chondria.trust.propagation` corrects.

    Parameters
    ----------
    objects : ObjectTable
        Of one volume.
    image : Volume, (Z, Y, X)
        Its grid, with a voxel size. In a single slice, areas stand for volumes.

    Returns
    -------
    dict of str to float
        By the names of `MEASURES`; lengths where the table has them.
    """
    size = objects.columns.get("volume_um3", objects.columns.get("area_um2"))
    assert size is not None  # there is a voxel size
    count = len(objects)
    assert image.voxel_size_nm is not None  # the same
    volume_um3 = math.prod(image.shape) * math.prod(image.voxel_size_nm) / NM3_PER_UM3
    found = {"count": float(count), "total_volume": float(size.sum())}
    if image.shape[0] > 1:
        counted = np.count_nonzero(objects_of(objects, image.shape).counted)
        found |= {"number_density": counted / volume_um3}
    found |= {"mean_volume": float(size.mean()) if count else 0.0}
    found |= {"volume_fraction": float(objects["voxels"].sum() / math.prod(image.shape))}
    if (length := objects.columns.get(LENGTH)) is not None and count:
        found |= {"total_length": float(length.sum()), "mean_length": float(length.mean())}
    return found


def _other_settings(record: TrustRecord, settings: SegmentationSettings) -> list[str]:
    """Say which settings differ from those of the validation."""
    now = object_settings(settings)
    return [
        f"This was segmented with {name} {now[name]}; validated was {then}."
        for name, then in record.settings.items()
        if name in now and now[name] != then
    ]
