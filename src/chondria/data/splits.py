"""Validation blocks with a gap: neighbouring slices are near copies, so one side must own them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chondria.errors import SettingsError

__all__ = ["Split", "block_split"]


@dataclass(frozen=True, slots=True)
class Split:
    """Slices to learn from and slices to choose on; the gap between belongs to neither."""

    train: Sequence[int]
    validation: Sequence[int]


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
