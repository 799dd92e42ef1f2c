"""One list of everything worth a look, the most suspicious first, whatever its kind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.merges import find_merges
from chondria.review.misses import find_misses
from chondria.review.scene import Scene, make_scene
from chondria.review.slices import find_odd_slices
from chondria.review.splits import find_splits
from chondria.review.suspicion import Kind, Suspicion
from chondria.review.uncertain import find_uncertain
from chondria.volume import VoxelSize

__all__ = ["UNSEEN_MERGE", "WEIGHTS", "Entry", "find_suspicions", "make_worklist", "rank"]

# Logarithm of the odds that a suspicion is right: a constant, and so much for each measure.
# Logistic regressions (penalty 0.15 times the sum of squares, no weight below 0), see
# recipes/LOG.md, 2026-11-27: splits and merges "Seams", on Lucchi++ train and CDeep3M's z 0 to 13,
# those of merges by hand between it and the earlier one, and slices that are lost by hand; misses
# and merges without an image "Planted merges". Uncertain objects and slices are set by hand.
WEIGHTS: Final[Mapping[Kind, Mapping[str, float]]] = {
    "uncertain": {"": -4.0, "doubt": 8.0},
    "merge": {"": -3.8, "narrowing": 0.6, "drop": 4.5, "flank": 0.3, "seam": 2.7},
    "split": {"": -9.4, "facing": 9.5, "bridge": 2.3, "near": 2.3, "lost": 7.5},
    "miss": {"": -5.3, "width": 3.0, "size": 6.3},
    "slice": {"": -5.0, "lack": 5.0, "image": 3.0},
}
UNSEEN_MERGE: Final[Mapping[str, float]] = {"": -3.8, "narrowing": 2.0, "drop": 6.1, "flank": 0.5}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the worklist.

    Attributes
    ----------
    rank : int
        1 is to be looked at first.
    score : float
        0 to 1, comparable between kinds.
    suspicion : Suspicion
        What it is about.
    """

    rank: int
    score: float
    suspicion: Suspicion


def find_suspicions(scene: Scene, unlike: dict[int, str] | None = None) -> list[Suspicion]:
    """Gather what every kind of evidence suspects.

    Parameters
    ----------
    scene : Scene
        Labels and probabilities, and the image, if there is one. Where every object lies in a
        single slice, slices are judged one by one.
    unlike : dict of int to str, optional
        See `find_odd_slices`.

    Returns
    -------
    list of Suspicion
        In no order.
    """
    # Slices of a flat map need not be of one stack.
    slices = [] if scene.flat else find_odd_slices(scene.labels, unlike)
    return [
        *find_uncertain(scene.labels, scene.boxes, scene.core),
        *find_merges(scene),
        *find_splits(scene),
        *find_misses(scene),
        *slices,
    ]


def rank(suspicions: list[Suspicion]) -> list[Entry]:
    """Order suspicions by score; what was said of the same object before counts against the next.

    An entry's score is halved for each better one that names one of its objects, so that an object
    of many necks does not stand before all others. A doubtful object that is named further up is
    not named again.

    Parameters
    ----------
    suspicions : list of Suspicion
        In any order.

    Returns
    -------
    list of Entry
        The highest score first.
    """
    scored = sorted(((_score(one), one) for one in suspicions), key=_order)
    named: Counter[int] = Counter()
    kept = []
    for score, one in scored:
        before = max((named[number] for number in one.ids), default=0)
        if not (before and one.kind == "uncertain"):
            kept.append((score / 2**before, one))
            named.update(one.ids)
    kept.sort(key=_order)
    return [Entry(place, score, one) for place, (score, one) in enumerate(kept, start=1)]


def _order(scored: tuple[float, Suspicion]) -> tuple[Any, ...]:
    score, one = scored
    return -score, one.kind, one.ids, one.place_px


def make_worklist(
    labels: NDArray[Any],
    probability: NDArray[np.uint8],
    voxel_size_nm: VoxelSize,
    unlike: dict[int, str] | None = None,
    image: NDArray[Any] | None = None,
) -> list[Entry]:
    """Find and rank everything worth a look.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        A label map of any integer type; 0 is background, other numbers may have gaps.
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    unlike : dict of int to str, optional
        See `find_odd_slices`.
    image : ndarray, (Z, Y, X), optional
        Grey values; merges are judged by them too.

    Returns
    -------
    list of Entry
        The most suspicious first; identifiers are those of the label map.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    ids, dense = _dense(labels)
    found = find_suspicions(make_scene(dense, probability, voxel_size_nm, image), unlike)
    return rank([replace(one, ids=tuple(int(ids[n]) for n in one.ids)) for one in found])


def _score(suspicion: Suspicion) -> float:
    unseen = suspicion.kind == "merge" and "seam" not in suspicion.evidence
    weights = UNSEEN_MERGE if unseen else WEIGHTS[suspicion.kind]
    odds = weights[""] + sum(weights.get(name, 0) * x for name, x in suspicion.evidence.items())
    return 1 / (1 + math.exp(-odds))


def _dense(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Number objects without gaps; gives their identifiers and the new label map."""
    ids = np.unique(np.concatenate([np.unique(plane) for plane in labels]))
    ids = np.append(labels.dtype.type(0), ids[ids != 0])
    if ids[-1] == len(ids) - 1:
        return ids, labels
    return ids, np.stack([np.searchsorted(ids, plane) for plane in labels]).astype(np.uint32)
