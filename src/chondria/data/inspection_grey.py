"""Grey levels of a volume, measured in one pass of a slice at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.data.finding import Finding, name_slices

__all__ = ["GreyLevels"]

# Pixels kept for the percentiles: 4 MB of float32, and at least 64 of every slice.
PIXELS_KEPT, FEWEST_OF_A_SLICE = 2**20, 64
FEW_LEVELS = 32
NARROW_SHARE = 0.02
SATURATED_SHARE = 0.01
BRIGHTNESS_JUMP = 0.5
LEVELS_OF_A_MASK = 4


class GreyLevels:
    """Takes the slices one after the other; keeps sums and a sample of the pixels.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of the pixels.
    n_slices : int
        Slices that will come.
    """

    def __init__(self, dtype: np.dtype[Any], n_slices: int) -> None:
        self._dtype = dtype
        self._quota = max(FEWEST_OF_A_SLICE, PIXELS_KEPT // n_slices)
        self._sample: list[NDArray[np.float32]] = []
        self._means: list[float] = []
        self._squares: list[float] = []
        self._lowest, self._highest = math.inf, -math.inf
        self._at_lowest = self._at_highest = self._finite = 0
        self._constant: list[int] = []
        self._invalid: list[int] = []
        self._n_invalid = 0
        self._duplicates: list[int] = []
        self._last: NDArray[Any] | None = None

    def add(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Take the next slice (Y, X); give it as finite float64, the invalid pixels at its mean."""
        z, values = len(self._means), pixels.astype(np.float64)
        finite = np.isfinite(values) if pixels.dtype.kind == "f" else None
        kept = values if finite is None or finite.all() else values[finite]
        if kept.size < values.size:
            self._invalid.append(z)
            self._n_invalid += values.size - kept.size
        mean = float(kept.mean()) if kept.size else math.nan
        self._means.append(mean)
        self._squares.append(float(np.square(kept - mean).sum()) if kept.size else 0.0)
        self._finite += kept.size
        if kept.size:
            self._add_extremes(z, kept)
        if z not in self._constant and self._last is not None:
            self._duplicates += [z] if np.array_equal(self._last, pixels) else []
        self._last = np.array(pixels)
        if kept.size < values.size:
            values[~np.isfinite(values)] = mean if kept.size else 0.0
        return values

    def findings(self) -> list[Finding]:
        """Say what the grey levels are like."""
        found = [*self._say_invalid()]
        if not self._finite:
            return found
        if self._lowest == self._highest:
            said = f"every pixel is {self._lowest:g}"
            advice = "use an image with contrast; perhaps this is an empty channel"
            return [*found, Finding("contrast", said, "error", advice)]
        low, high = np.percentile(np.concatenate(self._sample), [1, 99])
        return [
            *found,
            self._say_range(float(low), float(high)),
            self._say_contrast(float(low), float(high)),
            self._say_saturation(),
            *self._say_constant(),
            *self._say_brightness(),
            *self._say_duplicates(),
        ]

    def _add_extremes(self, z: int, kept: NDArray[np.float64]) -> None:
        lowest, highest = float(kept.min()), float(kept.max())
        if lowest == highest:
            self._constant.append(z)
        if lowest < self._lowest:
            self._lowest, self._at_lowest = lowest, 0
        if highest > self._highest:
            self._highest, self._at_highest = highest, 0
        if lowest == self._lowest:
            self._at_lowest += int(np.count_nonzero(kept == lowest))
        if highest == self._highest:
            self._at_highest += int(np.count_nonzero(kept == highest))
        # An uneven step, or a whole multiple of the width would always meet the same columns.
        step = max(1, kept.size // self._quota) | 1
        self._sample.append(kept.ravel()[::step].astype(np.float32))

    def _moments(self) -> tuple[float, float]:
        """Mean and standard deviation over all finite pixels; slices weigh alike unless invalid."""
        means, squares = np.array(self._means), np.array(self._squares)
        mean = float(np.nanmean(means))
        between = float(np.nanmean(np.square(means - mean)))
        return mean, math.sqrt(float(squares.sum()) / self._finite + between)

    def _say_invalid(self) -> list[Finding]:
        if not self._invalid:
            return []
        said = f"{self._n_invalid:,} NaN or infinite pixels in slices {name_slices(self._invalid)}"
        return [Finding("invalid pixels", said, "error", "replace them by finite numbers")]

    def _say_range(self, low: float, high: float) -> Finding:
        mean, deviation = self._moments()
        said = (
            f"{self._lowest:.4g} to {self._highest:.4g}, mean {mean:.4g} ± {deviation:.3g}, "
            f"1 % below {low:.4g}, 1 % above {high:.4g}"
        )
        levels = np.unique(np.concatenate([part[:4096] for part in self._sample]))
        if levels.size <= LEVELS_OF_A_MASK:
            advice = "this looks like a mask: give the image, and the mask with --mask"
            return Finding("grey levels", f"only {levels.size} values; {said}", "warning", advice)
        return Finding("grey levels", said)

    def _say_contrast(self, low: float, high: float) -> Finding:
        span, whole = high - low, self._highest - self._lowest
        share = span / whole
        if self._dtype.kind in "iu" and span < FEW_LEVELS:
            said = f"98 % of the pixels lie within {span:.0f} grey levels"
            advice = "convert again from the microscope's file, with more of the range"
            return Finding("contrast", said, "warning", advice)
        said = f"98 % of the pixels use {_percent(share)} of the range"
        if share < NARROW_SHARE:
            return Finding("contrast", said, "warning", "remove the few outlying pixels")
        return Finding("contrast", said)

    def _say_saturation(self) -> Finding:
        shares = self._at_lowest / self._finite, self._at_highest / self._finite
        said = f"{_percent(shares[0])} at the lowest value, {_percent(shares[1])} at the highest"
        if max(shares) <= SATURATED_SHARE:
            return Finding("saturation", said)
        advice = "clipped grey levels or padding: crop padding, or convert again without clipping"
        return Finding("saturation", said, "warning", advice)

    def _say_constant(self) -> list[Finding]:
        if not self._constant:
            return []
        said = f"one value only in slices {name_slices(self._constant)}"
        return [Finding("blank slices", said, "warning", "leave them out or replace them")]

    def _say_brightness(self) -> list[Finding]:
        means = np.array(self._means)
        means[self._constant] = np.nan
        jumps = np.abs(np.diff(means)) / max(self._moments()[1], 1e-300)
        if not np.isfinite(jumps).any():
            return []
        large = [int(z) for z in np.flatnonzero(jumps > BRIGHTNESS_JUMP)]
        if not large:
            said = f"mean changes by {np.nanmax(jumps):.2f} SD at most from slice to slice"
            return [Finding("brightness", said)]
        where = ", ".join(f"z={z}/{z + 1}" for z in large[:5])
        more = f" and {len(large) - 5} more" if len(large) > 5 else ""
        said = f"jumps of up to {np.nanmax(jumps):.2g} SD at {where}{more}"
        return [Finding("brightness", said, "warning", "even out the brightness of the slices")]

    def _say_duplicates(self) -> list[Finding]:
        if not self._duplicates:
            return []
        said = f"equal to the slice before: {name_slices(self._duplicates)}"
        return [Finding("repeated slices", said, "warning", "leave the copies out")]


def _percent(share: float) -> str:
    if share < 1e-4:
        return "none" if share == 0 else "under 0.01 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
