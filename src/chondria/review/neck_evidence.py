"""What a neck says: whether two lobes were joined there, or one mitochondrion is thin there."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.review.necks import Neck
from chondria.volume import VoxelSize

__all__ = ["flankness", "probability_drop"]

# The best way across a neck; single voxels do not count.
WAY_PERCENTILE: Final = 90
CORE_PERCENTILE: Final = 75
# What of a lobe lies so near to the neck (in its widths) says in which direction it runs there.
NEAR_WIDTHS: Final = 2.0


def probability_drop(neck: Neck, lobes: NDArray[np.int32], probability: NDArray[np.uint8]) -> float:
    """Tell how far the network's belief falls on the best way from lobe to lobe.

    Parameters
    ----------
    neck : Neck
        Of these lobes.
    lobes : ndarray of int32, (Z, Y, X)
        See `chondria.review.necks.find_lobes`.
    probability : ndarray of uint8, (Z, Y, X)
        255 is certainty.

    Returns
    -------
    float
        The log odds of the upper quartile of the less certain lobe less those of the 90th
        percentile at the neck, by 4; 0 to 2. A mitochondrion that is thin is as certain in the
        middle of its thin part as elsewhere.
    """
    cores = [np.percentile(probability[lobes == number], CORE_PERCENTILE) for number in neck.lobes]
    way = np.percentile(probability[tuple(neck.at.T)], WAY_PERCENTILE)
    return max(0.0, _log_odds(float(min(cores))) - _log_odds(float(way))) / 4


def _log_odds(value: float) -> float:
    """Of 8 bits, where 255 is certainty; within -4 and 4."""
    p = min(max(value / 255, 0.018), 0.982)
    return math.log(p / (1 - p))


def flankness(neck: Neck, lobes: NDArray[np.int32], voxel_size_nm: VoxelSize) -> float:
    """Tell how far the lobes meet with their flanks rather than with their ends.

    Parameters
    ----------
    neck : Neck
        Of these lobes.
    lobes : ndarray of int32, (Z, Y, X)
        See `chondria.review.necks.find_lobes`.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.

    Returns
    -------
    float
        Mean of both lobes: the part of the way from the middle to the neck that runs across the
        long axis, times the elongation (1 less minor by major axis), all of what lies near the
        neck. 0 for balls and for ends, near 1 for rods side by side.
    """
    size = np.array(voxel_size_nm)
    at = neck.at.mean(axis=0) * size
    reach = NEAR_WIDTHS * neck.lobe_width_nm
    return float(np.mean([_flank(lobes == number, at, size, reach) for number in neck.lobes]))


def _flank(lobe: NDArray[np.bool_], at: NDArray[Any], size: NDArray[Any], reach: float) -> float:
    places = np.argwhere(lobe) * size
    places = places[((places - at) ** 2).sum(axis=1) <= reach**2]
    if len(places) < 3:
        return 0.0
    middle = places.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov((places - middle).T))
    way = at - middle
    length = float(np.linalg.norm(way))
    if spread[-1] <= 0 or not length:
        return 0.0
    across = np.sqrt(max(0.0, 1 - float(way @ axes[:, -1] / length) ** 2))
    return float(across * (1 - np.sqrt(max(0.0, spread[-2]) / spread[-1])))
