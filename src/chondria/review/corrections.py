"""Decisions turned into corrected labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.errors import SettingsError
from chondria.review.boxes import Box, inner_distance_nm, measured_size_nm
from chondria.review.decisions import Decision
from chondria.review.misses import missed_regions
from chondria.review.necks import FULL, find_lobes, find_necks
from chondria.volume import VoxelSize

__all__ = ["correct_labels", "split_at_neck", "split_at_points"]

Place = Sequence[int] | NDArray[Any]

# So far from a missed place, at most, the place that was pointed at may lie.
REACH_NM: Final = 100.0
# And so far from a neck: a tube is as narrow over some length.
NECK_REACH_NM: Final = 200.0


def correct_labels(
    labels: NDArray[Any],
    decisions: Sequence[Decision],
    probability: NDArray[np.uint8],
    voxel_size_nm: VoxelSize,
) -> tuple[NDArray[Any], dict[str, int]]:
    """Apply decisions to a label map.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        The map that the decisions speak of; it is not changed.
    decisions : sequence of Decision
        Identifiers are those of `labels` throughout, whatever another decision does.
    probability : ndarray of uint8, (Z, Y, X)
        Says how far an added object reaches.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.

    Returns
    -------
    tuple
        The corrected map, of the same type or a wider one: joined objects have the smallest of
        their numbers, the larger part of a split one keeps its number, new ones are numbered on.
        And how many decisions of each kind were applied.

    Raises
    ------
    SettingsError
        If an object or a point does not exist, an object has one lobe only and no points were
        given, nothing was missed at a place, or two decisions contradict each other.
    """
    present = {int(n) for n in np.unique(labels)} - {0}
    for decision in decisions:
        _check_ids(decision, present)
    _check_contradictions(decisions)
    out = labels.astype(np.uint32 if labels.dtype.itemsize < 4 else labels.dtype)
    fresh = max(present, default=0) + 1
    flat = _is_flat(labels)
    for decision in decisions:
        if decision.action == "split":
            fresh = _split(out, labels, decision, voxel_size_nm, fresh)
    for number, target in _joined(decisions).items():
        out[labels == number] = target
    dropped = [n for decision in decisions if decision.action == "drop" for n in decision.ids]
    out[np.isin(labels, dropped)] = 0
    added = [decision for decision in decisions if decision.action == "add"]
    if added:
        regions = missed_regions(labels, probability, voxel_size_nm, flat)
        for decision in added:
            out[_missed(regions, probability, decision, voxel_size_nm)] = fresh
            fresh += 1
    counts: dict[str, int] = defaultdict(int)
    for decision in decisions:
        counts[decision.action] += 1
    return _narrowed(out, labels.dtype), dict(counts)


def split_at_points(
    inside: NDArray[np.bool_], points: Sequence[Place], measured_size_nm: VoxelSize
) -> NDArray[np.int32]:
    """Part an object by a watershed from points (z, y, x) in it; parts are 1, 2, 3 ..."""
    from skimage.segmentation import watershed

    markers = np.zeros(inside.shape, np.int32)
    for number, point in enumerate(points, start=1):
        markers[tuple(point)] = number
    depth = inner_distance_nm(inside, measured_size_nm)
    parts = watershed(-depth, markers, mask=inside, connectivity=FULL)  # type: ignore[no-untyped-call]
    return np.asarray(parts, np.int32)


def split_at_neck(
    inside: NDArray[np.bool_], voxel_size_nm: VoxelSize, place: Place | None = None
) -> NDArray[np.int32] | None:
    """Part an object in two at its narrowest neck, or at the one nearest to a place (z, y, x).

    Returns
    -------
    ndarray of int32 or None
        1 and 2 in the parts; None where the object has no neck, or none within 200 nm of the place.
    """
    lobes, depth = find_lobes(inside, measured_size_nm(voxel_size_nm, len(inside) == 1))
    necks = find_necks(lobes, depth, voxel_size_nm)
    if not necks:
        return None
    size = np.array(voxel_size_nm)
    if place is None:
        neck = max(necks, key=lambda neck: neck.narrowing + neck.thinness)
    else:
        away = [np.linalg.norm((n.at - np.array(place)) * size, axis=1).min() for n in necks]
        if min(away) > NECK_REACH_NM:
            return None
        neck = necks[int(np.argmin(away))]
    side = {neck.lobes[0]}
    links = [set(other.lobes) for other in necks if other is not neck]
    while grown := {n for link in links if link & side for n in link} - side - {neck.lobes[1]}:
        side |= grown
    return np.where(np.isin(lobes, list(side)), 1, 2 * (lobes > 0)).astype(np.int32)


def _split(
    out: NDArray[Any],
    labels: NDArray[Any],
    decision: Decision,
    size: VoxelSize,
    fresh: int,
) -> int:
    """Part one object in place; gives the next free number."""
    (number,) = decision.ids
    box = _box_of(labels == number)
    inside = labels[box] == number
    start = [side.start for side in box]
    if decision.points_px:
        for point in decision.points_px:
            if not _is_inside(point, labels.shape) or labels[point] != number:
                raise SettingsError(
                    f"The point {' '.join(map(str, point))} in line {decision.line} lies outside "
                    f"of object {number}; give voxels z y x within the object."
                )
        points = [np.subtract(point, start) for point in decision.points_px]
        parts = split_at_points(inside, points, measured_size_nm(size, len(inside) == 1))
    else:
        place = None if decision.place_px is None else np.subtract(decision.place_px, start)
        found = split_at_neck(inside, size, place)
        if found is None:
            raise SettingsError(
                f"Object {number} in line {decision.line} has no neck to be split at, or none near "
                "its place; give two points z y x | z y x in the column 'points'."
            )
        parts = found
    counts = np.bincount(parts.ravel())[1:]
    for part in np.argsort(-counts)[1:] + 1:
        out[box][parts == part] = fresh
        fresh += 1
    return fresh


def _missed(
    regions: NDArray[np.uint32],
    probability: NDArray[np.uint8],
    decision: Decision,
    size: VoxelSize,
) -> NDArray[np.bool_]:
    """Find the missed region at a place; its outline is at half of its upper probability."""
    assert decision.place_px is not None  # `read_decisions` saw to it
    place = decision.place_px
    said = f"the place {' '.join(map(str, place))} in line {decision.line}"
    if not _is_inside(place, regions.shape):
        raise SettingsError(
            f"Found {said}, outside of the volume of {regions.shape} voxels (z, y, x)."
        )
    around = tuple(
        slice(max(0, int(at - REACH_NM / edge)), int(at + REACH_NM / edge) + 1)
        for at, edge in zip(place, size, strict=True)
    )
    near = np.argwhere(regions[around]) + [side.start for side in around]
    if not len(near):
        raise SettingsError(
            f"Found nothing of middling probability near {said} that could be added; draw it in a "
            "program for images instead."
        )
    nearest = near[np.argmin((((near - np.array(place)) * np.array(size)) ** 2).sum(axis=1))]
    region: NDArray[np.bool_] = regions == regions[tuple(nearest)]
    sure = np.percentile(probability[region], 75)
    return region & (probability >= sure / 2)


def _joined(decisions: Sequence[Decision]) -> dict[int, int]:
    """Give each object that is joined the smallest number of its group."""
    groups: list[set[int]] = []
    for decision in decisions:
        if decision.action == "merge":
            mine = set(decision.ids)
            for group in [group for group in groups if group & mine]:
                mine |= group
                groups.remove(group)
            groups.append(mine)
    return {number: min(group) for group in groups for number in group}


def _check_ids(decision: Decision, present: set[int]) -> None:
    unknown = [n for n in decision.ids if n not in present]
    if unknown and decision.action != "keep":
        span = f"{min(present)} to {max(present)}" if present else "none"
        raise SettingsError(
            f"Found object {unknown[0]} in line {decision.line}, which the label map does not have "
            f"(its numbers: {span}); decisions are for the labels that were reviewed."
        )


def _check_contradictions(decisions: Sequence[Decision]) -> None:
    done: dict[int, Decision] = {}
    for decision in decisions:
        if decision.action in ("drop", "merge", "split"):
            for number in decision.ids:
                before = done.setdefault(number, decision)
                same = before.action == decision.action != "split"
                if before is not decision and not same:
                    raise SettingsError(
                        f"Object {number} is to be '{before.action}' in line {before.line} and "
                        f"'{decision.action}' in line {decision.line}; leave one of them, apply, "
                        "and decide on the corrected labels."
                    )


def _is_flat(labels: NDArray[Any]) -> bool:
    """Tell a label map whose objects lie in one slice each."""
    seen: set[int] = set()
    for plane in labels:
        here = {int(n) for n in np.unique(plane)} - {0}
        if here & seen:
            return False
        seen |= here
    return True


def _is_inside(place: Sequence[int], shape: Sequence[int]) -> bool:
    return all(0 <= at < size for at, size in zip(place, shape, strict=True))


def _box_of(mask: NDArray[np.bool_]) -> Box:
    box: Box = ndimage.find_objects(mask.view(np.uint8))[0]
    return box


def _narrowed(labels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Go back to the narrower type if it holds the numbers."""
    return labels.astype(dtype) if labels.max(initial=0) <= np.iinfo(dtype).max else labels
