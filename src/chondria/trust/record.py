"""All that validation slices say of how far to trust a model, as its card keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ModelError
from chondria.trust.error_units import QUANTITIES, ErrorTally, ErrorUnits
from chondria.trust.level_counts import LEVELS, LevelCounts
from chondria.trust.object_calibration import (
    ObjectCalibration,
    cross_fitted,
    fit_object_calibration,
)
from chondria.trust.reliability import Reliability, ReliabilityBin, reliability
from chondria.trust.scope import Scope
from chondria.trust.temperature import PixelCalibration, fit_pixel_calibration

__all__ = [
    "OBJECT_BINS",
    "ObjectEvidence",
    "TrustRecord",
    "VolumeEvidence",
    "fit_trust",
    "pixel_reliability",
]

# Features that every segmentation has; the others need several predictions.
ALWAYS = ("log_diameter", "logit_mean_probability", "log_sharpness")
SIGNIFICANT = 6
# Tens of objects fill no more.
OBJECT_BINS = 5


@dataclass(frozen=True, eq=False, slots=True)
class ObjectEvidence:
    """Objects of one volume, of which it is known whether they are mitochondria.

    Attributes
    ----------
    features : mapping of str to ndarray, (objects,)
        See `chondria.trust.object_calibration.object_features`.
    mean_probability : ndarray, (objects,)
        Over their voxels.
    true : ndarray of bool, (objects,)
        Whether more than half of its voxels are mitochondrion in truth.
    block : ndarray of int, (objects,)
        Block of tissue.
    """

    features: Mapping[str, NDArray[Any]]
    mean_probability: NDArray[Any]
    true: NDArray[np.bool_]
    block: NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class VolumeEvidence:
    """What the validation slices of one volume show; objects only where slices are neighbours."""

    blocks: Sequence[LevelCounts]
    objects: ObjectEvidence | None = None
    errors: tuple[ErrorUnits, ErrorTally] | None = None
    scope: Scope | None = None


@dataclass(frozen=True, eq=False, slots=True)
class TrustRecord:
    """How far to trust a model.

    Attributes
    ----------
    pixels : PixelCalibration
        Of pixel probabilities.
    pixels_before, pixels_after : Reliability
        On the very slices that it was fitted on.
    objects : tuple of ObjectCalibration
        From plain to rich: one by what every segmentation measures, and one by agreements too,
        where there were any.
    objects_before, objects_after : Reliability or None
        Of objects: mean probability as it is, and `probability_true`, each object judged by a fit
        to other blocks.
    units : ErrorUnits or None
        For corrections (`chondria.trust.propagation`).
    tally : ErrorTally or None
        Errors, counted.
    scopes : tuple of Scope
        Volumes that this was learned from.
    settings : mapping
        How objects were made of probabilities; of other settings this says nothing.
    """

    pixels: PixelCalibration
    pixels_before: Reliability
    pixels_after: Reliability
    objects: tuple[ObjectCalibration, ...] = ()
    objects_before: Reliability | None = None
    objects_after: Reliability | None = None
    units: ErrorUnits | None = None
    tally: ErrorTally | None = None
    scopes: tuple[Scope, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        # Not `and`: units may be there and be none.
        units = (
            None
            if self.units is None
            else {
                "true": _rounded(self.units.true),
                "predicted": _rounded(self.units.predicted),
                "block": self.units.block.tolist(),
                "has_length": self.units.has_length,
            }
        )
        records = ("pixels", "pixels_before", "pixels_after", "objects_before", "objects_after")
        plain = {name: (r := getattr(self, name)) and asdict(r) for name in (*records, "tally")}
        lists = {name: [asdict(r) for r in getattr(self, name)] for name in ("objects", "scopes")}
        return plain | lists | {"units": units, "settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrustRecord:
        """Read what `as_dict` gave, from JSON too.

        Raises
        ------
        ModelError
            If it is something else.
        """
        try:
            before, after = values["objects_before"], values["objects_after"]
            return cls(
                PixelCalibration(**values["pixels"]),
                _reliability(values["pixels_before"]),
                _reliability(values["pixels_after"]),
                tuple(_object_calibration(entry) for entry in values["objects"]),
                before and _reliability(before),
                after and _reliability(after),
                None if values["units"] is None else _units(values["units"]),
                values["tally"] and ErrorTally(**values["tally"]),
                tuple(_scope(entry) for entry in values["scopes"]),
                values["settings"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"Cannot read what the model says of its trust ({error!r}): it is of another "
                "version; run `chondria calibrate` anew."
            ) from error


def fit_trust(
    evidence: Sequence[VolumeEvidence], settings: Mapping[str, Any] | None = None
) -> TrustRecord:
    """Fit everything that the validation slices of one or more volumes tell.

    Parameters
    ----------
    evidence : sequence of VolumeEvidence
        At least one.
    settings : mapping, optional
        How objects were made of probabilities.

    Returns
    -------
    TrustRecord
        Pixels, objects and errors of all volumes together.
    """
    blocks = [block for volume in evidence for block in volume.blocks]
    zero = np.zeros(LEVELS, np.int64)
    counts = sum(blocks, LevelCounts(zero, zero))
    pixels = fit_pixel_calibration(blocks)
    objects = [volume.objects for volume in evidence if volume.objects is not None]
    errors = [volume.errors for volume in evidence if volume.errors is not None]
    units = tally = None
    for more_units, more_tally in errors:
        units = more_units if units is None else units + more_units
        tally = more_tally if tally is None else tally + more_tally
    return TrustRecord(
        pixels,
        pixel_reliability(counts, PixelCalibration()),
        pixel_reliability(counts, pixels),
        *_fit_objects(objects),
        units,
        tally,
        tuple(volume.scope for volume in evidence if volume.scope is not None),
        settings or {},
    )


def pixel_reliability(counts: LevelCounts, calibration: PixelCalibration) -> Reliability:
    """Compare calibrated probabilities of pixels with the truth; ``v / 255`` if all are plain."""
    plain = calibration == PixelCalibration()
    said = np.arange(LEVELS) / (LEVELS - 1) if plain else calibration.levels()
    return reliability(said, counts.foreground, counts.every)


def _fit_objects(
    evidence: Sequence[ObjectEvidence],
) -> tuple[tuple[ObjectCalibration, ...], Reliability | None, Reliability | None]:
    if not evidence:
        return (), None, None
    names = [n for n in evidence[0].features if all(n in e.features for e in evidence)]
    pooled = {n: np.concatenate([e.features[n] for e in evidence]) for n in names}
    true = np.concatenate([e.true for e in evidence])
    said = np.concatenate([e.mean_probability for e in evidence])
    fold = np.concatenate([1000 * i + e.block for i, e in enumerate(evidence)])
    simple = {name: pooled[name] for name in ALWAYS}
    sets = [simple] if len(simple) == len(pooled) else [simple, pooled]
    after = cross_fitted(sets[-1], true, fold)
    fitted = [fit_object_calibration(features, true) for features in sets]
    # Where there are too few objects for agreements, both are one.
    distinct = tuple(c for i, c in enumerate(fitted) if c not in fitted[:i])
    before, now = (reliability(p, true, bins=OBJECT_BINS) for p in (said, after))
    return distinct, before, now


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    """Six digits: the card is kept in the head of the model file."""
    return [[float(f"{value:.{SIGNIFICANT}g}") for value in row] for row in values]


def _reliability(values: Mapping[str, Any]) -> Reliability:
    bins = tuple(ReliabilityBin(**entry) for entry in values["bins"])
    return Reliability(**(dict(values) | {"bins": bins}))


def _object_calibration(values: Mapping[str, Any]) -> ObjectCalibration:
    lists = ("features", "centres", "scales", "weights")
    return ObjectCalibration(**(dict(values) | {name: tuple(values[name]) for name in lists}))


def _units(values: Mapping[str, Any]) -> ErrorUnits:
    true, predicted = (
        np.array(values[side], np.float64).reshape(-1, QUANTITIES) for side in ("true", "predicted")
    )
    return ErrorUnits(true, predicted, np.array(values["block"], np.int64), values["has_length"])


def _scope(values: Mapping[str, Any]) -> Scope:
    size = values["voxel_size_nm"]
    return Scope(**(dict(values) | {"voxel_size_nm": size and tuple(size)}))
