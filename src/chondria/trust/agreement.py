"""How far several predictions of one volume find the same objects.

Eight flips and rotations of an image show the network the same tissue, and several seeds of a
training are as many opinions. Where they disagree on an object, it is to be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError
from chondria.trust.object_rows import object_rows
from chondria.volume import as_voxel_size, as_zyx

__all__ = ["vote_agreement"]

# Votes beyond an outline count for the nearest object up to here: a view may draw it larger, but
# what lies farther away is something else.
REACH_NM: Final = 100.0


def vote_agreement(
    labels: NDArray[Any],
    votes: NDArray[np.uint8],
    voters: int,
    ids: NDArray[Any],
    voxel_size_nm: Sequence[float] | None = None,
) -> NDArray[np.float64]:
    """Dice coefficient of two predictions drawn at random, for each object.

    With ``v`` of ``n`` masks that hold a voxel, the overlap of two of them is on average
    ``sum v (v - 1) / (n (n - 1))`` and their size ``sum v / n``, so that the Dice coefficient of
    the sums is ``sum v (v - 1) / ((n - 1) sum v)``, over the object's voxels and those of no object
    that it is the nearest to in the plane, up to 100 nm away.

    Parameters
    ----------
    labels : ndarray of int, (Z, Y, X)
        The objects; 0 is background.
    votes : ndarray of uint8, (Z, Y, X)
        How many of the predictions take each voxel for foreground.
    voters : int
        Number of predictions, at least 2.
    ids : ndarray of int, (objects,)
        Identifiers, ascending.
    voxel_size_nm : sequence of float, optional
        Edge lengths (z, y, x); without one only the objects' own voxels count.

    Returns
    -------
    ndarray of float64, (objects,)
        1 where all agree on every voxel, 0 where none that sees an object sees it with another.

    Raises
    ------
    ShapeError, SettingsError
        If the shapes differ, or there are fewer than two voters.
    """
    if labels.shape != votes.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and votes of shape {votes.shape}; both must be "
            "of one volume."
        )
    if voters < 2:
        raise SettingsError(f"Found {voters} predictions to compare; give at least 2.")
    rows_of = object_rows(ids)
    size = None if voxel_size_nm is None else as_voxel_size(voxel_size_nm)
    pairs, sums = np.zeros((2, ids.size))
    for plane, voted in zip(as_zyx(labels), as_zyx(votes), strict=True):
        owner = plane if size is None else _nearest(plane, voted, size[1:])
        cast = voted > 0
        row, n = rows_of(owner[cast]), voted[cast].astype(np.float64)
        n, row = n[row >= 0], row[row >= 0]
        pairs += np.bincount(row, weights=n * (n - 1), minlength=ids.size)
        sums += np.bincount(row, weights=n, minlength=ids.size)
    return pairs / np.maximum((voters - 1) * sums, 1)


def _nearest(
    plane: NDArray[Any], voted: NDArray[np.uint8], pixel_size_nm: tuple[float, float]
) -> NDArray[Any]:
    """Give what was voted for outside of all objects to the nearest one within reach."""
    outside = (plane == 0) & (voted > 0)
    if not outside.any() or not plane.any():
        return plane
    from scipy.ndimage import distance_transform_edt

    distance, (y, x) = distance_transform_edt(
        plane == 0, sampling=pixel_size_nm, return_indices=True
    )
    taken = outside & (distance <= REACH_NM)
    return np.where(taken, plane[y, x], plane)
