"""How to segment: every choice from pixels to objects, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from chondria.errors import SettingsError
from chondria.inference.prediction_settings import Blending, Tta, check_views
from chondria.models import ModelCard
from chondria.postprocessing.separation import NECK_RATIO

__all__ = ["SegmentationSettings"]


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """How to segment; None takes what the model's card says.

    Attributes
    ----------
    threshold : float or None
        Probability from which a voxel is foreground.
    spurious_probability : float
        What is connected within a slice and of a smaller mean probability is dropped (Oztel et
        al. 2017: 0.8); 0 keeps all.
    refine_boundaries_px : int
        How far outlines may move onto an edge of the image, by a watershed in each slice (Oztel et
        al. 2017); 0 leaves them.
    z_median_nm : float or None
        Extent of the median along z; no effect where slices are thicker than half of it.
    zy_median_px : int
        Extent of the median of each (z, y) plane, in slices and in rows, odd; 0 for none.
    separate : bool
        Objects that touch are cut at their necks, and holes filled
        (`chondria.postprocessing.separation`).
    neck_ratio : float
        Necks narrower than this share of the slimmer part are cut, above 0, at most 1.
    smallest_diameter_nm : float or None
        Objects smaller than a sphere (in 2-D, a disc) of this diameter are dropped.
    largest_doubt : float or None
        Objects of which the network is so many times less sure than of the average voxel are
        dropped; 0 keeps all.
    dimensions : {3, 2}
        Objects run through the slices, or every slice has its own.
    measures : {"all", "size"}
        What the table of objects holds: everything that `chondria measure` finds, or only how large
        each is and where, which is ten times faster.
    tta : {"none", "d4"}
        Averaging over the eight flips and rotations.
    blending : {"none", "spline"}
        Prediction of whole slices, or of overlapping windows in their eight flips and rotations.
    window_px : int
        Width of those windows, at the model's pixel size.
    trust : {"none", "views"}
        Whether the eight flips and rotations are also predicted one by one, at 8 times the cost,
        so that `view_agreement` says how far they agree on each object.
    also : tuple of str
        Other models, such as other seeds: `seed_agreement` says how far all agree.
    device, precision, backend : str
        See `chondria.inference.volumes.choose_compute_for`.
    """

    threshold: float | None = None
    spurious_probability: float = 0.0
    refine_boundaries_px: int = 0
    z_median_nm: float | None = None
    zy_median_px: int = 0
    separate: bool = False
    neck_ratio: float = NECK_RATIO
    smallest_diameter_nm: float | None = None
    largest_doubt: float | None = None
    dimensions: Literal[2, 3] = 3
    measures: Literal["all", "size"] = "all"
    tta: Tta = "none"
    blending: Blending = "none"
    window_px: int = 256
    trust: Literal["none", "views"] = "none"
    also: tuple[str, ...] = ()
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"

    def __post_init__(self) -> None:
        check_views(self.tta, self.blending, self.window_px)
        self._check_filters()
        if self.trust not in ("none", "views"):
            raise SettingsError(f"Found trust '{self.trust}'; allowed are none and views.")
        if self.measures not in ("all", "size"):
            raise SettingsError(f"Found measures '{self.measures}'; allowed are all and size.")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise SettingsError(
                f"Found the threshold {self.threshold:g}; a probability above 0 and below 1 is "
                "needed, such as 0.5."
            )
        if self.largest_doubt is not None and not 0 <= self.largest_doubt < math.inf:
            raise SettingsError(
                f"Found the largest doubt {self.largest_doubt:g}; a factor above 1, such as 3, is "
                "needed, or 0, which keeps every object."
            )
        for said, length in (
            ("extent of the median along z", self.z_median_nm),
            ("diameter of the smallest object", self.smallest_diameter_nm),
        ):
            if length is not None and not 0 <= length < math.inf:
                raise SettingsError(
                    f"Found {length:g} nm as the {said}; a length of 0 or more is needed, where 0 "
                    "switches it off."
                )

    def _check_filters(self) -> None:
        if not 0 <= self.spurious_probability < 1:
            raise SettingsError(
                f"Found {self.spurious_probability:g} as the mean probability below which "
                "detections are spurious; it must be below 1, such as 0.8, or 0, which keeps all."
            )
        if self.refine_boundaries_px < 0:
            raise SettingsError(
                f"Found a refinement of boundaries by {self.refine_boundaries_px} px; give 1 or "
                "more, or 0, which leaves them."
            )
        if self.zy_median_px and (self.zy_median_px < 1 or self.zy_median_px % 2 == 0):
            raise SettingsError(
                f"Found a median of (z, y) planes of {self.zy_median_px} px; give an odd number, "
                "such as 5, or 0 for none."
            )

        if not 0 < self.neck_ratio <= 1:
            raise SettingsError(
                f"Found the neck ratio {self.neck_ratio:g}; it must be above 0 and at most 1, such "
                f"as {NECK_RATIO:g}."
            )

    def of(self, card: ModelCard) -> SegmentationSettings:
        """Fill what was left open from a model's card."""
        given = {name: getattr(self, name) for name in self.__slots__}
        filled = {name: getattr(card, name) for name, value in given.items() if value is None}
        return SegmentationSettings(**(given | filled))
