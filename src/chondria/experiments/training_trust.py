"""What the validation slices of a training say of how far to trust its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chondria.data.training_volume import TrainingVolume
from chondria.evaluation.objects import connected_objects
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import (
    candidate_settings,
    gather_evidence,
    with_trust_columns,
)
from chondria.experiments.trust_reports import object_settings
from chondria.experiments.volume_segmentation import label_objects
from chondria.models import ModelCard
from chondria.networks.network import Network
from chondria.training.validation import validation_map
from chondria.trust.level_counts import block_level_counts
from chondria.trust.record import VolumeEvidence, fit_trust
from chondria.volume import Volume, VoxelSize

__all__ = ["learned_trust"]


def learned_trust(
    network: Network, volumes: Sequence[TrainingVolume], card: ModelCard, precision: str
) -> dict[str, Any]:
    """Calibrate pixels and objects, and count errors, on validation slices at the model's size.

    Parameters
    ----------
    network : Network
        In evaluation mode, with its best weights.
    volumes : sequence of TrainingVolume
        Those without validation slices are passed over. Objects are looked at where the slices
        are neighbours and the voxel size is known.
    card : ModelCard
        Threshold and filters, and the voxel size of each volume, in the same order.
    precision : {"fp32", "bf16"}
        Of the forward pass.

    Returns
    -------
    dict
        For `ModelCard.trust`; empty without validation slices.
    """
    settings = SegmentationSettings().of(card)
    evidence = [
        _evidence(network, volume, _voxel_size(volume, entry, card), card, precision)
        for volume, entry in zip(volumes, card.data, strict=True)
        if len(volume.split.validation)
    ]
    return fit_trust(evidence, object_settings(settings)).as_dict() if evidence else {}


def _evidence(
    network: Network,
    volume: TrainingVolume,
    size: VoxelSize | None,
    card: ModelCard,
    precision: str,
) -> VolumeEvidence:
    probability = validation_map(network, volume, network.stride_px, precision, card.patch_slices)
    slices = list(volume.split.validation)
    images, masks = (part[slices].cpu().numpy() for part in (volume.images, volume.masks))
    if size is None or slices[-1] - slices[0] != len(slices) - 1:
        return VolumeEvidence(block_level_counts(probability, masks))
    settings = SegmentationSettings(device="cpu", measures="size").of(card)
    image = Volume(images, size)
    labels, objects = label_objects(probability, image, settings)
    candidates, seen = label_objects(probability, image, candidate_settings(settings))
    seen = with_trust_columns(seen, candidates, probability, {})
    found = (probability, labels.numpy(), objects)
    truth = image.with_data(connected_objects(masks > 0))
    return gather_evidence(volume.name, image, found, (candidates.numpy(), seen), truth)


def _voxel_size(volume: TrainingVolume, entry: dict[str, Any], card: ModelCard) -> VoxelSize | None:
    """Voxel size at the model's pixel size; the thickness of a slice is the data's own."""
    given = entry.get("voxel_size_nm")
    if given is None:
        return None
    z, y, x = given
    return (z, *card.pixel_size_nm) if card.pixel_size_nm else (z, y, x)
