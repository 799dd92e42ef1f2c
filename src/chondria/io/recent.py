"""The arrays that were read last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray

__all__ = ["KEPT_BYTES", "RecentArrays"]

#: What one open volume keeps in memory at most (unless a single slice is larger).
KEPT_BYTES = 256 * 2**20


class RecentArrays:
    """Remembers what was decoded last, because the next request mostly touches it again.

    Safe to use from several threads without a lock, which would stand in the way of pickling and
    forking: each step on the dictionary is atomic, and what is read twice does no harm. A copy by
    pickling starts empty.

    Parameters
    ----------
    nbytes : int
        How much is kept; the latest array always is.
    """

    def __init__(self, nbytes: int = KEPT_BYTES) -> None:
        self._nbytes = nbytes
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()

    def fetch(self, key: Hashable, read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Give the array that is kept under a key, reading it if there is none.

        Parameters
        ----------
        key : hashable
            What identifies the array.
        read : callable
            Reads it.

        Returns
        -------
        ndarray
            Not to be changed.
        """
        found = self._arrays.pop(key, None)
        array = read() if found is None else found
        self._arrays[key] = array
        while len(self._arrays) > 1 and self._size() > self._nbytes:
            try:
                self._arrays.popitem(last=False)
            except KeyError:
                break
        return array

    def _size(self) -> int:
        return sum(array.nbytes for array in tuple(self._arrays.values()))

    def __getstate__(self) -> dict[str, Any]:
        return {"_nbytes": self._nbytes, "_arrays": OrderedDict()}
