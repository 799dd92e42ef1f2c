"""Values of objects with the image, cell, animal and condition that each belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.place import LEVELS, Place, is_paired

__all__ = ["NestedSample", "nested_sample"]

_Table = tuple[NDArray[np.float64], Place]


@dataclass(frozen=True, eq=False, slots=True)
class NestedSample:
    """One measure of all objects, nested in images, cells, animals and conditions.

    Attributes
    ----------
    values : ndarray of float, (objects,)
        The measure, on the scale that it is compared on.
    units : ndarray of int, (3, objects)
        For each of `LEVELS` the number of the unit that an object belongs to, counted from 0 over
        the whole sample. An animal with two conditions is two units.
    condition_of_animal : ndarray of int, (animals,)
        Index into `conditions`.
    conditions, animals : tuple of str
        Names; the first condition is the one that others are compared with. An animal of a paired
        design has its name once for each condition.
    """

    values: NDArray[np.float64]
    units: NDArray[np.intp]
    condition_of_animal: NDArray[np.intp]
    conditions: tuple[str, ...]
    animals: tuple[str, ...]

    @property
    def paired(self) -> bool:
        """Whether the same animals have every condition."""
        return len(set(self.animals)) < len(self.animals)

    @property
    def pair(self) -> NDArray[np.intp]:
        """Number of each animal, the same in all of its conditions, (animals,)."""
        return _numbered([(name,) for name in self.animals])

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
        Animals without values are left out, and those of a paired design that have none in one of
        the conditions.

    Raises
    ------
    DesignError
        If some animals have several conditions and others not all of them.
    """
    kept = [(array, place) for array, place in zip(values, places, strict=True) if len(array)]
    if is_paired(places):
        kept = _complete(kept, len(conditions))
    paths = [((place.animal, place.condition), place.cell, place.image) for _, place in kept]
    animals = list(dict.fromkeys(path[0] for path in paths))
    codes = [_numbered([path[: depth + 1] for path in paths]) for depth in range(len(LEVELS))]
    lengths = [len(array) for array, _ in kept]
    joined = np.concatenate([array for array, _ in kept]) if kept else np.empty(0)
    return NestedSample(
        joined.astype(np.float64),
        np.array([np.repeat(code, lengths) for code in codes]).reshape(3, -1).astype(np.intp),
        np.array([list(conditions).index(condition) for _, condition in animals], np.intp),
        tuple(conditions),
        tuple(name for name, _ in animals),
    )


def _complete(kept: list[_Table], conditions: int) -> list[_Table]:
    """Drop the tables of animals that lack a condition."""
    there = {(place.animal, place.condition) for _, place in kept}
    count = Counter(animal for animal, _ in there)
    return [(array, place) for array, place in kept if count[place.animal] == conditions]


def _numbered(names: Sequence[tuple[object, ...]]) -> NDArray[np.intp]:
    """Number things in the order in which they first occur."""
    numbers: dict[tuple[object, ...], int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.intp)
