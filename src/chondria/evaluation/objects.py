"""What is compared: masks, label maps and the objects in them."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError, ShapeError
from chondria.volume import as_zyx

__all__ = ["as_label_map", "as_mask", "connected_objects", "connected_profiles", "same_grid"]

# Full connectivity: voxels that share a face, an edge or a corner.
FULL_3D: Final = 26
FULL_2D: Final = 8


def as_mask(array: NDArray[Any], where: str = "the mask") -> NDArray[np.bool_]:
    """Read an array as a binary mask: zero is background, the other value is foreground.

    Parameters
    ----------
    array : ndarray, any shape
        Values of any numeric type: all zero, all 1, all 255, or exactly two values of which one is
        zero and the other positive.
    where : str
        What to call the array in an error message, usually its path.

    Returns
    -------
    ndarray of bool, same shape
        True in the foreground.

    Raises
    ------
    PixelValueError
        If the array holds other values: then it is a label map, a probability map or an image.
    """
    if array.dtype == np.bool_:
        return array
    largest = array.max()
    mask: NDArray[np.bool_] = array == largest
    foreground = np.count_nonzero(mask) if largest > 0 else 0
    background = np.count_nonzero(array == 0)
    if foreground + background == array.size and (background or largest in (1, 255)):
        return mask if foreground else ~mask
    raise PixelValueError(
        f"Found the values {_some_values(array)} in {where}; a mask holds 0 for background and one "
        "other value, usually 1 or 255: threshold it first, or say that it holds instances."
    )


def as_label_map(array: NDArray[Any], where: str = "the label map") -> NDArray[Any]:
    """Read an array as a label map: zero is background, each other number is one object.

    Parameters
    ----------
    array : ndarray, any shape
        Booleans, non-negative integers, or floating-point numbers that are all whole.
    where : str
        What to call the array in an error message, usually its path.

    Returns
    -------
    ndarray of an integer type, same shape
        The same numbers; integers are not copied.

    Raises
    ------
    PixelValueError
        If a value is negative, fractional, infinite or NaN.
    """
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    # Not "min < 0": a NaN makes every comparison false.
    sound = bool(array.min() >= 0) and bool(np.isfinite(array.max()))
    if sound and np.issubdtype(array.dtype, np.integer):
        return array
    if sound and bool(np.all(array == np.floor(array))):
        return array.astype(np.int64)
    raise PixelValueError(
        f"Found the values {_some_values(array)} in {where}; a label map holds whole numbers, 0 "
        "for background and 1, 2, 3 ... for objects: threshold and label it first."
    )


def same_grid(prediction: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Check that two arrays lie on one grid.

    Parameters
    ----------
    prediction, truth : ndarray, (Y, X) or (Z, Y, X)
        The arrays that are to be compared.

    Returns
    -------
    tuple of ndarray, (Z, Y, X)
        Views of the two; a 2-D image has one slice.

    Raises
    ------
    ShapeError
        If they differ in shape or are neither images nor volumes.
    """
    prediction, truth = as_zyx(prediction, "the prediction"), as_zyx(truth, "the truth")
    if prediction.shape != truth.shape:
        raise ShapeError(
            f"Found a prediction of shape {prediction.shape} and a truth of shape {truth.shape} "
            "(Z, Y, X); they must be equal: crop or resample one of them."
        )
    return prediction, truth


def connected_objects(labels: NDArray[Any]) -> NDArray[Any]:
    """Number the 3-D connected components of equal value (full connectivity, 26 neighbours).

    Parameters
    ----------
    labels : ndarray of bool or int, (Z, Y, X)
        A mask or label map, 0 in the background.

    Returns
    -------
    ndarray of uint16 or uint32, (Z, Y, X)
        1, 2, 3 ... in the objects, 0 in the background.
    """
    return _components(labels, FULL_3D)


def connected_profiles(labels: NDArray[Any]) -> NDArray[Any]:
    """Number the profiles of one slice: 2-D components of equal value, with 8 neighbours.

    Parameters
    ----------
    labels : ndarray of bool or int, (Y, X)
        One slice of a mask or label map, 0 in the background.

    Returns
    -------
    ndarray of uint16 or uint32, (Y, X)
        1, 2, 3 ... in the profiles, 0 in the background.
    """
    return _components(labels, FULL_2D)


def _components(labels: NDArray[Any], connectivity: Literal[8, 26]) -> NDArray[Any]:
    import cc3d

    # cc3d 4.1 takes too little room for dots in a boolean volume of one slice, and stops.
    values = labels.view(np.uint8) if labels.dtype == np.bool_ else labels
    values = np.require(values, requirements="W")  # it takes no read-only array
    components: NDArray[Any] = cc3d.connected_components(values, connectivity=connectivity)
    return components


def _some_values(array: NDArray[Any], most: int = 5) -> str:
    """Name the first few distinct values of an array."""
    values = np.unique(array)
    named = ", ".join(f"{value:g}" for value in values[:most])
    return named if values.size <= most else f"{named} ... {values[-1]:g} ({values.size} in all)"
