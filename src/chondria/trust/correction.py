"""One measure of a volume beside what is to be expected of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Correction"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What was measured of a volume, and what is to be expected after the errors seen before.

    Attributes
    ----------
    measure, unit : str
        What it is.
    measured : float
        From the segmentation as it is.
    factor : float
        Truth over prediction on the validation slices.
    corrected : float
        ``measured * factor``.
    low, high : float
        95 % interval of the true value: from the lower of both lower bounds to the higher of both
        upper ones.
    low_by_objects, high_by_objects, low_by_blocks, high_by_blocks : float
        Intervals of the bootstrap over units of error, and over blocks.
    units : int
        Units of error on the validation slices.
    """

    measure: str
    unit: str
    measured: float
    factor: float
    corrected: float
    low: float
    high: float
    low_by_objects: float
    high_by_objects: float
    low_by_blocks: float
    high_by_blocks: float
    units: int

    def sentence(self) -> str:
        """Say it for people."""
        what = self.measure.replace("_", " ").capitalize()
        unit = f" {self.unit}" if self.unit else ""
        interval = f"{self.low:.4g} to {self.high:.4g}{unit}"
        after = f"{what}: {self.measured:.4g}{unit} measured; the errors on {self.units} objects"
        if not self.is_clear:
            return f"{after} show no clear bias, the true value lies in {interval} (95 %)"
        return f"{after} let {self.corrected:.4g}{unit} be expected, {interval} (95 %)"

    @property
    def is_clear(self) -> bool:
        """Whether what was measured lies outside of the interval."""
        return not self.low <= self.measured <= self.high
