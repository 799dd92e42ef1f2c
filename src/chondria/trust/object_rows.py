"""From identifiers of a label map to rows of a table of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["object_rows"]

# Identifiers below this are looked up in a table of 32 MiB at most; larger ones are searched.
LARGEST_TABLE: Final = 2**22


def object_rows(ids: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[np.intp]]:
    """Make a function from identifiers to rows.

    Parameters
    ----------
    ids : ndarray of int, (objects,)
        Identifiers above 0, ascending: one row each.

    Returns
    -------
    callable
        From identifiers of any shape to rows; -1 for those of no row, such as the background.
    """
    if ids.size and int(ids[-1]) < LARGEST_TABLE:
        table = np.full(int(ids[-1]) + 1, -1, np.intp)
        table[ids.astype(np.intp)] = np.arange(ids.size)

        def look_up(labels: NDArray[Any]) -> NDArray[np.intp]:
            known = labels < table.size
            return np.where(known, table[np.where(known, labels, 0).astype(np.intp)], -1)

        return look_up

    def search(labels: NDArray[Any]) -> NDArray[np.intp]:
        if not ids.size:
            return np.full(labels.shape, -1, np.intp)
        row = np.searchsorted(ids, labels).clip(max=ids.size - 1)
        return np.where(ids[row] == labels, row, -1)

    return search
