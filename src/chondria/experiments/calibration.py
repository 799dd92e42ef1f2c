"""The job of `chondria calibrate`: a model and a volume with truth in, a model with trust out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chondria.errors import ModelError, SettingsError, ShapeError, VoxelSizeError
from chondria.evaluation.objects import as_label_map, as_mask, connected_objects
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import calibration_report, error_report, object_settings
from chondria.experiments.trust_evidence import gather_evidence
from chondria.experiments.volume_segmentation import segment_volume
from chondria.io import data_hash
from chondria.models import Model, save_model
from chondria.morphometrics.table import write_objects_csv
from chondria.report.reliability import draw_reliability
from chondria.trust.record import TrustRecord, fit_trust
from chondria.volume import Volume

__all__ = ["calibrate_model"]

# What of the settings a card keeps.
OF_THE_CARD = ("threshold", "z_median_nm", "smallest_diameter_nm", "largest_doubt")


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
    and what was learned), ``calibration.json``, ``errors.json`` (of this very volume, where
    nothing is left to correct but by chance), ``reliability.png``, ``objects.csv`` and
    ``run.json``.

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
    chosen = (settings or SegmentationSettings()).of(model.card)
    values = truth.numpy()
    objects = (
        as_label_map(values, "the truth")
        if truth_is_instances
        else connected_objects(as_mask(values, "the truth"))
    )
    if not objects.any():
        raise SettingsError(
            "Found no foreground in the truth; nothing can be calibrated on it: give slices with "
            "mitochondria."
        )
    with new_run_folder(folder) as run:
        record = environment() | {"job": "calibrate", "image_sha256": data_hash(image)}
        _refuse_learned(model, str(record["image_sha256"]))
        # What the card knew of its trust is not asked.
        found = segment_volume(model.with_card(trust={}), image, chosen, progress=progress)
        maps = (found.probability.numpy(), found.labels.numpy(), found.objects)
        named = "the validation volume"
        evidence = gather_evidence(named, image, maps, image.with_data(objects))
        trust = fit_trust([evidence], object_settings(chosen))
        changes = {name: getattr(chosen, name) for name in OF_THE_CARD}
        save_model(model.with_card(trust=trust.as_dict(), **changes), run / "model.safetensors")
        report = calibration_report(trust)
        write_json(run / "calibration.json", report)
        write_json(run / "errors.json", error_report(trust, image, maps, chosen))
        write_objects_csv(found.objects, run / "objects.csv")
        panels = [
            (name, report[name]["before"], report[name]["after"]) for name in ("pixels", "objects")
        ]
        draw_reliability(panels, run / "reliability.png")
        record |= {"shape": image.shape, "voxel_size_nm": image.voxel_size_nm}
        record |= {"model": {"name": model.card.name, "source": model.source}}
        write_json(
            run / "run.json",
            record | {"settings": {n: getattr(chosen, n) for n in chosen.__slots__}},
        )
    return trust


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
