"""Axes of drawings: from values to shares of a length, and round values to write beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis"]

# Marks of each power of ten, where the axis spans no more than so many times its lowest value.
MARKS = ((30.0, (1, 2, 5)), (300.0, (1, 3)), (math.inf, (1,)))


@dataclass(frozen=True, slots=True)
class Axis:
    """From a lowest to a highest value.

    Attributes
    ----------
    low, high : float
        The ends, which differ; above 0 where the axis is logarithmic.
    logarithmic : bool
        Whether equal lengths are equal ratios.
    """

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def of(cls, values: Sequence[float]) -> Axis:
        """Span finite values; by ratios where most would else stand at the one end."""
        ordered = sorted(values) or [0.0, 1.0]
        low, middle, high = ordered[0], ordered[len(ordered) // 2], ordered[-1]
        logarithmic = low > 0 and high > 8 * middle and high > 20 * low
        if low == high:
            low, high = low - abs(low or 1) / 2, high + abs(high or 1) / 2
        return cls(low, high, logarithmic)

    def share(self, value: float) -> float:
        """Place a value: 0 is the low end, 1 the high one."""
        low, high = self._to(self.low), self._to(self.high)
        return (self._to(value) - low) / (high - low)

    def ticks(self) -> list[float]:
        """Give round values within, some five of them."""
        if self.logarithmic:
            marks = next(marks for most, marks in MARKS if self.high / self.low <= most)
            first, last = (math.floor(math.log10(end)) for end in (self.low, self.high))
            values = [float(f"{m}e{e}") for e in range(first, last + 1) for m in marks]
            return [value for value in values if self.low <= value <= self.high]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step + 1e-9)
        return [float(f"{i * step:.12g}") for i in range(first, last + 1)]

    def _to(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value
