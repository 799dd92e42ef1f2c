"""What the validation slices of a training say of how far to trust its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chondria.evaluation.objects import connected_objects
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import (
    candidate_settings,
    gather_evidence,
    with_trust_columns,
)
from chondria.experiments.trust_reports import object_settings
from chondria.experiments.validation_slices import ValidationSlices
from chondria.experiments.volume_segmentation import label_objects
from chondria.models import ModelCard
from chondria.trust.level_counts import block_level_counts
from chondria.trust.record import VolumeEvidence, fit_trust
from chondria.volume import Volume

__all__ = ["learned_trust"]


def learned_trust(volumes: Sequence[ValidationSlices], card: ModelCard) -> dict[str, Any]:
    """Calibrate pixels and objects, and count errors, on validation slices at the model's size.

    Parameters
    ----------
    volumes : sequence of ValidationSlices
        Objects are looked at where the slices are neighbours and the voxel size is known.
    card : ModelCard
        Threshold and filters.

    Returns
    -------
    dict
        For `ModelCard.trust`; empty without validation slices.
    """
    settings = SegmentationSettings().of(card)
    evidence = [_evidence(volume, card) for volume in volumes]
    return fit_trust(evidence, object_settings(settings)).as_dict() if evidence else {}


def _evidence(volume: ValidationSlices, card: ModelCard) -> VolumeEvidence:
    probability, masks = volume.probability, volume.truth
    if volume.voxel_size_nm is None or not volume.are_neighbours:
        return VolumeEvidence(block_level_counts(probability, masks))
    settings = SegmentationSettings(device="cpu", measures="size").of(card)
    image = Volume(volume.image, volume.voxel_size_nm)
    labels, objects = label_objects(probability, image, settings)
    candidates, seen = label_objects(probability, image, candidate_settings(settings))
    seen = with_trust_columns(seen, candidates, probability, {})
    found = (probability, labels.numpy(), objects)
    truth = image.with_data(connected_objects(masks))
    return gather_evidence(volume.name, image, found, (candidates.numpy(), seen), truth)
