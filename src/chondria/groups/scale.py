"""What a column measures, told by its name: a size of objects, compared as logarithms, or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError

__all__ = ["SCALES", "choose_scale", "is_measure", "is_shape", "is_size"]

SCALES = ("auto", "log", "linear")
UNITS = ("_um3", "_um2", "_um", "_nm")
# Where an object is and how it was found is no property to compare.
PLACES = ("id", "centroid_", "bbox_", "touches_", "azimuth_", "elevation_", "nearest_id", "voxels")
SHAPES = (
    *("sphericity", "circularity", "form_factor", "aspect_ratio", "elongation", "flatness"),
    "solidity",
)


def is_size(name: str) -> bool:
    """Tell whether a column holds lengths, areas or volumes of objects: it ends with a unit."""
    other = "_per_" in name or name.startswith("nearest_") or not is_measure(name)
    return name.endswith(UNITS) and not other


def is_shape(name: str) -> bool:
    """Tell whether a column holds a shape of objects that has no unit."""
    return name in SHAPES


def is_measure(name: str) -> bool:
    """Tell whether a column may be compared: no identifier, place, direction or pixel count."""
    return not name.startswith(PLACES) and not name.endswith("_px")


def choose_scale(name: str, values: Sequence[NDArray[np.float64]], scale: str = "auto") -> str:
    """Choose the scale that a measure is compared on.

    Sizes of mitochondria are skewed to the right, close to lognormal: their logarithms are
    compared, and differences become ratios of geometric means. All else is compared as it is.

    Parameters
    ----------
    name : str
        The column.
    values : sequence of ndarray
        What it holds, over all tables.
    scale : str
        One of `SCALES`; ``auto`` takes logarithms of sizes that are all above zero.

    Returns
    -------
    str
        ``log`` or ``linear``.

    Raises
    ------
    SettingsError
        If logarithms are asked for of values that are not above zero, or the scale is unknown.
    """
    if scale not in SCALES:
        raise SettingsError(f"Found the scale '{scale}'; allowed are {', '.join(SCALES)}.")
    smallest = min((float(array.min()) for array in values if len(array)), default=np.inf)
    if scale == "log" and smallest <= 0:
        raise SettingsError(
            f"Found {smallest:g} in '{name}'; logarithms need values above zero: compare it with "
            "--scale linear."
        )
    if scale != "auto":
        return scale
    return "log" if is_size(name) and smallest > 0 else "linear"
