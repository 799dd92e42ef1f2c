"""At which rank of a worklist errors appear whose place is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chondria.review.boxes import grow_box
from chondria.review.planted import PlantedError
from chondria.review.suspicion import Suspicion
from chondria.review.worklist import Entry
from chondria.volume import VoxelSize

__all__ = ["points_to", "ranks_of"]

# A place so near to an error shows it: it lies in the middle of a crop.
NEAR_NM: Final = 100.0


def ranks_of(
    errors: Sequence[PlantedError],
    entries: Sequence[Entry],
    voxel_size_nm: VoxelSize,
    shape: tuple[int, int, int],
) -> list[int | None]:
    """Find the first entry of the right kind that points to each error.

    Parameters
    ----------
    errors : sequence of PlantedError
        Errors of one label map.
    entries : sequence of Entry
        Its worklist.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    shape : tuple of int
        Of the volume (z, y, x).

    Returns
    -------
    list of int or None
        Rank by error; None where the whole list has none.
    """
    return [
        next((e.rank for e in entries if points_to(e.suspicion, error, voxel_size_nm, shape)), None)
        for error in errors
    ]


def points_to(
    suspicion: Suspicion,
    error: PlantedError,
    voxel_size_nm: VoxelSize,
    shape: tuple[int, int, int],
) -> bool:
    """Tell whether a suspicion is that error: kind and objects, and its place within 100 nm."""
    if suspicion.kind != error.kind:
        return False
    if error.kind == "split":
        return set(suspicion.ids) == set(error.ids)
    if error.kind == "merge" and not set(suspicion.ids) <= set(error.ids):
        return False
    z, y, x = (round(NEAR_NM / edge) for edge in voxel_size_nm)
    box = grow_box(error.box, (max(1, z), y, x), shape)
    return all(
        side.start <= place < side.stop for side, place in zip(box, suspicion.place_px, strict=True)
    )
