"""A skeleton of voxels as a graph: branches between ends and junctions, without false twigs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["RING", "Branch", "SkeletonGraph", "skeleton_graph"]

RING: Final = -1
# A twig belongs to the surface, not to the centre line, if its tip does not reach out of the
# largest ball around its junction by more than this share of the ball's radius.
LEAST_REACH: Final = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """A piece of a centre line.

    Attributes
    ----------
    start, stop : int
        Its nodes; `RING` for both where it is closed in itself.
    path : ndarray of float64, (points, axes)
        Places in voxels from the one node to the other.
    """

    start: int
    stop: int
    path: NDArray[np.float64]

    @property
    def length(self) -> float:
        """Length from voxel to voxel."""
        return float(np.linalg.norm(np.diff(self.path, axis=0), axis=1).sum())

    @property
    def reach(self) -> float:
        """How far from its last place it goes: steps of voxels to and fro do not count."""
        return float(np.linalg.norm(self.path - self.path[-1], axis=1).max())

    def reversed(self) -> Branch:
        """The same from its other node."""
        return Branch(self.stop, self.start, self.path[::-1])


@dataclass(frozen=True, eq=False, slots=True)
class SkeletonGraph:
    """Branches of a skeleton.

    Attributes
    ----------
    branches : list of Branch
        At least one voxel each.
    radii : ndarray of float64, (nodes,)
        Radius, in voxels, of the largest ball within the object around each node.
    points : list of ndarray of float64, (axes,)
        Skeletons without a branch: a single voxel, or a clump that is one junction.
    """

    branches: list[Branch]
    radii: NDArray[np.float64]
    points: list[NDArray[np.float64]]

    @property
    def degrees(self) -> Counter[int]:
        """How many branches end at each node; 1 is an end, 3 and more a junction."""
        return Counter(node for b in self.branches for node in (b.start, b.stop) if node != RING)

    @property
    def loops(self) -> int:
        """Independent closed ways."""
        rings = sum(branch.start == RING for branch in self.branches)
        parent = {node: node for node in self.degrees}
        closed = 0
        for branch in self.branches:
            if branch.start != RING:
                a, b = _root(parent, branch.start), _root(parent, branch.stop)
                closed += a == b
                parent[a] = b
        return rings + closed

    def pruned(self) -> SkeletonGraph:
        """Drop twigs, the least reaching first, and join what meets at a node by two ends."""
        branches = list(self.branches)
        for node in range(len(self.radii)):
            branches = _joined(branches, node)
        while (least := self._least_twig(branches)) is not None:
            twig, junction = least
            branches.remove(twig)
            branches = _joined(branches, junction)
        return SkeletonGraph(branches, self.radii, self.points)

    def _least_twig(self, branches: list[Branch]) -> tuple[Branch, int] | None:
        degrees = SkeletonGraph(branches, self.radii, self.points).degrees
        found: list[tuple[float, Branch, int]] = []
        for branch in branches:
            for way in (branch, branch.reversed()):
                if degrees[way.start] == 1 and degrees[way.stop] > 2:
                    ball = max(self.radii[way.stop], 1.0)
                    reach = (way.reach + self.radii[way.start] - ball) / ball
                    found.append((reach, branch, way.stop))
        if not found:
            return None
        reach, twig, junction = min(found, key=lambda entry: entry[0])
        return (twig, junction) if reach < LEAST_REACH else None


def skeleton_graph(
    skeleton: NDArray[np.bool_], distance: NDArray[np.floating[Any]]
) -> SkeletonGraph:
    """Read the graph of a skeleton.

    Voxels with more than two neighbours (26, in 2-D 8) that touch each other are one junction.

    Parameters
    ----------
    skeleton : ndarray of bool, (Z, Y, X) or (Y, X)
        Lines one voxel thick.
    distance : ndarray of float, of the same shape
        Distance to the outside of the object, in voxels.

    Returns
    -------
    SkeletonGraph
        Nothing pruned yet.
    """
    voxels = np.argwhere(skeleton)
    adjacent = _adjacency(skeleton, voxels)
    node, members = _nodes(adjacent)
    places = voxels.astype(float)
    radius = distance[tuple(voxels.T)]
    radii = np.array([radius[group].max() for group in members], float)
    centres = [places[group].mean(axis=0) for group in members]
    branches = []
    for start, stop, path in _paths(adjacent, node, members):
        line = places[path]
        if start != RING:
            line[0], line[-1] = centres[start], centres[stop]
        branches.append(Branch(start, stop, line))
    joined = {end for branch in branches for end in (branch.start, branch.stop)}
    points = [places[i] for i, near in enumerate(adjacent) if not near]
    points += [centre for number, centre in enumerate(centres) if number not in joined]
    return SkeletonGraph(branches, radii, points)


def _adjacency(skeleton: NDArray[np.bool_], voxels: NDArray[np.intp]) -> list[list[int]]:
    number = np.full(np.add(skeleton.shape, 2), -1)
    number[tuple((voxels + 1).T)] = np.arange(len(voxels))
    adjacent: list[list[int]] = [[] for _ in voxels]
    for offset in product((-1, 0, 1), repeat=skeleton.ndim):
        if any(offset):
            there = number[tuple((voxels + 1 + offset).T)]
            for here in np.flatnonzero(there >= 0):
                adjacent[here].append(int(there[here]))
    return adjacent


def _nodes(adjacent: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Number of each voxel's node (-1 for none), and the voxels of each node."""
    node, members = [-1] * len(adjacent), list[list[int]]()
    for first, near in enumerate(adjacent):
        if node[first] >= 0 or len(near) in (0, 2):
            continue
        node[first] = len(members)
        group = [first]
        for voxel in group if len(near) > 2 else []:
            for other in adjacent[voxel]:
                if len(adjacent[other]) > 2 and node[other] < 0:
                    node[other] = len(members)
                    group.append(other)
        members.append(group)
    return node, members


def _paths(
    adjacent: list[list[int]], node: list[int], members: list[list[int]]
) -> Iterator[tuple[int, int, list[int]]]:
    """Walk from every node along voxels of two neighbours to the next node; then the rings."""
    walked: set[int] = set()
    for number, group in enumerate(members):
        for first in group:
            for second in adjacent[first]:
                if node[second] >= 0:
                    if node[second] > number:
                        yield number, node[second], [first, second]
                elif second not in walked:
                    path = _walk(adjacent, node, first, second)
                    walked.update(path[1:-1])
                    stop = node[path[-1]]
                    if stop != number or len(path) > 4:  # else a corner of the junction itself
                        yield number, stop, path
    for first, near in enumerate(adjacent):
        if len(near) == 2 and node[first] < 0 and first not in walked:
            path = _walk(adjacent, node, first, near[0])
            walked.update(path)
            yield RING, RING, path[:-1]


def _walk(adjacent: list[list[int]], node: list[int], first: int, second: int) -> list[int]:
    path = [first, second]
    while node[path[-1]] < 0 and path[-1] != first:
        one, other = adjacent[path[-1]]
        path.append(other if one == path[-2] else one)
    return path


def _joined(branches: list[Branch], junction: int) -> list[Branch]:
    """Make one branch of two where a node is left with two ends."""
    touching = [b for b in branches if junction in (b.start, b.stop)]
    if sum((b.start == junction) + (b.stop == junction) for b in touching) != 2:
        return branches
    others = [b for b in branches if junction not in (b.start, b.stop)]
    if len(touching) == 1:
        return [*others, Branch(RING, RING, touching[0].path[:-1])]
    first, second = touching
    first = first if first.stop == junction else first.reversed()
    second = second if second.start == junction else second.reversed()
    return [*others, Branch(first.start, second.stop, np.vstack([first.path, second.path[1:]]))]


def _root(parent: dict[int, int], node: int) -> int:
    while parent[node] != node:
        node = parent[node]
    return node
