"""Suspected merges: objects of two lobes with a neck between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.appearance import clearness, learn_appearance
from chondria.review.crops import Crop, crop_object
from chondria.review.neck_evidence import flankness, probability_drop
from chondria.review.necks import Neck, find_lobes, find_necks
from chondria.review.scene import Scene
from chondria.review.seams import seam_evidence
from chondria.review.suspicion import Suspicion

__all__ = ["find_merges"]

# From here on the reason names it.
CLEAR_SEAM: Final = 0.5


def find_merges(scene: Scene) -> list[Suspicion]:
    """Suspect objects at their necks.

    Parameters
    ----------
    scene : Scene
        Labels and probabilities; the image, if there is one.

    Returns
    -------
    list of Suspicion
        One for each neck. Evidence: `narrowing` of the neck against the thinner lobe; `drop` of
        the probability and `flank`, see `chondria.review.neck_evidence`; `seam`, see
        `chondria.review.seams`, if there is an image that says something.
    """
    appearance = learn_appearance(scene)
    found = []
    for number in scene.boxes:
        crop = crop_object(scene, number)
        odds, clear = None, None
        if appearance is not None and scene.image is not None:
            odds = appearance.odds(crop, scene.image)
            clear = clearness(crop, odds)
        lobes, depth = find_lobes(crop.inside, crop.measured_size_nm, clear)
        for neck in find_necks(lobes, depth, crop.voxel_size_nm):
            evidence = _evidence(neck, lobes, crop, crop.of(scene.probability), odds)
            place = crop.place_of(neck.at)
            found.append(Suspicion("merge", (number,), place, evidence, _reason(neck, evidence)))
    return found


def _evidence(
    neck: Neck,
    lobes: NDArray[np.int32],
    crop: Crop,
    probability: NDArray[np.uint8],
    odds: NDArray[np.float32] | None,
) -> dict[str, float]:
    size = crop.voxel_size_nm
    told = {
        "narrowing": neck.narrowing,
        "drop": probability_drop(neck, lobes, probability),
        "flank": flankness(neck, lobes, size),
    }
    return told if odds is None else told | {"seam": seam_evidence(neck, lobes, odds, size)}


def _reason(neck: Neck, evidence: Mapping[str, float]) -> str:
    said = (
        f"Two parts of at least {neck.lobe_width_nm:.0f} nm width hang together by a neck of "
        f"about {neck.width_nm:.0f} nm"
    )
    if evidence["drop"] >= 0.05:
        said += f", where the log odds of the probability are {4 * evidence['drop']:.1f} lower"
    if evidence.get("seam", 0.0) >= CLEAR_SEAM:
        said += ", and the image shows a seam across it"
    return f"{said}."
