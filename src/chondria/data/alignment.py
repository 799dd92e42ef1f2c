"""Does a mask lie on its image: where the outlines fit best, by cross-correlation.

A mitochondrion differs in grey from the strip just outside it. The mean grey of that outer strip
minus that of an inner one, for every shift of the mask at once, is the cross-correlation of the
image with a kernel that is positive outside and negative inside the outline (Lewis 1995, "Fast
normalized cross-correlation", computed in the Fourier domain). A mask that belongs to the image
gives one peak, tens of standard deviations high; one that does not gives noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from chondria.data.finding import Finding
from chondria.volume import ArraySource

__all__ = ["AlignmentPeak", "inspect_alignment", "measure_alignment"]

STRIP_PX = 3
# Finer than the shading, coarser than a mitochondrion's strips.
SHADING_PX = 10.0
WINDOW_PX = 1024
SLICES_SAMPLED = 6
FEWEST_OUTLINE_PX = 100
# The highest of a million noise values lies at 5 standard deviations.
CLEAR_PEAK = 9.0
TOLERATED_PX = 3.0
BETTER_BY = 1.2

_Flip = Callable[[NDArray[Any]], NDArray[Any]]
_FLIPS: dict[str, _Flip] = {
    "upside down (y)": lambda mask: mask[::-1],
    "left to right (x)": lambda mask: mask[:, ::-1],
    "by 180 degrees": lambda mask: mask[::-1, ::-1],
}
_SQUARE_FLIPS: dict[str, _Flip] = {
    "with x and y exchanged": lambda mask: mask.T,
    "by 90 degrees": np.rot90,
    "by 270 degrees": lambda mask: np.rot90(mask, 3),
    "with x and y exchanged, by 180 degrees": lambda mask: mask[::-1, ::-1].T,
}


@dataclass(frozen=True, slots=True)
class AlignmentPeak:
    """Where a mask fits its image best.

    Parameters
    ----------
    shift_px : tuple of int
        How the mask lies off the image (y, x): its outlines fit best when moved back by this.
    height : float
        Contrast across the outlines at that place, in standard deviations over all places;
        below 9 it says nothing.
    height_in_place : float
        The same without any shift.
    n_slices : int
        Slices that had outlines to judge by.
    """

    shift_px: tuple[int, int]
    height: float
    height_in_place: float
    n_slices: int


def measure_alignment(
    image: ArraySource, mask: ArraySource, slices: list[int], flip: _Flip | None = None
) -> AlignmentPeak | None:
    """Find the shift at which a mask's outlines fit an image best.

    Parameters
    ----------
    image, mask : ArraySource, (Z, Y, X)
        Grey levels and values; a voxel is foreground if it is not zero.
    slices : list of int
        Slices to judge by.
    flip : callable, optional
        Applied to each slice of the mask before.

    Returns
    -------
    AlignmentPeak or None
        None if no slice has outlines enough.
    """
    maps = []
    for z in slices:
        inside = np.asarray(mask[z]) > 0
        inside = flip(inside) if flip else inside
        window = _densest_window(inside)
        kernel = _outline_kernel(inside[window])
        if kernel is not None:
            maps.append(_correlate(np.asarray(image[z])[window], kernel))
    # Windows differ in size only if slices do; all are cut from one shape.
    if not maps:
        return None
    mean = np.abs(np.mean(maps, axis=0))
    spread = float(np.sqrt(np.mean(np.square(np.mean(maps, axis=0))))) or 1.0
    y, x = (int(i) for i in np.unravel_index(int(mean.argmax()), mean.shape))
    height, width = mean.shape
    shift = ((-y + height // 2) % height - height // 2, (-x + width // 2) % width - width // 2)
    return AlignmentPeak(shift, float(mean.max()) / spread, float(mean[0, 0]) / spread, len(maps))


def inspect_alignment(
    image: ArraySource, mask: ArraySource, foreground: NDArray[np.int64]
) -> list[Finding]:
    """Say whether a mask lies on its image, and if not, how it lies off.

    Parameters
    ----------
    image, mask : ArraySource, (Z, Y, X)
        Grey levels and mask of one shape.
    foreground : ndarray of int64, (Z,)
        Foreground pixels of each slice; those with most are looked at.

    Returns
    -------
    list of Finding
        One finding; none for a mask without foreground.
    """
    slices = _sample(foreground)
    peak = measure_alignment(image, mask, slices) if slices else None
    if peak is None:
        return []
    if peak.height < CLEAR_PEAK:
        return [_unrelated(image, mask, slices, peak)]
    y, x = peak.shift_px
    said = f"{peak.n_slices} slice{'s' * (peak.n_slices > 1)} compared"
    off = float(np.hypot(y, x))
    if off > TOLERATED_PX and peak.height > BETTER_BY * peak.height_in_place:
        found = (
            f"the mask lies off the image by y {y:+d}, x {x:+d} px "
            f"(outline contrast {peak.height:.0f} SD there, {peak.height_in_place:.0f} SD in place)"
        )
        advice = f"move the mask by y {-y:+d}, x {-x:+d} px, or use the image it was drawn on"
        return [Finding("alignment", found, "warning", advice)]
    return [
        Finding("alignment", f"the outlines fit within {off:.0f} px ({peak.height:.0f} SD; {said})")
    ]


def _unrelated(
    image: ArraySource, mask: ArraySource, slices: list[int], peak: AlignmentPeak
) -> Finding:
    height, width = image.shape[1:]
    flips = _FLIPS | (_SQUARE_FLIPS if height == width else {})
    peaks = {name: measure_alignment(image, mask, slices, flip) for name, flip in flips.items()}
    heights = {name: found.height for name, found in peaks.items() if found}
    heights["from last to first slice"] = _reversed_height(image, mask, slices)
    best = max(heights, key=lambda name: heights[name])
    weak = f"the outlines do not fit the image ({peak.height:.0f} SD"
    if heights[best] >= CLEAR_PEAK:
        found = f"{weak}), but do turned {best} ({heights[best]:.0f} SD)"
        return Finding("alignment", found, "warning", f"turn the mask {best}")
    advice = "check that the mask belongs to this image and lies as it does"
    return Finding("alignment", f"{weak}; a fit has 9 SD or more)", "warning", advice)


def _reversed_height(image: ArraySource, mask: ArraySource, slices: list[int]) -> float:
    class _Reversed:
        shape, dtype = mask.shape, mask.dtype

        def __getitem__(self, z: Any, /) -> Any:
            return mask[self.shape[0] - 1 - z]

    found = measure_alignment(image, _Reversed(), slices)
    return found.height if found else 0.0


def _sample(foreground: NDArray[np.int64]) -> list[int]:
    """Slices with the most foreground, one from each of six parts of the volume."""
    parts = np.array_split(np.arange(foreground.size), min(SLICES_SAMPLED, foreground.size))
    chosen = [int(part[foreground[part].argmax()]) for part in parts]
    return [z for z in chosen if foreground[z]]


def _densest_window(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Window of at most 1024 px that is placed at the middle of the foreground."""
    window = []
    for axis, size in enumerate(inside.shape):
        edge = min(size, WINDOW_PX)
        profile = np.cumsum(np.count_nonzero(inside, axis=1 - axis))
        middle = int(np.searchsorted(profile, profile[-1] / 2))
        start = min(max(0, middle - edge // 2), size - edge)
        window.append(slice(start, start + edge))
    return window[0], window[1]


def _outline_kernel(inside: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    inner = inside & ~ndimage.binary_erosion(inside, iterations=STRIP_PX, border_value=1)
    outer = ndimage.binary_dilation(inside, iterations=STRIP_PX) & ~inside
    sizes = np.count_nonzero(inner), np.count_nonzero(outer)
    if min(sizes) < FEWEST_OUTLINE_PX:
        return None
    kernel: NDArray[np.float32] = (outer / sizes[1] - inner / sizes[0]).astype(np.float32)
    return kernel


def _correlate(pixels: NDArray[Any], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = np.nan_to_num(pixels.astype(np.float32), posinf=0.0, neginf=0.0)
    detail = grey - ndimage.gaussian_filter(grey, SHADING_PX)
    # One slice with charging or a crack must not outweigh the others.
    detail = np.clip(detail / (float(detail.std()) or 1.0), -4, 4)
    spectrum = fft.rfft2(detail) * np.conj(fft.rfft2(kernel))
    correlation: NDArray[np.float32] = fft.irfft2(spectrum, s=detail.shape)
    return correlation
