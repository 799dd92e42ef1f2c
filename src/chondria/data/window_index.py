"""Square windows of masks by the foreground that they hold, each as easily drawn as any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from chondria.data.training_volume import TrainingVolume

__all__ = ["WindowIndex", "WindowPool", "window_sums"]


def window_sums(mask: NDArray[np.uint8], side: int) -> NDArray[np.int32]:
    """Foreground pixels of every square window that lies within a mask.

    Parameters
    ----------
    mask : ndarray of uint8, (Y, X)
        0 or 1.
    side : int
        Of the windows.

    Returns
    -------
    ndarray of int32, (Y - side + 1, X - side + 1)
        By the window's first pixel; empty where the mask is smaller than a window.
    """
    if min(mask.shape) < side:
        return np.zeros((0, 0), np.int32)
    ends = mask.cumsum(0, dtype=np.int32)
    columns = ends[side - 1 :].copy()
    columns[1:] -= ends[:-side]
    ends = columns.cumsum(1, dtype=np.int32)
    sums = ends[:, side - 1 :].copy()
    sums[:, 1:] -= ends[:, :-side]
    return sums


class WindowIndex:
    """The square windows of some slices whose foreground pixels number from `fewest` to `most`.

    Only how many begin in each row of pixels is kept, and a row is searched again when one of its
    windows is asked for: there are millions, and they take no memory.

    Parameters
    ----------
    masks : ndarray of uint8, (Z, Y, X)
        0 or 1.
    slices : sequence of int
        The z that count.
    side : int
        Of the windows, in pixels.
    fewest, most : int
        Bounds of their foreground pixels, both allowed.
    """

    def __init__(
        self, masks: NDArray[np.uint8], slices: Sequence[int], side: int, fewest: int, most: int
    ) -> None:
        self._masks, self._slices = masks, slices
        self._side, self._fewest, self._most = side, fewest, most
        in_rows = [self._allows(window_sums(masks[z], side)).sum(1, dtype=np.int64) for z in slices]
        self._rows = len(in_rows[0]) if in_rows else 0
        self._ends = np.concatenate([np.zeros(0, np.int64), *in_rows]).cumsum()

    def __len__(self) -> int:
        """How many windows there are."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def centre(self, k: int) -> tuple[int, int, int]:
        """Slice, row and column of the middle of the k-th window."""
        row = int(np.searchsorted(self._ends, k, side="right"))
        before = int(self._ends[row - 1]) if row else 0
        z, top = self._slices[row // self._rows], row % self._rows
        columns = self._masks[z, top : top + self._side].sum(0, dtype=np.int32)
        ends = np.concatenate([[0], columns.cumsum()])
        admitted = self._allows(ends[self._side :] - ends[: -self._side])
        left = int(np.flatnonzero(admitted)[k - before])
        return z, top + self._side // 2, left + self._side // 2

    def _allows(self, sums: NDArray[np.int32]) -> NDArray[np.bool_]:
        return (sums >= self._fewest) & (sums <= self._most)


class WindowPool:
    """Windows of several volumes: a volume is drawn by its weight, then any of its windows.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Those without such a window are never drawn.
    side, fewest, most : int
        See `WindowIndex`; only training slices count.
    """

    def __init__(
        self, volumes: Sequence[TrainingVolume], side: int, fewest: int, most: int
    ) -> None:
        indexed = [
            (
                volume,
                WindowIndex(volume.masks.cpu().numpy(), volume.split.train, side, fewest, most),
            )
            for volume in volumes
        ]
        self._indexed = [(volume, index) for volume, index in indexed if len(index)]
        self._weights = torch.tensor([volume.weight for volume, _ in self._indexed])

    def __len__(self) -> int:
        """How many windows there are."""
        return sum(len(index) for _, index in self._indexed)

    def draw(
        self, n: int, generator: torch.Generator
    ) -> list[tuple[TrainingVolume, tuple[int, int, int]]]:
        """Draw n windows; each with its volume and the (z, y, x) of its middle."""
        if not n:
            return []
        chosen = torch.multinomial(self._weights, n, True, generator=generator).tolist()
        shares = torch.rand(n, generator=generator, dtype=torch.float64).tolist()
        drawn = []
        for which, share in zip(chosen, shares, strict=True):
            volume, index = self._indexed[which]
            drawn.append((volume, index.centre(int(share * len(index)))))
        return drawn
