"""What a validation has seen, and in what a new volume differs from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ShapeError
from chondria.volume import VoxelSize

__all__ = ["Scope", "describe_scope", "same_thickness", "warnings_of"]

AXES: Final = ("z", "y", "x")
# Factors beyond which figures of one volume are no guide to another.
LARGEST_SIZE_RATIO: Final = 1.25
LARGEST_EXTENT_RATIO: Final = 2.0
LARGEST_DOUBT_RATIO: Final = 2.0
LARGEST_CONTRAST_RATIO: Final = 1.5
SMALLEST_DOUBT: Final = 1 / 510


@dataclass(frozen=True, slots=True)
class Scope:
    """What is simple to compare of two volumes.

    Attributes
    ----------
    name : str
        For people.
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x).
    extent_nm : float or None
        Thickness of all slices together.
    doubt : float
        1 minus the mean probability of what was found; 0 where nothing was.
    contrast : float
        Mean grey value outside minus inside of what was found, in standard deviations of the
        image; 0 where nothing was found.
    """

    name: str
    voxel_size_nm: VoxelSize | None
    extent_nm: float | None
    doubt: float
    contrast: float


def describe_scope(
    name: str,
    image: NDArray[Any],
    labels: NDArray[Any],
    probability: NDArray[np.uint8],
    voxel_size_nm: VoxelSize | None,
) -> Scope:
    """Describe a volume by what was found in it.

    Parameters
    ----------
    name : str
        For people.
    image, labels, probability : ndarray, (Z, Y, X)
        Grey values; what was found, 0 is background; 255 is certainty.
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x).

    Returns
    -------
    Scope
        The description.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if not image.shape == labels.shape == probability.shape:
        raise ShapeError(
            f"Found an image of shape {image.shape}, labels of {labels.shape} and probabilities of "
            f"{probability.shape}; all must be of one volume."
        )
    # Voxels, sums of grey values and of their squares, outside and inside; probability inside.
    sums = np.zeros((2, 3))
    sure = 0.0
    for grey, plane, levels in zip(image, labels, probability, strict=True):
        inside = plane != 0
        for side, selected in enumerate((grey[~inside], grey[inside])):
            values = selected.astype(np.float64)
            sums[side] += (values.size, values.sum(), values @ values)
        sure += levels[inside].sum(dtype=np.float64) / 255
    extent_nm = voxel_size_nm and len(image) * voxel_size_nm[0]
    if not sums[:, 0].all():
        return Scope(name, voxel_size_nm, extent_nm, 0.0, 0.0)
    n, total, squares = sums.sum(0)
    deviation = max(squares / n - (total / n) ** 2, 0.0) ** 0.5
    outside, inside_mean = sums[:, 1] / sums[:, 0]
    contrast = float((outside - inside_mean) / deviation) if deviation else 0.0
    return Scope(name, voxel_size_nm, extent_nm, float(1 - sure / sums[1, 0]), contrast)


def warnings_of(new: Scope, validated: Sequence[Scope]) -> list[str]:
    """Say in what a volume differs from every one that was validated.

    Parameters
    ----------
    new : Scope
        The volume in question.
    validated : sequence of Scope
        What the corrections were learned from.

    Returns
    -------
    list of str
        Sentences that compare with the nearest validated volume; none where it is alike.
    """
    if not validated:
        return ["Nothing was validated: no correction can be stated."]
    warnings = min((_differences(new, scope) for scope in validated), key=len)
    return warnings


def same_thickness(new: Scope, validated: Sequence[Scope]) -> bool:
    """Tell whether a validated volume is as thick, within a factor of 2.

    Centre lines of what a thin block cuts out of a mitochondrion run in its plane: what errors do
    to them says nothing of whole ones.
    """
    known = [(new.extent_nm, old.extent_nm) for old in validated]
    return any(a and b and _ratio(a, b) <= LARGEST_EXTENT_RATIO for a, b in known)


def _differences(new: Scope, old: Scope) -> list[str]:
    found = []
    if new.voxel_size_nm is None or old.voxel_size_nm is None:
        found.append(f"The voxel size of '{new.name}' or of '{old.name}' is not known.")
    else:
        for axis, a, b in zip(AXES, new.voxel_size_nm, old.voxel_size_nm, strict=True):
            if _ratio(a, b) > LARGEST_SIZE_RATIO:
                found.append(
                    f"Voxels of '{new.name}' measure {a:g} nm along {axis}; validated was {b:g} nm "
                    f"('{old.name}')."
                )
    thick, seen = new.extent_nm, old.extent_nm
    if thick and seen and not same_thickness(new, [old]):
        found.append(
            f"The slices of '{new.name}' are {thick:g} nm thick together, those of "
            f"'{old.name}' {seen:g} nm: faces cut off more or fewer objects, so that of "
            "counts the number density carries over best; lengths and mean areas are not corrected."
        )
    if _ratio(new.doubt, old.doubt) > LARGEST_DOUBT_RATIO and new.doubt > old.doubt:
        found.append(
            f"The network doubts what it found in '{new.name}' more than in '{old.name}': "
            f"{new.doubt:.3f} on average, there {old.doubt:.3f}."
        )
    contrasts = (new.contrast, old.contrast)
    if min(contrasts) <= 0 < max(contrasts) or _ratio(*contrasts) > LARGEST_CONTRAST_RATIO:
        found.append(
            f"What was found in '{new.name}' is {new.contrast:.2f} standard deviations darker than "
            f"the rest; in '{old.name}' it was {old.contrast:.2f}."
        )
    return found


def _ratio(a: float, b: float) -> float:
    """How many times the larger is the smaller."""
    low, high = sorted((max(a, SMALLEST_DOUBT), max(b, SMALLEST_DOUBT)))
    return high / low
