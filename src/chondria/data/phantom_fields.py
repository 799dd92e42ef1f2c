"""Smooth scalar fields in physical space, sampled on the pixels of any section.

Shapes are signed distances (nm) on a coarse lattice, noise is a periodic tile; both are read with
cubic B-splines, so outlines stay smooth at any voxel size and one section costs a few matrix
products instead of a pass over the volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "WHOLE",
    "Box",
    "Field",
    "Floats",
    "Lattice",
    "NoiseTile",
    "SectionGrid",
    "Spline",
    "Window",
    "sample_plane",
    "wrap_around",
]

Floats = NDArray[np.float32]
Box = tuple[slice, slice, slice]
Window = tuple[slice, slice]
WHOLE: Window = (slice(None), slice(None))

# Standard deviation that the cubic B-spline leaves of white noise on a lattice, three axes.
SPLINE_SD = (151 / 315) ** 1.5


@dataclass(frozen=True, slots=True)
class Lattice:
    """A coarse cubic grid of points.

    Parameters
    ----------
    origin_nm : tuple of float
        Position (z, y, x) of the first point.
    spacing_nm : float
        Distance between neighbours.
    shape : tuple of int
        Number of points (z, y, x).
    """

    origin_nm: tuple[float, float, float]
    spacing_nm: float
    shape: tuple[int, int, int]

    @classmethod
    def around(
        cls, extent_nm: tuple[float, float, float], margin_nm: float, spacing_nm: float
    ) -> Lattice:
        """Cover the box from 0 to `extent_nm` (z, y, x) and a margin on every side."""
        z, y, x = (math.ceil((e + 2 * margin_nm) / spacing_nm) + 1 for e in extent_nm)
        return cls((-margin_nm,) * 3, spacing_nm, (z, y, x))

    def axes_nm(self, box: Box) -> tuple[Floats, Floats, Floats]:
        """Positions of the points of `box` as an open mesh (z, y, x)."""
        axes = [
            np.float32(o) + np.float32(self.spacing_nm) * np.arange(s.start, s.stop, dtype="f4")
            for o, s in zip(self.origin_nm, box, strict=True)
        ]
        return axes[0][:, None, None], axes[1][:, None], axes[2]

    def box(self, low_nm: NDArray[np.float64], high_nm: NDArray[np.float64]) -> Box:
        """Index box of the points between two corners, clipped; may be empty."""
        first = np.floor((low_nm - self.origin_nm) / self.spacing_nm).astype(int)
        last = np.ceil((high_nm - self.origin_nm) / self.spacing_nm).astype(int) + 1
        first = np.clip(first, 0, self.shape)
        last = np.maximum(np.clip(last, 0, self.shape), first)
        z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        return z, y, x

    def index(self, points_nm: NDArray[np.float64]) -> tuple[NDArray[np.intp], ...]:
        """Index of the point nearest to each of (n, 3) positions, clipped to the lattice."""
        nearest = np.rint((points_nm - self.origin_nm) / self.spacing_nm).astype(np.intp)
        return tuple(np.clip(nearest, 0, np.array(self.shape) - 1).T)


@dataclass(frozen=True, slots=True)
class Field:
    """Values on an index box of a lattice; (z, y, x), float32."""

    box: Box
    values: Floats


@dataclass(frozen=True, slots=True)
class Spline:
    """Cubic B-spline along one axis, at some positions.

    Plain sums over four neighbours; matrix products would start threads for such small work.

    Parameters
    ----------
    first : ndarray, (n,)
        Index of the first of the four lattice points at every position.
    weights : ndarray, (4, n)
        Their weights, float32.
    """

    first: NDArray[np.intp]
    weights: Floats

    @classmethod
    def at(cls, index: NDArray[np.float64]) -> Spline:
        """Spline at fractional lattice indices (n,)."""
        base = np.floor(index)
        t = index - base
        four = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
        return cls(base.astype(np.intp) - 1, (np.array(four) / 6).astype(np.float32))

    def part(self, window: slice, offset: int = 0) -> Spline:
        """Some of the positions, for values that begin at lattice index `offset`."""
        return Spline(self.first[window] - offset, self.weights[:, window])

    def wrapped(self, size: int) -> Spline:
        """The same positions in a period of `size` points, for values from `wrap_around`."""
        return Spline(self.first % size, self.weights)

    def apply(self, values: Floats) -> Floats:
        """Sample values (lattice, ...) along their first axis; (n, ...), float32."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        result: Floats = values[self.first] * self.weights[0].reshape(shape)
        for step in (1, 2, 3):
            result += values[self.first + step] * self.weights[step].reshape(shape)
        return result


def wrap_around(values: Floats) -> Floats:
    """Repeat the first three lattice points (first axis) behind the last."""
    return np.concatenate([values, values[:3]])


def sample_plane(values: Floats, height: Spline, rows: Spline, columns: Spline) -> Floats:
    """Sample values (z, y, x) at one height, on rows and columns; (rows, columns), float32."""
    plane = height.apply(values)[0]
    across = columns.apply(np.ascontiguousarray(plane.T))
    return rows.apply(np.ascontiguousarray(across.T))


class NoiseTile:
    """Band-limited noise of mean 0 and standard deviation about 1, periodic in space.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the lattice values.
    grain_nm : float
        Lattice spacing; about the size of the blobs.
    size : int
        Points per axis before the noise repeats.
    """

    def __init__(self, rng: np.random.Generator, grain_nm: float, size: int = 48) -> None:
        self.grain_nm, self.size = grain_nm, size
        values = rng.standard_normal((size, size, size), np.float32) / np.float32(SPLINE_SD)
        for axis in range(3):
            values = np.moveaxis(wrap_around(np.moveaxis(values, axis, 0)), 0, axis)
        self.values: Floats = np.ascontiguousarray(values)

    def spline(self, at_nm: NDArray[np.float64]) -> Spline:
        """Positions (n,) along any axis, wrapped into the tile."""
        return Spline.at(at_nm / self.grain_nm).wrapped(self.size)

    def on_lattice(self, lattice: Lattice, box: Box, offset_nm: NDArray[np.float64]) -> Floats:
        """Noise on the points of an index box, read `offset_nm` (z, y, x) away; float32."""
        values = self.values
        for axis, offset in zip(lattice.axes_nm(box), offset_nm, strict=True):
            sampled = self.spline(axis.ravel().astype(np.float64) + offset).apply(values)
            values = np.moveaxis(sampled, 0, -1)
        return values


class SectionGrid:
    """The pixels of one section, ready to sample fields of one lattice.

    Parameters
    ----------
    lattice : Lattice
        Where the fields live.
    z_nm : float
        Height of the section plane.
    y_nm, x_nm : ndarray, (rows,) and (columns,)
        Pixel centres, rising.
    """

    def __init__(
        self, lattice: Lattice, z_nm: float, y_nm: NDArray[np.float64], x_nm: NDArray[np.float64]
    ) -> None:
        self.z_nm, self.y_nm, self.x_nm = z_nm, y_nm, x_nm
        self._splines = [
            Spline.at((at - origin) / lattice.spacing_nm)
            for at, origin in zip((np.array([z_nm]), y_nm, x_nm), lattice.origin_nm, strict=True)
        ]
        self._in_tiles: dict[tuple[float, int], tuple[Spline, Spline]] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Number of pixels (rows, columns)."""
        return len(self.y_nm), len(self.x_nm)

    def sample(self, field: Field) -> tuple[Window, Floats]:
        """Sample a field where its box covers the whole spline.

        Returns
        -------
        window : tuple of slice
            Rows and columns of the section that were sampled; may be empty.
        values : ndarray, (rows, columns)
            The field there, float32.
        """
        level, rows, columns = (
            slice(*(int(i) for i in np.searchsorted(spline.first, (s.start, s.stop - 3))))
            for spline, s in zip(self._splines, field.box, strict=True)
        )
        if level.start >= level.stop or rows.start >= rows.stop or columns.start >= columns.stop:
            return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32)
        height, down, across = (
            spline.part(some, s.start)
            for spline, some, s in zip(
                self._splines, (level, rows, columns), field.box, strict=True
            )
        )
        return (rows, columns), sample_plane(field.values, height, down, across)

    def noise(self, tile: NoiseTile, window: Window = WHOLE, lift_nm: float = 0.0) -> Floats:
        """Noise on a window of the section, read `lift_nm` above it; (rows, columns), float32."""
        key = tile.grain_nm, tile.size
        if key not in self._in_tiles:
            self._in_tiles[key] = tile.spline(self.y_nm), tile.spline(self.x_nm)
        rows, columns = (s.part(w) for s, w in zip(self._in_tiles[key], window, strict=True))
        height = tile.spline(np.array([self.z_nm + lift_nm]))
        return sample_plane(tile.values, height, rows, columns)
