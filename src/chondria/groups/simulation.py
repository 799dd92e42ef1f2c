"""Made-up experiments with a known effect, to try a way of comparing on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chondria.groups.nested import NestedSample

__all__ = ["NestedDesign", "simulate"]


@dataclass(frozen=True, slots=True)
class NestedDesign:
    """How many of what there are, and how much they vary.

    Attributes
    ----------
    animals : tuple of int
        Of each condition.
    cells, objects : tuple of int
        Fewest and most cells of an animal, and objects of a cell; drawn evenly.
    variances : tuple of float
        Between animals, cells and objects.
    spreads : tuple of float
        Factor on the standard deviation between animals, for each condition.
    effect : float
        What each condition adds to the mean of the one before it.
    reactions : float, optional
        For a paired design, the variance that each condition adds to an animal's own level
        (times the square of its spread): animals do not react alike. None where an animal has one
        condition.
    """

    animals: tuple[int, ...] = (5, 5)
    cells: tuple[int, int] = (3, 3)
    objects: tuple[int, int] = (20, 20)
    variances: tuple[float, float, float] = (0.1, 0.1, 0.8)
    spreads: tuple[float, ...] = (1.0, 1.0)
    effect: float = 0.0
    reactions: float | None = None


def simulate(design: NestedDesign, rng: np.random.Generator) -> NestedSample:
    """Draw one experiment of normally distributed values; each cell has one image.

    Parameters
    ----------
    design : NestedDesign
        What to draw.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    NestedSample
        As if it were measured.
    """
    of_animal, of_cell, of_object = np.sqrt(design.variances)
    condition = np.repeat(np.arange(len(design.animals)), design.animals)
    cells = _between(design.cells, len(condition), rng)
    animal = np.repeat(np.arange(len(condition)), cells)
    objects = _between(design.objects, len(animal), rng)
    cell = np.repeat(np.arange(len(animal)), objects)
    spread = np.array(design.spreads)[condition]
    names = np.arange(len(condition))
    if design.reactions is None:
        level = rng.normal(0.0, of_animal * spread)
    else:
        names = np.concatenate([np.arange(n) for n in design.animals])
        level = rng.normal(0.0, of_animal, max(design.animals))[names]
        level = level + rng.normal(0.0, np.sqrt(design.reactions) * spread)
    centre = design.effect * condition + level
    centre = (centre[animal] + rng.normal(0.0, of_cell, len(animal)))[cell]
    return NestedSample(
        centre + rng.normal(0.0, of_object, len(cell)),
        np.array([animal[cell], cell, cell]),
        condition,
        tuple(f"condition {i + 1}" for i in range(len(design.animals))),
        tuple(f"animal {i + 1}" for i in names),
    )


def _between(bounds: tuple[int, int], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.integers(bounds[0], bounds[1] + 1, size)
