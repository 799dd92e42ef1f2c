"""Grey values of an object and of the shell around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

__all__ = ["around", "grey_values", "shell_of"]

Box = tuple[slice, ...]


def grey_values(values: NDArray[Any], prefix: str) -> dict[str, float]:
    """Mean and standard deviation, under names with a prefix; NaN of nothing.

    Parameters
    ----------
    values : ndarray, (voxels,)
        Grey values.
    prefix : str
        In front of ``_mean`` and ``_sd``.

    Returns
    -------
    dict of str to float
        The deviation is that of the voxels themselves (divided by their number).
    """
    if values.size == 0:
        return {f"{prefix}_mean": np.nan, f"{prefix}_sd": np.nan}
    exact = values.astype(np.float64)
    return {f"{prefix}_mean": float(exact.mean()), f"{prefix}_sd": float(exact.std())}


def around(
    box: Box, width_nm: float, edges_nm: Sequence[float], shape: Sequence[int]
) -> tuple[Box, Box]:
    """Widen a box on all sides, as far as the volume goes.

    Parameters
    ----------
    box : tuple of slice
        Where the object is.
    width_nm : float
        By how much.
    edges_nm : sequence of float
        Edge lengths of a voxel.
    shape : sequence of int
        Shape of the volume.

    Returns
    -------
    tuple
        The wider box, and where the old one lies in it.
    """
    reach = [int(width_nm / edge) for edge in edges_nm]
    wide = tuple(
        slice(max(part.start - n, 0), min(part.stop + n, size))
        for part, n, size in zip(box, reach, shape, strict=True)
    )
    inner = tuple(
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(box, wide, strict=True)
    )
    return wide, inner


def shell_of(
    mask: NDArray[np.bool_],
    background: NDArray[np.bool_],
    width_nm: float,
    edges_nm: Sequence[float],
) -> NDArray[np.bool_]:
    """Find the background that is near an object.

    Parameters
    ----------
    mask : ndarray of bool, (Z, Y, X) or (Y, X)
        The object, with its surroundings.
    background : ndarray of bool, of the same shape
        What belongs to no object.
    width_nm : float
        Thickness of the shell.
    edges_nm : sequence of float
        Edge lengths of a voxel along the array's axes.

    Returns
    -------
    ndarray of bool, of the same shape
        Background voxels whose centre is no farther from that of a voxel of the object.
    """
    distance = distance_transform_edt(~mask, sampling=edges_nm)
    return np.asarray((distance <= width_nm) & background)
