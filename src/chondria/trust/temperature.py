"""Calibrate the probabilities of pixels by a temperature (Guo et al. 2017, arXiv:1706.04599).

A network that was trained for long is surer than it is right. Dividing its logits by one number
above 1 mends most of that, and as it is monotone and leaves 0.5 where it is, no outline moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError
from chondria.trust.level_counts import LEVELS, LevelCounts, level_logits

__all__ = ["PixelCalibration", "fit_pixel_calibration", "fit_temperature"]

COLDEST, HOTTEST = 0.05, 20.0
LARGEST_BIAS: Final = 10.0
# Standard errors over blocks by which a bias must lower the cross-entropy to be taken: the
# simpler of two models is kept if it is within one of the better (Breiman et al. 1984).
CLEARLY: Final = 1.0
SMALLEST_GAIN: Final = 1e-6  # in nats; less is rounding


@dataclass(frozen=True, slots=True)
class PixelCalibration:
    """From the probability that a network says to one that frequencies bear out.

    ``calibrated = sigmoid(logit(p) / temperature + bias)``: monotone, so that thresholding the
    calibrated map at ``of(threshold)`` gives the mask of the plain map at ``threshold``.

    Attributes
    ----------
    temperature : float
        Above 1 where the network is too sure.
    bias : float
        0 where none was needed; then 0.5 stays 0.5.

    Raises
    ------
    SettingsError
        If the temperature is not above zero, or either is not finite.
    """

    temperature: float = 1.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.temperature < math.inf and math.isfinite(self.bias)):
            raise SettingsError(
                f"Found the temperature {self.temperature:g} and the bias {self.bias:g}; the first "
                "must be above zero, and both finite: calibrate the model anew."
            )

    def of(self, probability: NDArray[Any] | float) -> NDArray[np.float64]:
        """Calibrate probabilities from 0 to 1, which stay what they are at both ends."""
        p = np.asarray(probability, np.float64)
        with np.errstate(divide="ignore", over="ignore"):
            scaled = np.exp(-(np.log(p) - np.log1p(-p)) / self.temperature - self.bias)
        calibrated: NDArray[np.float64] = 1 / (1 + scaled)
        return calibrated

    def levels(self) -> NDArray[np.float64]:
        """Calibrated probability of each level of an 8-bit map, (256,), ascending."""
        return _sigmoid(level_logits() / self.temperature + self.bias)

    def mean(self, every: NDArray[np.int64]) -> float:
        """Mean calibrated probability of pixels (256,) by level: the volume fraction to expect."""
        return float(self.levels() @ every / max(every.sum(), 1))


def fit_temperature(counts: LevelCounts, *, bias: bool = False) -> PixelCalibration:
    """Find the temperature of the smallest cross-entropy.

    Parameters
    ----------
    counts : LevelCounts
        Of pixels that the network has not learned from.
    bias : bool
        Find a bias too (Platt 1999).

    Returns
    -------
    PixelCalibration
        A temperature from 0.05 to 20; that of 1 where there is no pixel.
    """
    from scipy.optimize import minimize

    if not counts.pixels:
        return PixelCalibration()

    def loss(values: NDArray[np.float64]) -> float:
        shift = float(values[1]) if bias else 0.0
        return _cross_entropy(counts, PixelCalibration(float(np.exp(values[0])), shift))

    bounds = [(math.log(COLDEST), math.log(HOTTEST))]
    bounds += [(-LARGEST_BIAS, LARGEST_BIAS)] if bias else []
    found = minimize(loss, np.zeros(len(bounds)), method="L-BFGS-B", bounds=bounds)
    return PixelCalibration(float(np.exp(found.x[0])), float(found.x[1]) if bias else 0.0)


def fit_pixel_calibration(blocks: Sequence[LevelCounts]) -> PixelCalibration:
    """Fit a temperature, and a bias beside it only where that clearly helps on other blocks.

    Parameters
    ----------
    blocks : sequence of LevelCounts
        Parts of the validation slices (`block_level_counts`). Each in turn is judged by what the
        others say; the bias is taken if it lowers the cross-entropy by more than a standard error.

    Returns
    -------
    PixelCalibration
        Fitted on all blocks together.
    """
    empty = LevelCounts(np.zeros(LEVELS, np.int64), np.zeros(LEVELS, np.int64))
    total = sum(blocks, empty)
    gains = np.array([_gain_of_bias(total, block) for block in blocks if block.pixels])
    helps = False
    if len(gains) > 2:
        error = gains.std(ddof=1) / math.sqrt(len(gains))
        helps = gains.mean() > max(CLEARLY * error, SMALLEST_GAIN)
    return fit_temperature(total, bias=bool(helps))


def _gain_of_bias(total: LevelCounts, block: LevelCounts) -> float:
    """By how much a bias that the other blocks say lowers the cross-entropy of one."""
    others = LevelCounts(total.every - block.every, total.foreground - block.foreground)
    plain, biased = (fit_temperature(others, bias=bias) for bias in (False, True))
    return _cross_entropy(block, plain) - _cross_entropy(block, biased)


def _cross_entropy(counts: LevelCounts, calibration: PixelCalibration) -> float:
    """Mean negative log-likelihood in nats; exact for logits of any size."""
    logits = level_logits() / calibration.temperature + calibration.bias
    background = counts.every - counts.foreground
    total = counts.foreground @ np.logaddexp(0, -logits) + background @ np.logaddexp(0, logits)
    return float(total / max(counts.pixels, 1))


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    probability: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return probability
