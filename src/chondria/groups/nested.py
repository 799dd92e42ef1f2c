"""Values of objects with the image, cell, animal and condition that each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.errors import DesignError

__all__ = ["LEVELS", "NestedSample", "Place", "nested_sample"]

LEVELS = ("animal", "cell", "image")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects of one table come from.

    Attributes
    ----------
    condition, animal : str
        An animal has one condition.
    cell, image : str
        Names within the animal and within the cell; empty where the design does not tell them.
    """

    condition: str
    animal: str
    cell: str = ""
    image: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class NestedSample:
    """One measure of all objects, nested in images, cells, animals and conditions.

    Attributes
    ----------
    values : ndarray of float, (objects,)
        The measure, on the scale that it is compared on.
    units : ndarray of int, (3, objects)
        For each of `LEVELS` the number of the unit that an object belongs to, counted from 0 over
        the whole sample.
    condition_of_animal : ndarray of int, (animals,)
        Index into `conditions`.
    conditions, animals : tuple of str
        Names; the first condition is the one that others are compared with.
    """

    values: NDArray[np.float64]
    units: NDArray[np.intp]
    condition_of_animal: NDArray[np.intp]
    conditions: tuple[str, ...]
    animals: tuple[str, ...]

    @property
    def condition(self) -> NDArray[np.intp]:
        """Index of the condition of each object, (objects,)."""
        found: NDArray[np.intp] = self.condition_of_animal[self.units[0]]
        return found

    def count(self, level: str, condition: int) -> int:
        """Count the units of a level (one of `LEVELS`, or ``object``) that hold values."""
        chosen = self.condition == condition
        if level == "object":
            return int(np.count_nonzero(chosen))
        return len(np.unique(self.units[LEVELS.index(level)][chosen]))


def nested_sample(
    values: Sequence[NDArray[np.float64]], places: Sequence[Place], conditions: Sequence[str]
) -> NestedSample:
    """Join the values of several tables.

    Parameters
    ----------
    values : sequence of ndarray, (objects of the table,)
        One array for each table; may be empty.
    places : sequence of Place
        Of each table. Cells of one name in two animals are two cells.
    conditions : sequence of str
        In the order of comparison.

    Returns
    -------
    NestedSample
        Animals without values are left out.

    Raises
    ------
    DesignError
        If an animal occurs in two conditions.
    """
    kept = [(array, place) for array, place in zip(values, places, strict=True) if len(array)]
    condition_of = _conditions_of_animals([place for _, place in kept])
    paths = [(place.animal, place.cell, place.image) for _, place in kept]
    codes = [_numbered([path[: depth + 1] for path in paths]) for depth in range(len(LEVELS))]
    lengths = [len(array) for array, _ in kept]
    joined = np.concatenate([array for array, _ in kept]) if kept else np.empty(0)
    return NestedSample(
        joined.astype(np.float64),
        np.array([np.repeat(code, lengths) for code in codes]).reshape(3, -1).astype(np.intp),
        np.array([list(conditions).index(name) for name in condition_of.values()], np.intp),
        tuple(conditions),
        tuple(condition_of),
    )


def _conditions_of_animals(places: Sequence[Place]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in places:
        known = found.setdefault(place.animal, place.condition)
        if known != place.condition:
            raise DesignError(
                f"Found the animal '{place.animal}' in the conditions '{known}' and "
                f"'{place.condition}'; an animal has one condition here: if they are two animals, "
                "give them two names (comparisons within animals are not made)."
            )
    return found


def _numbered(names: Sequence[tuple[str, ...]]) -> NDArray[np.intp]:
    """Number things in the order in which they first occur."""
    numbers: dict[tuple[str, ...], int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.intp)
