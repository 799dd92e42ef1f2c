"""Values of a mask, measured in one pass of a slice at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.data.finding import Finding, name_slices

__all__ = ["MaskValues"]

MOST_FOREGROUND = 0.5
# More different values than any writer's rounding of two; beyond it the rest is not listed.
VALUES_KEPT = 4096


class MaskValues:
    """Takes the slices one after the other; keeps the values and the foreground of each."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._whole = dtype.kind in "iu"
        self._wide = self._whole and dtype.itemsize > 1
        self._values: set[float] = set()
        self._foreground: list[int] = []
        self._size = 0

    def add(self, mask: NDArray[Any]) -> None:
        """Take the next slice (Y, X)."""
        self._foreground.append(int(np.count_nonzero(mask)))
        self._size += mask.size
        if len(self._values) < VALUES_KEPT:
            self._values.update(float(value) for value in _distinct(mask)[: 2 * VALUES_KEPT])

    @property
    def foreground(self) -> NDArray[np.int64]:
        """Pixels that are not zero, of every slice (Z,)."""
        return np.array(self._foreground, dtype=np.int64)

    def findings(self) -> list[Finding]:
        """Say what the mask is like."""
        values = self._say_values()
        if values.level == "error" and not self.foreground.any():
            return [values]
        return [values, self._say_foreground(), *self._say_empty_slices()]

    def _say_values(self) -> Finding:
        values = sorted(self._values)
        said = ", ".join(f"{value:g}" for value in values[:5])
        what = "mask values"
        if values == [0.0]:
            advice = "give the mask of this image; without foreground there is nothing to learn"
            return Finding(what, "0 only: the mask is empty", "error", advice)
        if len(values) == 1:
            advice = "background must be 0"
            return Finding(what, f"{said} only: the mask has no background", "error", advice)
        if len(values) == 2 and values[0] == 0:
            return Finding(what, said)
        many = "more than 4096" if len(values) >= VALUES_KEPT else f"{len(values)}"
        found = f"{many} values: {said}{', ...' if len(values) > 5 else ''}"
        integers = self._whole or all(value.is_integer() for value in values)
        if integers and values[0] == 0 and (self._wide or values[-1] == len(values) - 1):
            advice = "use it as a label map, or set all above 0 to 255"
            return Finding(what, f"a label map of objects? {found}", "warning", advice)
        advice = "a mask has two values, 0 for background: threshold it first"
        return Finding(what, f"not binary, {found}", "error", advice)

    def _say_foreground(self) -> Finding:
        share = int(self.foreground.sum()) / self._size
        said = f"{100 * share:.3g} % of the voxels"
        if share > MOST_FOREGROUND:
            advice = "more than half: perhaps the mask is inverted"
            return Finding("mask foreground", said, "warning", advice)
        return Finding("mask foreground", said)

    def _say_empty_slices(self) -> list[Finding]:
        empty = [int(z) for z in np.flatnonzero(self.foreground == 0)]
        if not empty or not self.foreground.any():
            return []
        said = f"{len(empty)} of {len(self._foreground)}: {name_slices(empty)}"
        gaps = [z for z in empty if self.foreground[max(0, z - 1) : z + 2].astype(bool).sum() == 2]
        said += f"; with annotated neighbours: {name_slices(gaps)}" if gaps else ""
        advice = "leave out of training those that nobody annotated"
        return [Finding("empty mask slices", said, "warning", advice)]


def _distinct(mask: NDArray[Any]) -> NDArray[Any]:
    if mask.dtype == np.uint8:
        return np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    return np.unique(mask)
