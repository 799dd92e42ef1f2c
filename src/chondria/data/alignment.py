"""Does a mask lie on its image: where the outlines fit best, by cross-correlation.

A mitochondrion differs in grey from the strip just outside it. The mean grey of that outer strip
minus that of an inner one, for every shift of the mask at once, is the cross-correlation of the
image with a kernel that is positive outside and negative inside the outline (Lewis 1995, "Fast
normalized cross-correlation", computed in the Fourier domain). A mask that belongs to the image
gives one peak, tens of standard deviations high; one that does not gives noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
# Real masks of six whole slices gave 54 or more; below, the mask is also tried turned.
DOUBTFUL_PEAK = 25.0
SYMMETRIC = 0.5
_WHAT = "alignment"

_Flip = Callable[[NDArray[Any]], NDArray[Any]]
_FLIPS: dict[str, _Flip] = {
    "flipped upside down (y)": lambda mask: mask[::-1],
    "flipped left to right (x)": lambda mask: mask[:, ::-1],
    "turned by 180 degrees": lambda mask: mask[::-1, ::-1],
}
_SQUARE_FLIPS: dict[str, _Flip] = {
    "with x and y exchanged": lambda mask: mask.T,
    "turned by 90 degrees": np.rot90,
    "turned by 270 degrees": lambda mask: np.rot90(mask, 3),
    "with x and y exchanged, by 180 degrees": lambda mask: mask[::-1, ::-1].T,
}


@dataclass(frozen=True, slots=True)
class AlignmentPeak:
    """Where a mask fits its image best; heights are in standard deviations over all places.

    Parameters
    ----------
    shift_px : tuple of int
        How the mask lies off the image (y, x): its outlines fit best when moved back by this.
    height : float
        Contrast across the outlines at that place; below 9 it says nothing.
    height_in_place : float
        The same without any shift.
    height_opposite : float
        The same shifted the other way: as high if the outlines are drawn too tight or too wide.
    n_slices : int
        Slices that had outlines to judge by.
    """

    shift_px: tuple[int, int]
    height: float
    height_in_place: float
    height_opposite: float
    n_slices: int


def measure_alignment(
    image: ArraySource,
    mask: ArraySource,
    slices: Sequence[tuple[int, int]],
    flip: _Flip | None = None,
) -> AlignmentPeak | None:
    """Find the shift at which a mask's outlines fit an image best.

    Parameters
    ----------
    image, mask : ArraySource, (Z, Y, X)
        Grey levels and values; a voxel is foreground if it is not zero.
    slices : sequence of (int, int)
        Slice of the image and slice of the mask to compare with it.
    flip : callable, optional
        Applied to each slice of the mask before; keeps its shape.

    Returns
    -------
    AlignmentPeak or None
        None if no slice has outlines enough.
    """
    maps = []
    for z_image, z_mask in slices:
        inside = np.asarray(mask[z_mask]) > 0
        inside = flip(inside) if flip else inside
        window = _densest_window(inside)
        kernel = _outline_kernel(inside[window])
        if kernel is not None:
            maps.append(_correlate(np.asarray(image[z_image])[window], kernel))
    return _highest(np.mean(maps, axis=0), len(maps)) if maps else None


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
        One finding; none for a mask without outlines.
    """
    slices = _sample(foreground)
    peak = measure_alignment(image, mask, [(z, z) for z in slices])
    if peak is None:
        return []
    heights = _other_heights(image, mask, slices, every=peak.height < DOUBTFUL_PEAK)
    best = max(heights, key=lambda name: heights[name], default="")
    if best and heights[best] > max(CLEAR_PEAK, BETTER_BY * peak.height):
        found = (
            f"the outlines fit at {peak.height:.0f} SD as they are, "
            f"but at {heights[best]:.0f} SD with the mask {best}"
        )
        return [
            Finding(
                _WHAT, found, "warning", "find out which is wrong, image or mask, and turn that"
            )
        ]
    return [_judge(peak)]


def _judge(peak: AlignmentPeak) -> Finding:
    (y, x), compared = peak.shift_px, f"{peak.n_slices} slice{'s' * (peak.n_slices > 1)} compared"
    if peak.height < CLEAR_PEAK:
        found = f"the outlines do not fit the image ({peak.height:.0f} SD; a fit has 9 SD or more)"
        advice = "check that the mask belongs to this image and lies as it does"
        return Finding(_WHAT, found, "warning", advice)
    off = float(np.hypot(y, x))
    heights = f"{peak.height_in_place:.0f} SD in place, {peak.height:.0f} SD"
    if off <= TOLERATED_PX or peak.height < BETTER_BY * peak.height_in_place:
        return Finding(
            _WHAT, f"the outlines fit within {off:.0f} px ({peak.height:.0f} SD; {compared})"
        )
    if peak.height_opposite > SYMMETRIC * peak.height and off < 4 * TOLERATED_PX:
        found = f"the outlines lie beside the edges in the image ({heights} {off:.0f} px around)"
        return Finding(_WHAT, found, "warning", "are they drawn too tight or too wide?")
    found = f"the mask lies off the image by y {y:+d}, x {x:+d} px ({heights} there)"
    advice = f"move the mask by y {-y:+d}, x {-x:+d} px, or use the image it was drawn on"
    if peak.height < DOUBTFUL_PEAK:
        advice = "compare them by eye: the mask may be moved, turned a little or scaled"
    return Finding(_WHAT, found, "warning", advice)


def _other_heights(
    image: ArraySource, mask: ArraySource, slices: list[int], every: bool
) -> dict[str, float]:
    """Heights with the mask a slice away, and if `every`, in all turns of the same shape."""
    depth, height, width = image.shape
    peaks = {}
    for step, name in ((1, "moved one slice up in z"), (-1, "moved one slice down in z")):
        pairs = [(z + step, z) for z in slices if 0 <= z + step < depth]
        peaks[name] = measure_alignment(image, mask, pairs)
    if every:
        backwards = [(depth - 1 - z, z) for z in slices]
        peaks["taken from last to first slice"] = measure_alignment(image, mask, backwards)
        flips = _FLIPS | (_SQUARE_FLIPS if height == width else {})
        for name, flip in flips.items():
            peaks[name] = measure_alignment(image, mask, [(z, z) for z in slices], flip)
    return {name: peak.height for name, peak in peaks.items() if peak}


def _highest(correlation: NDArray[np.floating[Any]], n_slices: int) -> AlignmentPeak:
    spread = float(np.sqrt(np.mean(np.square(correlation)))) or 1.0
    # Mitochondria are darker than their surroundings or, in some stains, lighter.
    heights = np.abs(correlation) / spread
    y, x = (int(i) for i in np.unravel_index(int(heights.argmax()), heights.shape))
    off_y, off_x = (
        (-at + size // 2) % size - size // 2 for at, size in zip((y, x), heights.shape, strict=True)
    )
    return AlignmentPeak(
        (off_y, off_x),
        float(heights[y, x]),
        float(heights[0, 0]),
        float(heights[-y, -x]),
        n_slices,
    )


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
    size = 2 * STRIP_PX + 1
    inner = inside & ~ndimage.minimum_filter(inside, size)
    outer = ndimage.maximum_filter(inside, size) & ~inside
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
