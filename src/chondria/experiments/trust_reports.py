"""State calibration, corrections and warnings: calibration.json and errors.json."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import LENGTH, objects_of
from chondria.morphometrics.table import ObjectTable
from chondria.trust.propagation import propagate
from chondria.trust.record import TrustRecord
from chondria.trust.scope import describe_scope, same_thickness, warnings_of
from chondria.volume import Volume

__all__ = ["calibration_report", "error_report", "measured", "object_settings"]

NM3_PER_UM3 = 1e9
# What errors on volumes do not tell of single slices, nor those on thin stacks of thick ones.
OF_THE_SAME_BODIES = ("total_length", "mean_length", "mean_area")
# What decides which objects are made of probabilities.
OBJECT_SETTINGS = (
    *("threshold", "spurious_probability", "refine_boundaries_px", "z_median_nm", "zy_median_px"),
    *("smallest_diameter_nm", "largest_doubt", "dimensions", "tta", "blending"),
)


def calibration_report(record: TrustRecord) -> dict[str, Any]:
    """Put calibration in the form of calibration.json.

    Parameters
    ----------
    record : TrustRecord
        Of a model.

    Returns
    -------
    dict
        ``note``, a sentence; ``curves``, a reliability diagram for each kind of cases (voxels,
        objects) and stage (before, after); ``pixels``, the calibration with the probability of
        each level of 8 bits; ``objects``, the fits behind `probability_true`.
    """
    curves = {
        ("voxels", "before"): record.pixels_before,
        ("voxels", "after"): record.pixels_after,
        ("objects", "before"): record.objects_before,
        ("objects", "after"): record.objects_after,
    }
    levels = [round(float(p), 6) for p in record.pixels.levels()]
    fits = [asdict(objects) | {"sentence": objects.sentence()} for objects in record.objects]
    said = [f"probability_true is {objects.sentence()}" for objects in record.objects[-1:]]
    return {
        "note": ". ".join([f"Measured on {record.pixels_before.count:,} voxels", *said]) + ".",
        "curves": [
            {"name": name, "stage": stage} | asdict(curve)
            for (name, stage), curve in curves.items()
            if curve is not None
        ],
        "pixels": asdict(record.pixels) | {"levels": levels},
        "objects": fits,
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
        As `chondria.experiments.trust.write_trust`.

    Returns
    -------
    dict
        ``sentences`` for people: warnings first; ``rows``, one for each correction
        (`chondria.trust.correction.Correction`); ``warnings``; ``validation``, what went wrong
        there; ``expected_volume_fraction``, the mean of the calibrated probabilities.
    """
    probability, labels, objects = found
    new = describe_scope("this volume", image.numpy(), labels, probability, image.voxel_size_nm)
    warnings = warnings_of(new, record.scopes) + _other_settings(record, settings)
    corrections = []
    if record.units is not None and image.voxel_size_nm is not None:
        known = measured(objects, image)
        if not same_thickness(new, record.scopes):
            known = {name: value for name, value in known.items() if name not in OF_THE_SAME_BODIES}
        corrections = propagate(record.units, known)
    levels = np.bincount(probability.ravel(), minlength=256)
    tally = record.tally
    said = [tally.sentence()] if tally else []
    return {
        "sentences": [*warnings, *said, *(f"{c.sentence()}." for c in corrections)],
        "rows": [asdict(correction) for correction in corrections],
        "warnings": warnings,
        "validation": tally and asdict(tally) | {"iou": tally.iou},
        "expected_volume_fraction": record.pixels.mean(levels),
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
        Its grid, with a voxel size. Of a single slice, areas instead of volumes.

    Returns
    -------
    dict of str to float
        By the names of `MEASURES`; lengths where the table has them.
    """
    kind, column = ("volume", "volume_um3") if image.shape[0] > 1 else ("area", "area_um2")
    size, count = objects[column], len(objects)
    assert image.voxel_size_nm is not None  # where sizes are known
    volume_um3 = math.prod(image.shape) * math.prod(image.voxel_size_nm) / NM3_PER_UM3
    found = {"count": float(count), f"total_{kind}": float(size.sum())}
    if image.shape[0] > 1:
        counted = np.count_nonzero(objects_of(objects, image.shape).counted)
        found |= {"number_density": float(counted / volume_um3)}
    found |= {f"mean_{kind}": float(size.mean()) if count else 0.0}
    found |= {f"{kind}_fraction": float(objects["voxels"].sum() / math.prod(image.shape))}
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
