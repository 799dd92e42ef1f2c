"""Augmentation settings: ranges that the random transforms of a batch are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from chondria.errors import SettingsError

__all__ = ["AUGMENTATIONS", "Augmentation"]


# Smallest and largest of each number; those not named may be any from zero on. A smoothing kernel
# is cut at three deviations and has to fit into the mirrored patch.
RANGES: dict[str, tuple[float, float]] = {
    "elastic_probability": (0.0, 1.0),
    "elastic_sigma": (0.01, 0.3),
    "blur_px": (0.0, 5.0),
}


def _check_range(name: str, value: object) -> None:
    low, high = RANGES.get(name, (0.0, math.inf))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and low <= value <= high):  # type: ignore[arg-type, operator]
        limits = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
        raise SettingsError(f"Found the augmentation {name} '{value}'; give a number {limits}.")


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges that random transforms are drawn from; the defaults change nothing.

    Attributes
    ----------
    flips : bool
        Mirror along y and x, each with probability one half.
    rotation : {"none", "half", "quarter", "free"}
        By 0 or 180 degrees, by multiples of 90 (squares only), or by any angle with mirror fill.
    zoom : float
        Scale drawn log-uniformly from 1 / (1 + zoom) to 1 + zoom.
    elastic_probability : float
        Share of patches that are deformed (thesis 6.3.7).
    elastic_alpha, elastic_sigma : float
        Simard et al. (2003): displacement amplitude and smoothness as shares of the patch width.
    contrast, brightness : float
        Factor from 1 - c to 1 + c; offset from -b to b, in standard deviations of the image.
    gamma : float
        Bend of the grey scale, from -gamma to gamma.
    noise : float
        Largest standard deviation of added Gaussian noise, in standard deviations of the image.
    blur_px : float
        Largest standard deviation of a Gaussian blur in pixels, for half of the patches.

    Raises
    ------
    SettingsError
        If a value is of another kind or out of bounds.
    """

    flips: bool = False
    rotation: str = "none"
    zoom: float = 0.0
    elastic_probability: float = 0.0
    elastic_alpha: float = 2.0
    elastic_sigma: float = 0.08
    contrast: float = 0.0
    brightness: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0
    blur_px: float = 0.0

    def __post_init__(self) -> None:
        if self.rotation not in ("none", "half", "quarter", "free"):
            raise SettingsError(
                f"Found the rotation '{self.rotation}'; allowed are none, half, quarter and free."
            )
        if not isinstance(self.flips, bool):
            raise SettingsError(f"Found flips '{self.flips}'; allowed are true and false.")
        for item in fields(self):
            if item.name not in ("flips", "rotation"):
                _check_range(item.name, getattr(self, item.name))


# `keras` and `custom` are the thesis's two sets (6.3.1, 6.3.7); `em` is what our models train with.
AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "keras": Augmentation(flips=True, rotation="free"),
    "custom": Augmentation(flips=True, rotation="quarter", elastic_probability=0.4),
    "em": Augmentation(
        flips=True,
        rotation="free",
        zoom=0.25,
        elastic_probability=0.3,
        elastic_alpha=1.0,
        contrast=0.3,
        brightness=0.3,
        gamma=0.2,
        noise=0.25,
        blur_px=1.0,
    ),
}
