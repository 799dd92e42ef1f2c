"""Which basins of a landscape are one object: passes, and joining over wide ones."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Passes", "join_basins", "passes_between"]

# Half of the 26 neighbours: the others are seen from the other side.
OFFSETS: Final = tuple(o for o in product((-1, 0, 1), repeat=3) if o > (0, 0, 0))


@dataclass(frozen=True, eq=False, slots=True)
class Passes:
    """The highest pass between each two neighbouring basins.

    Attributes
    ----------
    pairs : ndarray of int64, (passes, 2)
        The two basins, the smaller number first.
    heights : ndarray of float32, (passes,)
        Height of the pass: the largest, over neighbouring points, of the lower of the two.
    """

    pairs: NDArray[np.int64]
    heights: NDArray[np.float32]


def passes_between(basins: NDArray[Any], heights: NDArray[np.float32]) -> Passes:
    """Find the highest pass between each two neighbouring basins.

    Parameters
    ----------
    basins : ndarray of int, (Z, Y, X)
        1, 2, 3 ... in the basins, 0 outside.
    heights : ndarray of float32, (Z, Y, X)
        The landscape.

    Returns
    -------
    Passes
        One for each two basins that are neighbours, over corners too.
    """
    base = int(basins.max()) + 1
    keys, lower = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for here, there in _neighbours(basins.shape):
        one, other = basins[here], basins[there]
        meet = (one != other) & (one > 0) & (other > 0)
        first, second = one[meet].astype(np.int64), other[meet].astype(np.int64)
        keys.append(np.minimum(first, second) * base + np.maximum(first, second))
        lower.append(np.minimum(heights[here][meet], heights[there][meet]))
    key, height = np.concatenate(keys), np.concatenate(lower)
    order = np.lexsort((-height, key))
    unique, first_of = np.unique(key[order], return_index=True)
    return Passes(np.stack([unique // base, unique % base], axis=1), height[order][first_of])


def join_basins(
    basins: NDArray[Any],
    heights: NDArray[np.float32],
    voxels: NDArray[np.float32],
    neck_ratio: float,
    smallest_voxels: float,
) -> NDArray[np.int64]:
    """Join the basins that are one object.

    The two basins with the highest pass, as a share of the lower of their peaks, are joined first;
    then the smallest of what is too small is joined to the neighbour of its highest pass.

    Parameters
    ----------
    basins : ndarray of int, (Z, Y, X)
        1, 2, 3 ... in the basins, 0 outside.
    heights : ndarray of float32, (Z, Y, X)
        The landscape.
    voxels : ndarray of float32, (Z, Y, X)
        Voxels at each point.
    neck_ratio : float
        Passes of at least this share of the lower peak are no borders of objects.
    smallest_voxels : float
        Basins of fewer voxels are no objects.

    Returns
    -------
    ndarray of int64, (largest basin + 1,)
        Part of each basin: 1, 2, 3 ...; 0 for the outside.
    """
    count = int(basins.max())
    graph = _Graph(basins, heights, voxels, count)
    graph.join_over_passes(neck_ratio)
    graph.join_small(smallest_voxels)
    _, parts = np.unique(graph.roots(), return_inverse=True)
    return parts


class _Graph:
    """Basins, their peaks and voxels, and the passes between them; joined step by step."""

    def __init__(
        self,
        basins: NDArray[Any],
        heights: NDArray[np.float32],
        voxels: NDArray[np.float32],
        count: int,
    ) -> None:
        peaks = np.zeros(count + 1, np.float32)
        np.maximum.at(peaks, basins.ravel(), heights.ravel())
        self.peaks: list[float] = peaks.tolist()
        self.voxels: list[float] = np.bincount(basins.ravel(), voxels.ravel()).tolist()
        self.parents = list(range(count + 1))
        self.passes: list[dict[int, float]] = [{} for _ in range(count + 1)]
        found = passes_between(basins, heights)
        for (a, b), height in zip(found.pairs.tolist(), found.heights.tolist(), strict=True):
            self.passes[a][b] = self.passes[b][a] = height

    def ratio(self, a: int, b: int) -> float:
        """Give the height of a pass as a share of the lower peak; 1 where there is no height."""
        lower = min(self.peaks[a], self.peaks[b])
        return self.passes[a][b] / lower if lower > 0 else 1.0

    def join_over_passes(self, least: float) -> None:
        """Join until every pass is lower than that share of the lower peak."""
        queue = [(-self.ratio(a, b), a, b) for a, b in self._pairs()]
        heapq.heapify(queue)
        while queue and -queue[0][0] >= least:
            ratio, a, b = heapq.heappop(queue)
            if b not in self.passes[a]:
                continue  # joined meanwhile
            if self.ratio(a, b) < -ratio:
                # The lower of the peaks has become a higher one's: its turn comes later.
                heapq.heappush(queue, (-self.ratio(a, b), a, b))
                continue
            kept = self.join(a, b)
            for other in self.passes[kept]:
                heapq.heappush(queue, (-self.ratio(kept, other), kept, other))

    def join_small(self, smallest: float) -> None:
        """Join what has fewer voxels to the neighbour of the highest pass, the smallest first."""
        queue = [(n, a) for a, n in enumerate(self.voxels) if self.passes[a] and n < smallest]
        heapq.heapify(queue)
        while queue:
            voxels, a = heapq.heappop(queue)
            if self.parents[a] != a or self.voxels[a] != voxels or not self.passes[a]:
                continue
            kept = self.join(a, max(self.passes[a], key=lambda b: (self.passes[a][b], -b)))
            if self.voxels[kept] < smallest:
                heapq.heappush(queue, (self.voxels[kept], kept))

    def join(self, a: int, b: int) -> int:
        """Give the basin of the lower peak to the other; says which is kept."""
        kept, gone = (a, b) if (self.peaks[a], -a) > (self.peaks[b], -b) else (b, a)
        self.parents[gone] = kept
        self.voxels[kept] += self.voxels[gone]
        del self.passes[kept][gone], self.passes[gone][kept]
        for other, height in self.passes[gone].items():
            del self.passes[other][gone]
            higher = max(height, self.passes[kept].get(other, 0.0))
            self.passes[kept][other] = self.passes[other][kept] = higher
        self.passes[gone] = {}
        return kept

    def roots(self) -> NDArray[np.int64]:
        """Find the basin that each has been given to."""
        roots = np.array(self.parents)
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]
        return roots

    def _pairs(self) -> Iterator[tuple[int, int]]:
        return ((a, b) for a, there in enumerate(self.passes) for b in there if a < b)


def _neighbours(shape: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """Give two views for each direction: every point, and its neighbour there."""
    for offset in OFFSETS:
        if all(abs(step) < length for step, length in zip(offset, shape, strict=True)):
            sizes = list(zip(offset, shape, strict=True))
            here = tuple(slice(max(0, -o), n - max(0, o)) for o, n in sizes)
            there = tuple(slice(max(0, o), n - max(0, -o)) for o, n in sizes)
            yield here, there
