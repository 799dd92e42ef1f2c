"""Where objects come from, and whether a design is paired: every animal seen in every condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chondria.errors import DesignError

__all__ = ["LEVELS", "Place", "is_paired"]

LEVELS = ("animal", "cell", "image")
NAMED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects of one table come from.

    Attributes
    ----------
    condition, animal : str
        An animal has one condition, or, in a paired design, every one.
    cell, image : str
        Names within the animal and within the cell; empty where the design does not tell them.
    """

    condition: str
    animal: str
    cell: str = ""
    image: str = ""


def is_paired(places: Sequence[Place]) -> bool:
    """Tell whether each animal has every condition, or each has one.

    Parameters
    ----------
    places : sequence of Place
        Of each table of the design, with values or without.

    Returns
    -------
    bool
        Whether differences within animals are to be compared.

    Raises
    ------
    DesignError
        If some animals have several conditions and others not all of them: to take pairs and
        single animals together would need assumptions that few animals cannot check.
    """
    conditions = dict.fromkeys(place.condition for place in places)
    of_animal: dict[str, dict[str, None]] = {}
    for place in places:
        of_animal.setdefault(place.animal, {})[place.condition] = None
    if all(len(own) == 1 for own in of_animal.values()):
        return False
    lacking = [name for name, own in of_animal.items() if len(own) < len(conditions)]
    if not lacking:
        return True
    first = next(name for name, own in of_animal.items() if len(own) > 1)
    raise DesignError(
        f"Found the animal '{first}' in the conditions {_listed(list(of_animal[first]))}, but "
        f"{_listed(lacking)} not in all; a comparison within animals needs each animal in each of "
        f"{_listed(list(conditions))}: leave out the rows of incomplete animals, or, if those of "
        "one name are different animals, give each its own name."
    )


def _listed(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names[:NAMED]]
    if len(names) > NAMED:
        return f"{', '.join(quoted)} and {len(names) - NAMED} more"
    *first, last = quoted
    return f"{', '.join(first)} and {last}" if first else last
