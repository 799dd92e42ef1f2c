"""Keep freed memory in the process, so that every step does not fault its pages in anew."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["retain_freed_memory"]

# mallopt parameters of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST = 2**31 - 1


def retain_freed_memory() -> bool:
    """Tell glibc to serve large arrays from the heap and never to give it back.

    A network's activations are tens of megabytes each; by default every one is a fresh mapping
    whose pages the kernel clears again at each step.

    Returns
    -------
    bool
        Whether it was done; False where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, LARGEST))
