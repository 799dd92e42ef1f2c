"""The way from the end of a skeleton to the tip of an object, from section to section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

__all__ = ["SmoothBody"]

# Values along a ray are looked up so often.
STEP: Final = 0.25
# Rays around a point in its section, and in each ring around a tip.
TURNS: Final = 16
# In radii of the ball around a point: how far its section is looked at, as a sheet's never ends;
# how far the next section is; how near the surface ahead is if the ball touches the tip.
SECTION_RADII: Final = 1.5
STRIDE_RADII: Final = 0.5
TOUCHING_RADII: Final = 1.2
# A nearer surface cannot be told from one that the ball touches.
TOUCHING: Final = 0.5
# The direction is that of a piece of the line that is no shorter.
LEAST_BASE: Final = 3.0
# Around a tip the surface is a smooth cap, seen from the middle of the ball that touches it.
CAP_DEG: Final = 35.0
# A spiral of a sheet's own making would have no end.
MOST_STEPS: Final = 100


@dataclass(frozen=True, eq=False, slots=True)
class SmoothBody:
    """An object on a grid of equal edges; places and lengths are in its voxels.

    Attributes
    ----------
    field : ndarray of float32, (Z, Y, X) or (Y, X)
        Smoothed object, with a margin of zeros.
    level : float
        What is inside has no less.
    distance : ndarray of float, of the same shape
        To the outside: the radius of the ball around each voxel.
    largest_radius : float
        The largest of them.
    """

    field: NDArray[np.float32]
    level: float
    distance: NDArray[np.floating[Any]]
    largest_radius: float

    def way_to_tip(self, behind: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continue a line to the surface.

        Thinning eats a tapering end long before its tip, and a straight line from there misses
        the tip of one that bends. So the way goes on from the centroid of a section to that of the
        next one, until the ball around it touches the tip.

        Parameters
        ----------
        behind : ndarray, (points, axes)
            The line so far, two points at least; its last point is inside the object.

        Returns
        -------
        ndarray, (points, axes)
            From the last point of `behind` to the tip.
        """
        points = behind
        base = max(self.largest_radius, LEAST_BASE)
        heading = first = _heading(points, base)
        for _ in range(MOST_STEPS):
            radius = self._radius(points[-1])
            ahead = self._exits(points[-1:], heading[None], (1 + STRIDE_RADII) * radius + 1)[0]
            if ahead <= max(TOUCHING_RADII * radius, radius + TOUCHING):
                break
            stride = max(min(STRIDE_RADII * radius, ahead - radius), STEP)
            further = self._centred(points[-1] + stride * heading, heading)
            heading = _heading(np.vstack([points, further]), base)
            if heading @ first < 0:  # back to where it came from: around the rim of a sheet
                break
            points = np.vstack([points, further])
        tip = points[-1] + self._to_cap(points[-1], heading) * heading
        return np.vstack([points[len(behind) - 1 :], tip])

    def _radius(self, point: NDArray[np.float64]) -> float:
        # Distances are to the middle of the next voxel outside.
        return max(float(map_coordinates(self.distance, point[:, None], order=1)[0]) - 0.5, 0.5)

    def _centred(
        self, point: NDArray[np.float64], heading: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Centroid of what is seen from a point within the section across the way."""
        across = _across(heading)
        reach = self._exits(point[None], across, SECTION_RADII * self._radius(point) + 1)
        n = len(point) - 1  # sectors of a plane, or the halves of a line
        size = float(np.sum(reach**n)) / n
        if size == 0:
            return point
        return point + (reach ** (n + 1)) @ across / (n + 1) / size

    def _to_cap(self, point: NDArray[np.float64], heading: NDArray[np.float64]) -> float:
        """Distance to the surface ahead: a parabola through two rings of rays around that way.

        A single ray meets a step of the voxels or misses it.
        """
        across = _across(heading)
        share = np.repeat((0.0, 0.5, 1.0), (1, len(across), len(across)))
        angle = np.deg2rad(CAP_DEG) * share[:, None]
        rays = np.cos(angle) * heading + np.sin(angle) * np.vstack([heading, across, across])
        found = self._exits(point[None], rays, 4 * self._radius(point))
        return max(float(np.polyfit(share**2, found, 1)[1]), 0.0)

    def _exits(
        self, start: NDArray[np.float64], rays: NDArray[np.float64], reach: float
    ) -> NDArray[np.float64]:
        """Distances to where the field passes its level, (rays,); `reach` where it does not."""
        ways = np.arange(0.0, reach + STEP, STEP)
        places = start[:, None] + rays[:, None] * ways[:, None]
        flat = places.reshape(-1, rays.shape[1]).T
        values = map_coordinates(self.field, flat, order=1).reshape(len(rays), len(ways))
        outside = values < self.level
        first = outside.argmax(axis=1)
        each, last = np.arange(len(rays)), np.maximum(first - 1, 0)
        drop = values[each, last] - values[each, first]
        over = np.maximum(values[each, last] - self.level, 0)
        share = np.divide(over, drop, out=np.zeros_like(over), where=drop > 0)
        return np.where(outside.any(axis=1), np.minimum((last + share) * STEP, reach), reach)


def _heading(points: NDArray[np.float64], base: float) -> NDArray[np.float64]:
    """Unit vector to the last point, from the latest one that is so far away."""
    way = points[-1] - points[:-1]
    lengths = np.linalg.norm(way, axis=1)
    far = np.flatnonzero(lengths >= base)
    chosen = far[-1] if len(far) else lengths.argmax()
    return np.asarray(way[chosen] / max(float(lengths[chosen]), 1e-9))


def _across(heading: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors across a direction, (rays, axes): two in the plane, `TURNS` in space."""
    span = np.linalg.svd(heading[None])[2][1:]
    if len(span) == 1:
        return np.vstack([span, -span])
    turns = np.arange(TURNS) * 2 * np.pi / TURNS
    return np.asarray(np.stack([np.cos(turns), np.sin(turns)], axis=1) @ span)
