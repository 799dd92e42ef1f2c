"""How supervoxels are made, described, learned and smoothed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from chondria.errors import ModelError

__all__ = ["SUPERVOXELS", "SupervoxelOptions"]

# What `network.name` says in a recipe.
SUPERVOXELS = "supervoxels"


@dataclass(frozen=True, slots=True)
class SupervoxelOptions:
    """What a recipe's ``network.options`` may hold.

    Attributes
    ----------
    region_nm : float
        Edge length of a supervoxel.
    compactness : float
        Weight of the place against the grey level, above 0: small ones follow every edge.
    scales_nm : tuple of float
        Deviations of the filters' Gaussians.
    hops : int
        How far the surroundings reach that a region is described by: neighbours of neighbours...
    trees : int
        Of the forest.
    share : float
        Of the training regions that are learned from, above 0 and at most 1; drawn by the seed.
    smoothing : float
        What neighbours can add to the log odds of a region
        (`chondria.supervoxels.smoothing.smooth_probabilities`); 0 for none.
    """

    region_nm: float = 40.0
    compactness: float = 0.1
    scales_nm: tuple[float, ...] = (10.0, 20.0, 40.0, 80.0)
    hops: int = 3
    trees: int = 600
    share: float = 0.5
    smoothing: float = 16.0

    def __post_init__(self) -> None:
        for name in ("region_nm", "compactness"):
            _check(name, getattr(self, name), "a number above 0", lambda v: 0 < v < math.inf)
        _check("smoothing", self.smoothing, "a number of at least 0", lambda v: 0 <= v < math.inf)
        _check("share", self.share, "a number above 0 and at most 1", lambda v: 0 < v <= 1)
        if not isinstance(self.scales_nm, tuple) or not self.scales_nm:
            raise _refused("scales_nm", self.scales_nm, "a list of lengths in nm")
        for scale in self.scales_nm:
            _check("scales_nm", scale, "lengths in nm above 0", lambda v: 0 < v < math.inf)
        for name, least in (("hops", 0), ("trees", 1)):
            found = getattr(self, name)
            if type(found) is not int or found < least:
                raise _refused(name, found, f"a whole number of at least {least}")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SupervoxelOptions:
        """Take the options of a recipe.

        Raises
        ------
        ModelError
            If one is unknown or out of bounds.
        """
        allowed = [field.name for field in fields(cls)]
        for name in options:
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, n=1)
                hint = f" (did you mean '{near[0]}'?)" if near else ""
                raise ModelError(
                    f"The network '{SUPERVOXELS}' has no option '{name}'{hint}; there are: "
                    f"{', '.join(allowed)}."
                )
        scales = options.get("scales_nm", cls().scales_nm)
        return cls(**dict(options) | {"scales_nm": tuple(scales) if _is_list(scales) else scales})


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _check(name: str, found: Any, allowed: str, fits: Any) -> None:
    if isinstance(found, bool) or not isinstance(found, int | float) or not fits(found):
        raise _refused(name, found, allowed)


def _refused(name: str, found: object, allowed: str) -> ModelError:
    return ModelError(f"Found {name} '{found}' for '{SUPERVOXELS}'; give {allowed}.")
