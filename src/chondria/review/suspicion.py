"""A suspicion: where something may be wrong, what it may be, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["KINDS", "Kind", "Suspicion"]

Kind = Literal["uncertain", "merge", "split", "miss", "slice"]
KINDS: Final[tuple[Kind, ...]] = ("uncertain", "merge", "split", "miss", "slice")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """An object or a place that is worth a look.

    Attributes
    ----------
    kind : {"uncertain", "merge", "split", "miss", "slice"}
        What may be wrong: no mitochondrion, two as one, one as two, one that was not found, a
        slice unlike its neighbours.
    ids : tuple of int
        Objects concerned; none of a miss or a slice.
    place_px : tuple of int
        The voxel to look at (z, y, x).
    evidence : mapping of str to float
        Measures of this kind, each 0 where nothing speaks for the suspicion.
    reason : str
        One sentence.
    """

    kind: Kind
    ids: tuple[int, ...]
    place_px: tuple[int, int, int]
    evidence: Mapping[str, float]
    reason: str
