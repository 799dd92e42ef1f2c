"""Are the slices of a volume in order: what neighbouring slices have in common.

Structures run through slices, so a slice resembles its neighbours more than those further away.
How much depends on the slice thickness: with 5 nm slices neighbours correlate at 0.99, with 50 nm
at 0.6. Each volume is therefore judged by its own typical correlations.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.data.finding import Finding, name_slices

__all__ = ["SliceOrder"]

# Small pictures: what is finer than about 1/64 of the width does not last from slice to slice.
THUMBNAIL_EDGE = 64
# A drop this far below the typical correlation is no noise or blur of one slice: on the aligned
# FIB-SEM and serial-section volumes this was set on, the largest is 0.10.
SHARP_DROP = 0.15
UNRELATED = 0.1
SWAP_GAIN = 0.02


class SliceOrder:
    """Takes the slices one after the other and keeps a few small pictures only."""

    def __init__(self) -> None:
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=4)
        self._correlations: dict[int, list[float]] = {1: [], 2: [], 3: []}

    def add(self, pixels: NDArray[np.float64]) -> None:
        """Take the next slice (Y, X); its pixels are finite."""
        self._recent.append(_thumbnail(pixels))
        newest = self._recent[-1]
        for distance, found in self._correlations.items():
            if len(self._recent) > distance:
                found.append(float(np.vdot(self._recent[-1 - distance], newest)))

    def findings(self) -> list[Finding]:
        """Say whether slices are swapped, out of place or missing; nothing of one slice."""
        near = np.array(self._correlations[1])
        typical = float(np.nanmedian(near)) if np.isfinite(near).any() else float("nan")
        if not np.isfinite(typical):
            return []
        said = f"neighbouring slices correlate at {typical:.2f} (lowest {np.nanmin(near):.2f})"
        if typical < UNRELATED:
            advice = "if these are separate images and no stack, treat them in two dimensions"
            return [Finding("slice order", f"{said}: hardly at all", "warning", advice)]
        suspects = self.suspects()
        if not any(suspects):
            return [Finding("slice order", said)]
        return [
            Finding("slice order", found, "warning", advice)
            for found, advice in _describe(*suspects)
        ]

    def suspects(self) -> tuple[list[int], list[int], list[int]]:
        """Give the first slices of pairs that look exchanged, slices unlike both neighbours, and
        the slices before sharp changes; three empty lists where neighbours hardly correlate.
        """
        near = np.array(self._correlations[1])
        typical = float(np.nanmedian(near)) if np.isfinite(near).any() else float("nan")
        if not typical >= UNRELATED:
            return [], [], []
        swapped = self._swapped()
        return swapped, *self._drops(typical, swapped)

    def _swapped(self) -> list[int]:
        """First slices of the pairs that would match their surroundings better exchanged."""
        one, two, three = (np.array(self._correlations[k]) for k in (1, 2, 3))
        if not three.size:
            return []
        kept, exchanged = one[:-2] + one[2:], two[:-1] + two[1:]
        gain = (exchanged - kept) / 2
        # The outer two say how much there is to gain at this slice thickness.
        worth = np.maximum(SWAP_GAIN / 2, 0.25 * (np.nanmedian(one) - np.nanmedian(two)))
        peak = gain == ndimage.maximum_filter1d(np.nan_to_num(gain, nan=-1), 3)
        return [int(z) + 1 for z in np.flatnonzero((gain > worth) & peak)]

    def _drops(self, typical: float, swapped: list[int]) -> tuple[list[int], list[int]]:
        """Single slices unlike both neighbours, and first slices of jumps between two slices."""
        near, next_but_one = (np.array(self._correlations[k]) for k in (1, 2))
        beyond = float(np.nanmedian(next_but_one)) if next_but_one.size else -1.0
        limit = min((typical + beyond) / 2, typical - SHARP_DROP)
        low = near < limit
        for z in swapped:
            low[max(0, z - 1) : z + 2] = False
        bridged = next_but_one > (limit + beyond - typical)
        odd = np.flatnonzero(low[:-1] & low[1:] & bridged) + 1
        for middle in odd:
            low[middle - 1 : middle + 1] = False
        return [int(z) for z in odd], [int(z) for z in np.flatnonzero(low)]


def _describe(swapped: list[int], odd: list[int], jumps: list[int]) -> list[tuple[str, str]]:
    told = []
    if swapped:
        pairs = ", ".join(f"z={z} and {z + 1}" for z in swapped[:4])
        more = f" and {len(swapped) - 4} more pairs" if len(swapped) > 4 else ""
        told.append((f"slices look exchanged: {pairs}{more}", "check the order of the file names"))
    if odd:
        advice = "look at them: damaged, shifted or out of place"
        told.append((f"slices unlike both neighbours: {name_slices(odd)}", advice))
    if jumps:
        where = ", ".join(f"z={z}/{z + 1}" for z in jumps[:5])
        more = f" and {len(jumps) - 5} more" if len(jumps) > 5 else ""
        advice = "slices may be out of order, missing or shifted; file names need leading zeros"
        told.append((f"sharp change between slices at {where}{more}", advice))
    return told


def _thumbnail(pixels: NDArray[np.float64]) -> NDArray[np.float32]:
    """Small picture without its uneven brightness, of length one; NaN if it is constant."""
    step = max(1, max(pixels.shape) // THUMBNAIL_EDGE)
    height, width = (max(1, size // step) for size in pixels.shape)
    step_y, step_x = (min(step, size) for size in pixels.shape)
    blocks = pixels[: height * step_y, : width * step_x].reshape(height, step_y, width, step_x)
    small = blocks.mean(axis=(1, 3))
    small -= ndimage.gaussian_filter(small, THUMBNAIL_EDGE / 16)
    small -= small.mean()
    length = float(np.linalg.norm(small))
    floor = 1e-9 * (abs(float(pixels.mean())) + 1e-300) * small.size**0.5
    normed: NDArray[np.float32] = (
        (small / length).astype(np.float32)
        if length > floor
        else np.full(small.shape, np.nan, np.float32)
    )
    return normed
