"""Suspected merges: objects of two lobes with a neck between them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.boxes import Box, coarse_steps, grow_box
from chondria.review.neck_evidence import apartness, flankness, probability_drop
from chondria.review.necks import Neck, find_lobes, find_necks
from chondria.review.scene import Scene
from chondria.review.suspicion import Suspicion
from chondria.volume import VoxelSize

__all__ = ["find_merges"]

# Coarser than pixels: necks narrower than this are told apart no more.
EDGE_NM: Final = 12.0


def find_merges(scene: Scene) -> list[Suspicion]:
    """Suspect objects at their necks.

    Parameters
    ----------
    scene : Scene
        Labels and probabilities.

    Returns
    -------
    list of Suspicion
        One for each neck. Evidence: `narrowing` of the neck against the thinner lobe; `drop` of
        the probability, `apart` and `flank`, see `chondria.review.neck_evidence`.
    """
    found = []
    for number, box in scene.boxes.items():
        wide = grow_box(box, (1, 1, 1), scene.shape)
        steps = coarse_steps([s.stop - s.start for s in wide], scene.measured_size_nm, EDGE_NM)
        inside = scene.labels[wide][steps] == number
        lobes, depth = find_lobes(inside, _stepped(scene.measured_size_nm, steps))
        size = _stepped(scene.voxel_size_nm, steps)
        for neck in find_necks(lobes, depth, size):
            drop = probability_drop(neck, lobes, scene.probability[wide][steps])
            evidence = {
                "narrowing": neck.narrowing,
                "drop": drop,
                "apart": apartness(neck, lobes),
                "flank": flankness(neck, lobes, size),
            }
            place = _place(neck.at, wide, steps)
            found.append(Suspicion("merge", (number,), place, evidence, _reason(neck, drop)))
    return found


def _stepped(size_nm: VoxelSize, steps: tuple[slice, ...]) -> VoxelSize:
    z, y, x = (size * step.step for size, step in zip(size_nm, steps, strict=True))
    return z, y, x


def _place(places: NDArray[Any], box: Box, steps: tuple[slice, ...]) -> tuple[int, int, int]:
    """Find the neck's voxel that is nearest to its mean, in the volume's indices (z, y, x)."""
    nearest = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    z, y, x = (
        int(i) * step.step + side.start for i, step, side in zip(nearest, steps, box, strict=True)
    )
    return z, y, x


def _reason(neck: Neck, drop: float) -> str:
    said = (
        f"Two parts of at least {neck.lobe_width_nm:.0f} nm width hang together by a neck of "
        f"about {neck.width_nm:.0f} nm"
    )
    return f"{said}, where the probability is {drop:.2f} lower." if drop >= 0.05 else f"{said}."
