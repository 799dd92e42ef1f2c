"""Gather what one volume with truth says of a model: pixels, objects and errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.evaluation.overlap import contingency_table
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.inference.votes import Votes
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.table import ObjectTable, measure_objects
from chondria.trust.agreement import vote_agreement
from chondria.trust.error_units import MeasuredObjects, Overlaps, error_units
from chondria.trust.level_counts import BLOCKS, block_level_counts
from chondria.trust.object_calibration import object_features
from chondria.trust.record import ObjectEvidence, VolumeEvidence
from chondria.trust.scope import describe_scope
from chondria.trust.sharpness import boundary_sharpness
from chondria.volume import Volume

__all__ = [
    "are_true",
    "candidate_settings",
    "features_of",
    "gather_evidence",
    "objects_of",
    "with_trust_columns",
]

AGREEMENTS = ("view_agreement", "seed_agreement")
NM_PER_UM = 1000.0
# Column of lengths, where a table of objects has one.
LENGTH = "skeleton_length_um"


def with_trust_columns(
    objects: ObjectTable,
    labels: Volume,
    probability: NDArray[np.uint8],
    votes: Mapping[str, Votes],
) -> ObjectTable:
    """Add how sharp each object's outline is, and how far predictions agree on it.

    Parameters
    ----------
    objects : ObjectTable
        With `id`.
    labels : Volume, (Z, Y, X)
        The label map.
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.
    votes : mapping of str to Votes
        By the name of the column: `view_agreement`, `seed_agreement`.

    Returns
    -------
    ObjectTable
        With `boundary_sharpness` in 1/nm, where there is a voxel size, and the agreements.
    """
    found, size = labels.numpy(), labels.voxel_size_nm
    if size is not None:
        slopes = boundary_sharpness(found, probability, objects["id"], size)
        objects = objects.with_column("boundary_sharpness", slopes)
    for name, cast in votes.items():
        agreement = vote_agreement(found, cast.counts, cast.voters, objects["id"], size)
        objects = objects.with_column(name, agreement)
    return objects


def features_of(objects: ObjectTable) -> dict[str, NDArray[np.float64]]:
    """Give the features of `ObjectCalibration`, of a table with `with_trust_columns`."""
    columns = objects.columns
    return object_features(
        _diameter_nm(objects),
        columns["mean_probability"],
        columns["boundary_sharpness"],
        {name: columns[name] for name in AGREEMENTS if name in columns},
    )


def objects_of(objects: ObjectTable, shape: tuple[int, int, int]) -> MeasuredObjects:
    """Give what errors are propagated in; of a single slice, an area in um2 for the volume."""
    size = "volume_um3" if "volume_um3" in objects.columns else "area_um2"
    return MeasuredObjects(
        objects["id"],
        objects["voxels"],
        objects[size],
        _block(objects, shape),
        _begins_inside(objects, shape),
        objects.columns.get(LENGTH),
    )


def gather_evidence(
    name: str,
    image: Volume,
    found: tuple[NDArray[np.uint8], NDArray[Any], ObjectTable],
    candidates: tuple[NDArray[Any], ObjectTable],
    truth: Volume,
) -> VolumeEvidence:
    """Compare a segmentation with the truth.

    Parameters
    ----------
    name : str
        Of the volume, for people.
    image : Volume, (Z, Y, X)
        With a voxel size.
    found : (probability, labels, objects)
        The segmentation whose errors count.
    candidates : (labels, objects)
        What `candidate_settings` find, a table `with_trust_columns`: what `probability_true` is
        learned from, as objects that a filter drops are examples too, and there are few.
    truth : Volume, (Z, Y, X)
        The true label map; measured here.

    Returns
    -------
    VolumeEvidence
        Of pixels, objects and errors.
    """
    probability, labels, objects = found
    true_labels = truth.numpy()
    # Both by the same measures: lengths, where the prediction's are known.
    true_objects = (measure_everything if LENGTH in objects.columns else measure_objects)(truth)
    predicted, true = (objects_of(side, image.shape) for side in (objects, true_objects))
    errors = error_units(_overlaps(labels, true_labels), predicted, true)
    seen = candidates[1]
    evidence = ObjectEvidence(
        features_of(seen),
        seen["mean_probability"],
        are_true(*candidates, true_labels),
        objects_of(seen, image.shape).block,
    )
    scope = describe_scope(name, image.numpy(), labels, probability, image.voxel_size_nm)
    return VolumeEvidence(block_level_counts(probability, true_labels), evidence, errors, scope)


def candidate_settings(settings: SegmentationSettings) -> SegmentationSettings:
    """Keep what settings drop for being small or doubtful; specks are many, and only counted."""
    return replace(settings, smallest_diameter_nm=0.0, largest_doubt=0.0, measures="size")


def are_true(
    labels: NDArray[Any], objects: ObjectTable, true_labels: NDArray[Any]
) -> NDArray[np.bool_]:
    """Tell which objects lie in the truth with more than half of their voxels.

    Parameters
    ----------
    labels, true_labels : ndarray of int, (Z, Y, X)
        What was found, and what is true; 0 is background.
    objects : ObjectTable
        Of the former.

    Returns
    -------
    ndarray of bool, (objects,)
        Whether each is a mitochondrion, or at least of one.
    """
    overlaps, inside = _overlaps(labels, true_labels), np.zeros(len(objects))
    both = (overlaps.predicted_ids != 0) & (overlaps.true_ids != 0)
    row = np.searchsorted(objects["id"], overlaps.predicted_ids[both])
    np.add.at(inside, row, overlaps.voxels[both])
    true: NDArray[np.bool_] = 2 * inside > objects["voxels"]
    return true


def _overlaps(labels: NDArray[Any], true_labels: NDArray[Any]) -> Overlaps:
    table = contingency_table(labels, true_labels)
    return Overlaps(table.predicted_ids, table.true_ids, table.voxels)


def _diameter_nm(objects: ObjectTable) -> NDArray[np.float64]:
    """Diameter of the ball, or of the disc, of the same size."""
    diameter: NDArray[np.float64]
    if "volume_um3" in objects.columns:
        diameter = np.cbrt(6 / math.pi * objects["volume_um3"]) * NM_PER_UM
    else:
        diameter = np.sqrt(4 / math.pi * objects["area_um2"]) * NM_PER_UM
    return diameter


def _begins_inside(objects: ObjectTable, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Tell which objects the first faces do not cut; a single slice has none along z."""
    axes = "yx" if shape[0] == 1 else "zyx"
    inside: NDArray[np.bool_] = np.all([objects[f"bbox_{a}_start_px"] > 0 for a in axes], axis=0)
    return inside


def _block(objects: ObjectTable, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Number of the block of the plane that holds each object's centroid."""
    row, column = (
        np.clip((objects[f"centroid_{axis}_px"] + 0.5) / size * BLOCKS, 0, BLOCKS - 1).astype(int)
        for axis, size in zip("yx", shape[1:], strict=True)
    )
    number: NDArray[np.int64] = (row * BLOCKS + column).astype(np.int64)
    return number
