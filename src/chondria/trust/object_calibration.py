"""The probability that an object is a mitochondrion: a small logistic model of its measures.

Validation slices hold tens of objects, not thousands; the model is kept small, its weights are
pulled to zero, and it never says 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError

__all__ = [
    "ObjectCalibration",
    "cross_fitted",
    "fit_object_calibration",
    "object_features",
    "richest",
]

Features = Mapping[str, NDArray[Any]]

SURE: Final = 1 / 1020  # a quarter of a level of 8 bits
SMALLEST: Final = 1e-6
# Precision of the prior of each weight, of features in standard deviations.
PENALTY: Final = 1.0
# Of each kind, objects of average measures that are added: the prior of Jeffreys.
PSEUDO: Final = 0.5
# Objects of the rarer kind that each weight needs (Peduzzi et al. 1996 ask for 10; weights that
# are pulled to zero do with fewer: van Smeden et al. 2019).
RARER_PER_WEIGHT: Final = 4
ITERATIONS: Final = 50


@dataclass(frozen=True, slots=True)
class ObjectCalibration:
    """``sigmoid(intercept + sum(weight (feature - centre) / scale))``.

    Attributes
    ----------
    features : tuple of str
        What it looks at, see `object_features`; none where there were too few objects to learn
        from, so that every object gets the share that was true.
    centres, scales, weights : tuple of float
        One for each feature.
    intercept : float
        Logit of the probability of an object of average measures.
    objects, true_objects : int
        How many it was fitted on, and how many of them are mitochondria.
    """

    features: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    objects: int
    true_objects: int

    def of(self, features: Features, n: int) -> NDArray[np.float64]:
        """Give the probability of each of n objects.

        Raises
        ------
        SettingsError
            If a feature is missing.
        """
        if missing := [name for name in self.features if name not in features]:
            raise SettingsError(
                f"Found no {', '.join(missing)} of the objects; this calibration needs "
                f"{', '.join(self.features)}: measure them first."
            )
        logits = np.full(n, self.intercept)
        rows = zip(self.features, self.centres, self.scales, self.weights, strict=True)
        for name, centre, scale, weight in rows:
            logits += weight * (features[name] - centre) / scale
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
        return probability

    def sentence(self) -> str:
        """Say what it is fitted on."""
        by = ", ".join(self.features) if self.features else "nothing: too few objects of one kind"
        return (
            f"fitted on {self.objects} objects of validation slices, of which "
            f"{self.true_objects} are mitochondria, by {by}"
        )


def object_features(
    diameter_nm: NDArray[Any],
    mean_probability: NDArray[Any],
    boundary_sharpness: NDArray[Any],
    agreements: Features,
) -> dict[str, NDArray[np.float64]]:
    """Put measures on scales where equal steps mean about the same.

    Parameters
    ----------
    diameter_nm : ndarray, (objects,)
        Of the ball (in a single slice, the disc) of the same size.
    mean_probability : ndarray, (objects,)
        Over the voxels, 0 to 1.
    boundary_sharpness : ndarray, (objects,)
        In 1/nm.
    agreements : mapping of str to ndarray, (objects,)
        `view_agreement` and `seed_agreement`, where they were measured; left as they are.

    Returns
    -------
    dict of str to ndarray
        `log_diameter`, the agreements, `logit_mean_probability`, `log_sharpness`.
    """
    p = np.clip(mean_probability, SURE, 1 - SURE)
    agreed = {name: np.asarray(values, np.float64) for name, values in agreements.items()}
    # The most telling first, as few objects are enough for few features.
    return {
        "log_diameter": np.log(np.maximum(diameter_nm, SMALLEST)),
        **agreed,
        "logit_mean_probability": np.log(p / (1 - p)),
        "log_sharpness": np.log(np.maximum(boundary_sharpness, SMALLEST)),
    }


def fit_object_calibration(features: Features, true: NDArray[np.bool_]) -> ObjectCalibration:
    """Fit the model to validation objects.

    As many features are used, in the order given, as there are four objects of the rarer kind
    for. The penalised likelihood is maximised by Newton's method.

    Parameters
    ----------
    features : mapping of str to ndarray, (objects,)
        See `object_features`.
    true : ndarray of bool, (objects,)
        Whether each is a mitochondrion.

    Returns
    -------
    ObjectCalibration
        Without objects it says 0.5; of objects of one kind, a little less than certainty.
    """
    n, positives = true.size, int(np.count_nonzero(true))
    affordable = min(positives, n - positives) // RARER_PER_WEIGHT
    names = tuple(features)[:affordable]
    values = np.stack([features[name] for name in names], 1) if names else np.zeros((n, 0))
    centres = values.mean(0) if n else np.zeros(0)
    scales = np.maximum(values.std(0), SMALLEST) if n else np.zeros(0)
    design = np.column_stack(
        [np.ones(n + 2), np.pad((values - centres) / scales, ((0, 2), (0, 0)))]
    )
    outcome = np.concatenate([true.astype(np.float64), (1.0, 0.0)])
    weights = _newton(design, outcome, np.concatenate([np.ones(n), (PSEUDO, PSEUDO)]))
    return ObjectCalibration(
        names,
        tuple(centres.tolist()),
        tuple(scales.tolist()),
        tuple(weights[1:].tolist()),
        float(weights[0]),
        n,
        positives,
    )


def cross_fitted(
    features: Features, true: NDArray[np.bool_], fold: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Probability of each object by a model that has seen only objects of other folds.

    Parameters
    ----------
    features, true
        As `fit_object_calibration`.
    fold : ndarray of int, (objects,)
        Objects that may be near copies, as of one block, have one number.

    Returns
    -------
    ndarray of float64, (objects,)
        For an honest reliability diagram of few objects.
    """
    probability = np.empty(true.size)
    for number in np.unique(fold):
        out = fold == number
        rest = {name: values[~out] for name, values in features.items()}
        left = {name: values[out] for name, values in features.items()}
        model = fit_object_calibration(rest, true[~out])
        probability[out] = model.of(left, int(out.sum()))
    return probability


def _newton(
    design: NDArray[np.float64], outcome: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Maximise the penalised likelihood; the intercept, in the first column, is not pulled."""
    penalty = np.full(design.shape[1], PENALTY)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(ITERATIONS):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (counts * (outcome - p)) - penalty * weights
        curvature = (design.T * (counts * p * (1 - p))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        # Far from the maximum a whole step may overshoot.
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return weights


def richest(
    calibrations: Sequence[ObjectCalibration], available: Sequence[str]
) -> ObjectCalibration | None:
    """Choose the last of the calibrations, from plain to rich, whose features are there."""
    usable = [c for c in calibrations if set(c.features) <= set(available)]
    return usable[-1] if usable else None
