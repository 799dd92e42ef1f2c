"""Validation blocks with a gap: neighbouring slices are near copies, so one side must own them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chondria.errors import SettingsError

__all__ = ["Part", "Split", "block_split", "split_volume", "window_starts"]

AXES = ("z", "y", "x")


@dataclass(frozen=True, slots=True)
class Split:
    """Slices to learn from and slices to choose on; the gap between belongs to neither."""

    train: Sequence[int]
    validation: Sequence[int]


@dataclass(frozen=True, slots=True)
class Part:
    """A box (Z, Y, X) of a volume that is read, and which of its slices serve for what."""

    box: tuple[slice, slice, slice]
    split: Split


def split_volume(
    shape: tuple[int, int, int],
    axis: str,
    validation_slices: int,
    gap_slices: int,
    every: int = 1,
) -> list[Part]:
    """Divide a volume into what is learned from and what is chosen on.

    Parameters
    ----------
    shape : tuple of int
        Of the volume, (Z, Y, X).
    axis : {"z", "y", "x"}
        Along `z` the two share a part. Along `y` or `x` each is a part of its own: all z slices,
        cut in the plane, so that a thin volume has validation objects that it does not learn from.
    validation_slices, gap_slices : int
        Slices along the axis, see `block_split`.
    every : int
        Validate on every n-th z slice only.

    Returns
    -------
    list of Part
        One or two, the one to learn from first.

    Raises
    ------
    SettingsError
        As `block_split`.
    """
    every_z = range(shape[0])
    if axis == "z" or not validation_slices:
        split = block_split(shape[0], validation_slices, gap_slices, every)
        return [Part(_box(shape, 0, every_z), split)]
    index = AXES.index(axis)
    block = block_split(shape[index], validation_slices, gap_slices)
    return [
        Part(_box(shape, index, block.train), Split(every_z, range(0))),
        Part(_box(shape, index, block.validation), Split(range(0), every_z[::every])),
    ]


def _box(shape: tuple[int, int, int], axis: int, side: Sequence[int]) -> tuple[slice, slice, slice]:
    whole = [slice(0, n) for n in shape]
    whole[axis] = slice(side[0], side[-1] + 1)
    z, y, x = whole
    return z, y, x


def block_split(n_slices: int, validation_slices: int, gap_slices: int, every: int = 1) -> Split:
    """Keep the last block of slices for validation, behind a gap.

    Parameters
    ----------
    n_slices : int
        Slices of the volume.
    validation_slices : int
        Slices of the block; 0 learns from all of them.
    gap_slices : int
        Slices between the two that neither sees.
    every : int
        Validate on every n-th slice of the block only; where slices are near copies, one says it.

    Returns
    -------
    Split
        Disjoint ranges of z.

    Raises
    ------
    SettingsError
        If a number is negative, `every` is below one, or nothing is left to learn from.
    """
    if min(validation_slices, gap_slices) < 0:
        raise SettingsError(
            f"Found {validation_slices} validation slices and a gap of {gap_slices}; neither may "
            "be negative."
        )
    if every < 1:
        raise SettingsError(f"Found validation on every {every}th slice; give at least 1.")
    gap = gap_slices if validation_slices else 0
    n_train = n_slices - validation_slices - gap
    if n_train < 1:
        raise SettingsError(
            f"Found {n_slices} slices for {validation_slices} of validation and a gap of "
            f"{gap_slices}; at least one must be left to learn from: ask for fewer."
        )
    return Split(range(n_train), range(n_slices - validation_slices, n_slices, every))


def window_starts(slices: Sequence[int], depth: int, name: str) -> list[int]:
    """Find for each slice the first slice of the window that is cut around it.

    Parameters
    ----------
    slices : sequence of int
        Slices that may be used, in order.
    depth : int
        Slices of a window, all of them neighbours and among those that may be used.
    name : str
        What to call the volume in an error.

    Returns
    -------
    list of int
        One for each slice, but for those in runs that are shorter than a window. A slice stands in
        the middle of its window, unless that would leave the run.

    Raises
    ------
    SettingsError
        If no window fits between the slices.
    """
    starts: list[int] = []
    longest = 0
    for run in _runs(slices):
        longest = max(longest, len(run))
        if len(run) >= depth:
            last = run[-1] - depth + 1
            starts += [min(max(z - depth // 2, run[0]), last) for z in run]
    if slices and not starts:
        found = "a single slice" if longest == 1 else f"at most {longest} neighbouring slices"
        raise SettingsError(
            f"Found {found} to learn from in '{name}' for patches of {depth} slices; set "
            f"patch_slices to at most {longest}, with a 2-D network if that is 1, or keep fewer "
            "slices for validation."
        )
    return starts


def _runs(slices: Sequence[int]) -> list[list[int]]:
    """Group slices into runs of neighbours."""
    runs: list[list[int]] = []
    for z in slices:
        if runs and z == runs[-1][-1] + 1:
            runs[-1].append(z)
        else:
            runs.append([z])
    return runs
