"""Checks of what networks are asked for; each error says what is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from chondria.errors import ModelError

__all__ = ["check_choice", "check_counts", "check_rates", "check_widths"]


def check_counts(**options: int) -> None:
    """Refuse what is no whole number of at least 1."""
    for option, found in options.items():
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise ModelError(f"Found {option} '{found}'; give a whole number of at least 1.")


def check_rates(dropout: Sequence[float], levels: int) -> None:
    """Refuse what is no list of a dropout rate for each level and the bottleneck."""
    check_counts(levels=levels)
    if not isinstance(dropout, list | tuple) or not all(
        isinstance(rate, int | float) for rate in dropout
    ):
        raise ModelError(f"Found the dropout '{dropout}'; give a list of {levels + 1} rates.")
    if len(dropout) != levels + 1:
        raise ModelError(
            f"Found {len(dropout)} dropout rates for {levels} levels; give {levels + 1}: one for "
            "each level and one for the bottleneck."
        )
    if not all(0 <= rate < 1 for rate in dropout):
        raise ModelError(f"Found the dropout rates {list(dropout)}; each must be in [0, 1).")


def check_widths(filters: Sequence[int]) -> None:
    """Refuse what is no list of the channels of two levels or more."""
    if not isinstance(filters, list | tuple) or len(filters) < 2:
        raise ModelError(
            f"Found the filters '{filters}'; give a list, the channels of each level, the finest "
            "first, such as [28, 36, 48, 64]."
        )
    for width in filters:
        check_counts(filters=width)


def check_choice(option: str, found: str, allowed: Sequence[str]) -> None:
    """Refuse a name that is not among those allowed."""
    if found not in allowed:
        raise ModelError(f"Found {option} '{found}'; allowed are {', '.join(allowed)}.")
