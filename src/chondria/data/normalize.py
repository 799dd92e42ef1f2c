"""Intensity normalisation: which numbers a network sees for the pixels of a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, SettingsError
from chondria.volume import ArraySource

__all__ = ["Normalisation", "NormalisationKind", "measure_normalisation"]

NormalisationKind = Literal["volume", "unit"]

# Enough slices for a stable mean; all of them would read a large volume twice.
SLICES_MEASURED = 32


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Subtract `mean`, divide by `deviation`; in the image's own grey levels."""

    mean: float
    deviation: float

    def __call__(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Normalise pixels of any shape to float32."""
        values = np.asarray(pixels, dtype=np.float32)
        normalised: NDArray[np.float32] = (values - np.float32(self.mean)) * np.float32(
            1.0 / self.deviation
        )
        return normalised


def measure_normalisation(
    source: ArraySource, kind: NormalisationKind = "volume", where: str = "the image"
) -> Normalisation:
    """Find the normalisation of a volume.

    Parameters
    ----------
    source : ArraySource, (Z, Y, X)
        Grey levels of any integer or float type.
    kind : {"volume", "unit"}
        ``volume`` gives the volume mean 0 and standard deviation 1, measured on up to 32 evenly
        spaced slices; ``unit`` divides by the largest value of the integer type (the thesis's
        division by 255) and leaves floats as they are.
    where : str
        What to call the image in an error.

    Returns
    -------
    Normalisation
        What to subtract and divide by.

    Raises
    ------
    PixelValueError
        If a measured pixel is NaN or infinite, or all pixels are equal.
    SettingsError
        If the kind is unknown.
    """
    if kind not in get_args(NormalisationKind):
        raise SettingsError(f"Found the normalisation '{kind}'; allowed are volume and unit.")
    n_slices = source.shape[0]
    chosen = np.unique(np.linspace(0, n_slices - 1, min(n_slices, SLICES_MEASURED)).round())
    moments = np.array([_moments(np.asarray(source[int(z)]), int(z), where) for z in chosen])
    mean = float(moments[:, 0].mean())
    square = float(moments[:, 1].mean())
    variance = square - mean**2
    # Relative to the grey levels: float images may have any unit.
    if variance <= 1e-12 * square:
        raise PixelValueError(
            f"Found the same value {mean:g} in every pixel of {where}; an image with contrast is "
            "needed: check that this is the image and not an empty channel."
        )
    if kind == "volume":
        return Normalisation(mean, variance**0.5)
    dtype = np.dtype(source.dtype)
    return Normalisation(0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)


def _moments(pixels: NDArray[Any], z: int, where: str) -> tuple[float, float]:
    values = pixels.astype(np.float64)
    mean, square = float(values.mean()), float(np.square(values).mean())
    if not np.isfinite(square):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise PixelValueError(
            f"Found {bad} NaN or infinite pixels in slice {z} of {where}; every pixel must be a "
            "finite number: replace them before segmenting."
        )
    return mean, square
