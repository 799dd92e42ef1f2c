"""Several opinions on one volume: those of the eight views of a slice, those of several models."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ModelError
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.tta import d4_transforms
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model
from chondria.networks.network import Network
from chondria.volume import Volume

__all__ = ["Votes", "model_votes", "view_votes"]

# 0.6 * 255 comes out below 153.
TOLERANCE = 1e-6

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False, slots=True)
class Votes:
    """How many of several predictions take each voxel for foreground.

    Attributes
    ----------
    counts : ndarray of uint8, (Z, Y, X)
        From 0 to `voters`.
    voters : int
        Number of predictions.
    """

    counts: NDArray[np.uint8]
    voters: int


def view_votes(
    model: Model,
    volume: Volume,
    threshold: float,
    settings: PredictionSettings,
    progress: Progress | None = None,
) -> Votes:
    """Predict a volume in each of its eight flips and rotations alone, and count.

    One map of 8 bits is in memory beside the counts, and the time is that of averaging over the
    eight.

    Parameters
    ----------
    model : Model
        A network.
    volume : Volume, (Z, Y, X)
        The image.
    threshold : float
        Probability that foreground exceeds.
    settings : PredictionSettings
        Device, backend, precision; averaging is left out.
    progress : callable, optional
        Told how many tiles of how many are predicted, of all views.

    Returns
    -------
    Votes
        Of eight.

    Raises
    ------
    ModelError
        If what predicts is no network.
    """
    if not isinstance(model.predictor, Network):
        raise ModelError(
            f"Found no network in the model '{model.card.name}', whose single views could be "
            "compared; leave the comparison of views out."
        )
    counts = np.zeros(volume.shape, np.uint8)
    views = len(d4_transforms())
    for view in range(views):
        plain = replace(settings, tta="none", blending="none", view=view)
        _vote(counts, model, volume, threshold, plain, _part(progress, view, views))
    return Votes(counts, views)


def model_votes(
    models: Sequence[Model],
    volume: Volume,
    settings: PredictionSettings,
    progress: Progress | None = None,
) -> Votes:
    """Predict a volume with several models, each at its own threshold, and count.

    Parameters
    ----------
    models : sequence of Model
        Such as those of several seeds of one training.
    volume, settings, progress
        As `view_votes`; each model is computed in the precision that suits it.

    Returns
    -------
    Votes
        Of as many as there are models.
    """
    counts = np.zeros(volume.shape, np.uint8)
    for number, model in enumerate(models):
        device = str(settings.compute.device)
        compute = choose_compute_for(model, volume, device, tta=settings.tta)
        how = replace(settings, compute=compute)
        part = _part(progress, number, len(models))
        _vote(counts, model, volume, model.card.threshold, how, part)
    return Votes(counts, len(models))


def _vote(
    counts: NDArray[np.uint8],
    model: Model,
    volume: Volume,
    threshold: float,
    settings: PredictionSettings,
    progress: Progress | None,
) -> None:
    """Add one prediction to the counts."""
    levels = np.empty(volume.shape, np.uint8)
    predict_volume(model, volume, levels, settings=settings, progress=progress)
    for z, plane in enumerate(levels):
        # An integer exceeds a bound if it exceeds the bound rounded down.
        counts[z] += plane > math.floor(threshold * 255 + TOLERANCE)


def _part(progress: Progress | None, number: int, of: int) -> Progress | None:
    """Tell of one of several predictions as a part of all."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, of * total)
