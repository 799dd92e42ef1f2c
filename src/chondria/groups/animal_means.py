"""Means of animals: objects within images, images within cells, cells within animals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.nested import NestedSample

__all__ = ["AnimalMeans", "animal_means", "parents", "unit_means"]


@dataclass(frozen=True, eq=False, slots=True)
class AnimalMeans:
    """One number for each animal: the independent observations of an experiment.

    Attributes
    ----------
    values : ndarray of float, (animals,)
        Mean of the cells' means of the images' means.
    condition : ndarray of int, (animals,)
        Index into `conditions`.
    conditions : tuple of str
        Names; the first is the one that others are compared with.
    pair : ndarray of int, (animals,), optional
        Number of the animal, which has every condition once; None where each has one condition.
    """

    values: NDArray[np.float64]
    condition: NDArray[np.intp]
    conditions: tuple[str, ...]
    pair: NDArray[np.intp] | None = None

    @property
    def animals(self) -> NDArray[np.intp]:
        """Number of animals of each condition, (conditions,)."""
        counts: NDArray[np.intp] = np.bincount(self.condition, minlength=len(self.conditions))
        return counts

    def of(self, condition: int) -> NDArray[np.float64]:
        """Return the animals of one condition, in the order of pairs where there are some."""
        here = np.flatnonzero(self.condition == condition)
        if self.pair is not None:
            here = here[np.argsort(self.pair[here])]
        chosen: NDArray[np.float64] = self.values[here]
        return chosen


def animal_means(sample: NestedSample) -> AnimalMeans:
    """Average objects, then images, then cells.

    Each cell counts alike within its animal, however many objects were found in it, and each image
    within its cell (Lord et al. 2020, J Cell Biol 219, e202001064).

    Parameters
    ----------
    sample : NestedSample
        Values of objects.

    Returns
    -------
    AnimalMeans
        One value for each animal.
    """
    of_cell, of_image = parents(sample.units[1], sample.units[0]), parents(*sample.units[:0:-1])
    images = unit_means(sample.values, sample.units[2])
    values = unit_means(unit_means(images, of_image), of_cell)
    pair = sample.pair if sample.paired else None
    return AnimalMeans(values, sample.condition_of_animal, sample.conditions, pair)


def unit_means(values: NDArray[np.float64], units: NDArray[np.intp]) -> NDArray[np.float64]:
    """Average values by the number of their unit, (units,); every number occurs."""
    means: NDArray[np.float64] = np.bincount(units, values) / np.bincount(units)
    return means


def parents(inner: NDArray[np.intp], outer: NDArray[np.intp]) -> NDArray[np.intp]:
    """Tell for each unit of a level which unit of the next higher one it is in, (units,)."""
    _, first = np.unique(inner, return_index=True)
    found: NDArray[np.intp] = outer[first]
    return found
