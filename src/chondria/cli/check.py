"""`chondria check`."""

from __future__ import annotations

__all__ = ["check"]


def check() -> None:
    """Look at images and masks before any work."""
