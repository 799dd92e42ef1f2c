"""Suspected splits: two objects that face each other as the halves of a cut one do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.boxes import Box, grow_box, inner_distance_nm
from chondria.review.scene import Scene
from chondria.review.suspicion import Suspicion
from chondria.volume import VoxelSize

__all__ = ["find_splits", "neighbouring_pairs", "section_overlap"]

# Wider gaps are those between mitochondria, and a slice may be lost besides.
WIDEST_GAP_NM: Final = 60.0
MOST_SLICES: Final = 2
# How deep behind its face an object is compared with it.
DEPTH_NM: Final = 40.0


def neighbouring_pairs(
    labels: NDArray[Any], boxes: dict[int, Box], voxel_size_nm: VoxelSize, flat: bool
) -> Iterator[tuple[int, int]]:
    """List the pairs of objects whose boxes nearly touch, the smaller identifier first."""
    margin = _margin_px(WIDEST_GAP_NM, voxel_size_nm, flat)
    for number, box in boxes.items():
        around = labels[grow_box(box, margin, labels.shape)]
        for other in np.unique(around[around > number]):
            yield number, int(other)


def section_overlap(
    first: NDArray[np.bool_], second: NDArray[np.bool_]
) -> tuple[float, int, NDArray[np.bool_]] | None:
    """Compare the end of one object in z with the beginning of the next.

    Parameters
    ----------
    first, second : ndarray of bool, (Z, Y, X)
        Two objects in one box.

    Returns
    -------
    tuple or None
        Intersection of the two sections over their union; the slice where the lower object ends;
        and the pixels of the intersection (Y, X). None where they share slices, or lie more than
        one slice apart.
    """
    if not (first.any() and second.any()):
        return None
    spans = sorted(
        ((z.min(), z.max(), part) for part in (first, second) for z in [_slices_of(part)]),
        key=lambda span: span[0],
    )
    (_, end, lower), (begin, _, upper) = spans
    if not 0 < begin - end <= MOST_SLICES:
        return None
    both, either = lower[end] & upper[begin], lower[end] | upper[begin]
    return float(both.sum() / either.sum()), int(end), both


def find_splits(scene: Scene) -> list[Suspicion]:
    """Suspect pairs of objects that face each other closely.

    Parameters
    ----------
    scene : Scene
        Labels and probabilities.

    Returns
    -------
    list of Suspicion
        At most one for each pair. Evidence: `facing`, the smaller of the two objects' ratios of
        the face to the section behind it, or the overlap of sections in z; `bridge`, the
        probability between them, as a part of the cores'; `near`, 1 where they touch and 0 at the
        widest gap; `lost`, where a slice is missing between them: the overlap by a half, over two
        slices, times the bridge by a half, as what is missed has not more; each at most 1.
    """
    found = []
    for pair in neighbouring_pairs(scene.labels, scene.boxes, scene.voxel_size_nm, scene.flat):
        place = _meeting_box(scene.boxes, pair, scene.voxel_size_nm, scene.flat, scene.shape)
        part, seen = scene.labels[place], scene.probability[place]
        sure = max(float(scene.core[list(pair)].min()), 1 / 255)
        ways = [_beside(part, seen, pair, scene.measured_size_nm)]
        if not scene.flat:
            ways.append(_stacked(part, seen, pair))
        told = [way for way in ways if way is not None]
        if told:
            facing, bridge, near, lost, at, how = max(told, key=lambda way: way[0] * way[1])
            bridge = min(1.0, bridge / sure)
            evidence = {"facing": facing, "bridge": bridge, "near": near}
            evidence["lost"] = min(1.0, 2 * facing) * min(1.0, 2 * bridge) if lost else 0.0
            z, y, x = (int(i) + side.start for i, side in zip(at, place, strict=True))
            reason = f"{how}, and the probability between them is {bridge:.2f} of that inside."
            found.append(Suspicion("split", pair, (z, y, x), evidence, reason))
    return found


Way = tuple[float, float, float, bool, NDArray[Any], str]


def _beside(
    labels: NDArray[Any], seen: NDArray[np.uint8], pair: tuple[int, int], size: VoxelSize
) -> Way | None:
    """Judge two objects by the faces that they turn to each other."""
    masks = [labels == number for number in pair]
    together = _slices_with(masks)
    if not together.any():
        return None
    masks, labels, seen = [mask[together] for mask in masks], labels[together], seen[together]
    away = [inner_distance_nm(~mask, size) for mask in masks]
    gap = min(float(away[1][masks[0]].min()), float(away[0][masks[1]].min()))
    step = max(size[1:])
    if gap > WIDEST_GAP_NM + step:
        return None
    layer = max(2 * step, 10.0)
    ratios = [_face_ratio(away[1 - i][masks[i]], gap, layer) for i in (0, 1)]
    between = (away[0] + away[1] <= gap + layer) & ~masks[0] & ~masks[1]
    faces = [masks[i] & (away[1 - i] <= gap + step) for i in (0, 1)]
    looked = between & (labels == 0) if gap > 1.5 * step else faces[0] | faces[1]
    if not looked.any():
        return None
    at = _middle(looked)
    at[0] = np.flatnonzero(together)[at[0]]
    width = max(0.0, gap - step)
    how = f"Two objects face each other over {min(ratios):.0%} of their width, {width:.0f} nm apart"
    near = 1 - min(width / WIDEST_GAP_NM, 1.0)
    return min(ratios), float(seen[looked].mean()) / 255, near, False, at, how


def _stacked(labels: NDArray[Any], seen: NDArray[np.uint8], pair: tuple[int, int]) -> Way | None:
    """Judge two objects of which one begins where the other ends in z."""
    first, second = (labels == number for number in pair)
    found = section_overlap(first, second)
    if found is None or not found[0]:
        return None
    overlap, end, both = found
    missing = not (first | second)[end + 1].any()
    between = seen[end + 1][both] if missing else seen[end : end + 2, both]
    y, x = _middle(both)
    how = f"One object ends in slice where another begins with {overlap:.0%} of the same section"
    if missing:
        how = f"A slice is missing between two objects that share {overlap:.0%} of their sections"
    at = np.array([end + int(missing), y, x])
    return overlap, float(between.mean()) / 255, 0.5 if missing else 1.0, missing, at, how


def _face_ratio(away: NDArray[np.float32], gap: float, layer: float) -> float:
    """Compare the face that an object turns to another with the section behind it."""
    face = int(np.count_nonzero(away <= gap + layer))
    behind = int(np.count_nonzero((away > gap + DEPTH_NM) & (away <= gap + DEPTH_NM + layer)))
    return min(1.0, face / behind) if behind else 0.0


def _slices_of(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(mask.any(axis=(1, 2)))


def _slices_with(masks: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Slices that hold both objects."""
    one, two = (np.asarray(mask.any(axis=(1, 2))) for mask in masks)
    here: NDArray[np.bool_] = np.logical_and(one, two)
    return here


def _middle(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    places = np.argwhere(mask)
    middle: NDArray[np.intp] = places[
        np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))
    ].copy()
    return middle


def _margin_px(margin_nm: float, size: VoxelSize, flat: bool) -> tuple[int, int, int]:
    y, x = (int(np.ceil(margin_nm / edge)) for edge in size[1:])
    z = 0 if flat else max(MOST_SLICES, round(margin_nm / size[0]))
    return z, y, x


def _meeting_box(
    boxes: dict[int, Box],
    pair: tuple[int, int],
    size: VoxelSize,
    flat: bool,
    shape: tuple[int, ...],
) -> Box:
    """Bound where two objects meet, with room for the sections behind their faces."""
    margin = _margin_px(WIDEST_GAP_NM + 2 * DEPTH_NM, size, flat)
    one, two = (grow_box(boxes[number], margin, shape) for number in pair)
    z, y, x = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, two, strict=True)
    )
    return z, y, x
