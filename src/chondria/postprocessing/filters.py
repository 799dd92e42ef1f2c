"""From probabilities to a mask, and median filters that make neighbouring slices agree.

A median of odd extent and a threshold may be exchanged: filtering the mask gives the same as
thresholding the filtered probabilities, and is far cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, SettingsError
from chondria.volume import as_zyx

__all__ = ["check_probability", "threshold", "z_extent_slices", "z_median", "zy_median"]

UINT8_SCALE = 255
# Forgives rounding of what is meant to be whole: 0.9 nm hold nine slices of 0.1 nm.
TOLERANCE = 1e-6


def threshold(probability: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Call foreground what is more probable than the threshold.

    Parameters
    ----------
    probability : ndarray of float (0 to 1) or uint8 (0 to 255), (Z, Y, X) or (Y, X)
        Probability of the foreground; 8-bit values are parts of 255.
    threshold : float
        Probability that must be exceeded, 0 to 1.

    Returns
    -------
    ndarray of bool, same shape
        The mask.

    Raises
    ------
    PixelValueError
        If the values are not probabilities: NaN, outside 0 to 1, or of another type.
    SettingsError
        If the threshold is not between 0 and 1.
    """
    if not 0 <= threshold <= 1:
        raise SettingsError(f"Found the threshold {threshold:g}; it must be between 0 and 1.")
    if probability.dtype == np.uint8:
        # An integer exceeds a bound if it exceeds the bound rounded down: no floating-point copy.
        exceeds: NDArray[np.bool_] = probability > math.floor(threshold * UINT8_SCALE + TOLERANCE)
        return exceeds
    check_probability(probability)
    above: NDArray[np.bool_] = probability > threshold
    return above


def check_probability(probability: NDArray[Any]) -> None:
    """Refuse what is no probability map.

    Parameters
    ----------
    probability : ndarray
        Floats from 0 to 1, or uint8, where 255 is certainty.

    Raises
    ------
    PixelValueError
        If the values are not probabilities: NaN, outside 0 to 1, or of another type.
    """
    if probability.dtype == np.uint8:
        return
    if not np.issubdtype(probability.dtype, np.floating):
        raise PixelValueError(
            f"Found probabilities of type {probability.dtype}; allowed are floating-point numbers "
            "from 0 to 1, or 8-bit integers from 0 to 255: convert the map to one of them."
        )
    smallest, largest = float(probability.min()), float(probability.max())
    # Not "smallest < 0": a NaN makes every comparison false.
    if not (smallest >= 0 and largest <= 1):
        raise PixelValueError(
            f"Found probabilities from {smallest:g} to {largest:g}; they must lie between 0 and 1: "
            "apply the sigmoid to logits, or divide 8-bit values by 255."
        )


def z_extent_slices(extent_nm: float, voxel_size_z_nm: float) -> int:
    """Translate the physical extent of a filter along z into slices.

    Parameters
    ----------
    extent_nm : float
        Extent in nanometres; Casser's nine slices of 5 nm are 45.
    voxel_size_z_nm : float
        Thickness of a slice in nanometres.

    Returns
    -------
    int
        The largest odd number of slices within the extent, at least 1: one slice, which filters
        nothing, where slices are about as thick as the extent or thicker.

    Raises
    ------
    SettingsError
        If either is not above zero.
    """
    if not (extent_nm > 0 and voxel_size_z_nm > 0):
        raise SettingsError(
            f"Found a filter of {extent_nm:g} nm over slices of {voxel_size_z_nm:g} nm; both "
            "lengths must be above zero."
        )
    slices = math.floor(extent_nm / voxel_size_z_nm + TOLERANCE)
    return max(1, slices if slices % 2 else slices - 1)


def z_median(array: NDArray[Any], extent: int) -> NDArray[Any]:
    """Take the median along z: the filter of Casser et al. 2018 (arXiv:1812.06024), nine slices.

    Beyond the first and last slice the volume is mirrored with the edge slice repeated
    (c b a | a b c), as `scipy.ndimage.median_filter` does by default.

    Parameters
    ----------
    array : ndarray of bool, uint8 or float, (Z, Y, X)
        A mask or a probability map.
    extent : int
        Number of slices, odd; 1 filters nothing. See `z_extent_slices`.

    Returns
    -------
    ndarray, same shape and type
        The filtered copy.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        If it is no volume, a label map, or the extent is not odd.
    """
    array, half = as_zyx(array), _half(extent)
    order = _mirrored(len(array), half)
    foreground = _binary_value(array)
    if foreground is None:
        return _median(array[order], (extent, 1, 1))[half : half + len(array)]
    filtered = np.empty_like(array)
    for z, count in enumerate(_running_counts(array, order, extent)):
        filtered[z] = (count > half) * foreground
    return filtered


def zy_median(array: NDArray[Any], extent: int = 5) -> NDArray[Any]:
    """Take the median of each (z, y) plane: the later variant of the thesis's author, 5 x 5.

    It is the "zy" filter of BiaPy (`calculate_zy_filtering`); beyond the edges the edge value is
    repeated, as OpenCV's `medianBlur` does there.

    Parameters
    ----------
    array : ndarray of bool, uint8 or float, (Z, Y, X)
        A mask or a probability map.
    extent : int
        Number of slices and of rows, odd.

    Returns
    -------
    ndarray, same shape and type
        The filtered copy.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        If it is no volume, a label map, or the extent is not odd.
    """
    array, half = as_zyx(array), _half(extent)
    height = array.shape[1]
    order, rows = _repeated(len(array), half), _repeated(height, half)
    foreground = _binary_value(array)
    if foreground is None:
        medians = _median(array[order][:, rows], (extent, extent, 1))
        return medians[half : half + len(array), half : half + height]
    filtered = np.empty_like(array)
    for z, count in enumerate(_running_counts(array, order, extent)):
        padded = count[rows]
        in_window = sum(padded[shift : shift + height] for shift in range(extent))
        filtered[z] = (in_window > extent * extent // 2) * foreground
    return filtered


def _half(extent: int) -> int:
    """Check the extent of a median filter; give the number of neighbours to either side."""
    if extent < 1 or extent % 2 == 0:
        raise SettingsError(
            f"Found a median filter of extent {extent}; it must be an odd number, 1 or more."
        )
    return extent // 2


def _binary_value(array: NDArray[Any]) -> Any | None:
    """Give the foreground value of a mask; None for a probability map."""
    largest = array.max()
    if not np.any((array != 0) & (array != largest)):
        return largest
    if array.dtype == np.uint8 or np.issubdtype(array.dtype, np.floating):
        return None
    raise PixelValueError(
        f"Found more than two values of type {array.dtype}; a median is taken of masks and of "
        "probabilities, not of label maps: filter the mask, then label it."
    )


def _median(array: NDArray[Any], size: tuple[int, int, int]) -> NDArray[Any]:
    """Take the median of a padded probability map (Z, Y, X).

    The map is padded before, because SciPy's own mirroring is wrong where the filter is longer than
    the array. SciPy knows no half precision.
    """
    from scipy.ndimage import median_filter

    source = array.astype(np.float32) if array.dtype == np.float16 else array
    filtered: NDArray[Any] = median_filter(source, size=size)
    return filtered.astype(array.dtype, copy=False)


def _mirrored(size: int, half: int) -> NDArray[np.intp]:
    """Indices from -half to size + half, mirrored with the edge repeated."""
    folded = np.arange(-half, size + half) % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def _repeated(size: int, half: int) -> NDArray[np.intp]:
    """Indices from -half to size + half, the edge ones repeated."""
    return np.clip(np.arange(-half, size + half), 0, size - 1)


def _running_counts(
    mask: NDArray[Any], order: NDArray[np.intp], extent: int
) -> Iterator[NDArray[np.int32]]:
    """Yield for each slice the number of foreground slices around it, (Y, X), pixel by pixel."""
    count = np.zeros(mask.shape[1:], np.int32)
    for entering in order[: extent - 1]:
        count += mask[entering] != 0
    for leaving, entering in zip(order, order[extent - 1 :], strict=False):
        count += mask[entering] != 0
        yield count
        count -= mask[leaving] != 0
