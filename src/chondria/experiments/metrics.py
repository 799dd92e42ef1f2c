"""Metrics by name: refused early where there is none, read from stored scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from chondria.errors import SettingsError
from chondria.evaluation.sheet import score
from chondria.experiments.scoring import LOSSES

__all__ = ["check_metrics", "metric_value"]


def check_metrics(names: Sequence[str]) -> None:
    """Refuse an unknown metric before hours of training.

    Raises
    ------
    SettingsError
        If one is unknown; lists those that there are.
    """
    nothing = np.zeros((1, 1, 1), bool)
    known = (*score(nothing, nothing).as_dict(), *LOSSES)
    for name in names:
        if name not in known:
            raise SettingsError(f"There is no metric '{name}'; there are: {', '.join(known)}.")


def metric_value(scores: Mapping[str, float | None], name: str) -> float:
    """Give a score; not a number where it has none, such as a distance to nothing."""
    value = scores[name]
    return math.nan if value is None else float(value)
