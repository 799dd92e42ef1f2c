"""Say of a segmentation how far to trust it, by what its model's card holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.experiments.run_folder import write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_evidence import features_of, with_trust_columns
from chondria.experiments.trust_reports import calibration_report, error_report
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for
from chondria.inference.votes import Votes, model_votes, view_votes
from chondria.models import Model, ModelCard, load_model
from chondria.morphometrics.table import ObjectTable
from chondria.trust.object_calibration import richest
from chondria.trust.record import TrustRecord
from chondria.volume import Volume

__all__ = ["assess_objects", "gather_votes", "write_trust"]


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
