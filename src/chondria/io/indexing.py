"""NumPy basic indexing for sources that only know how to read a box."""

from __future__ import annotations

import operator
from typing import Any

__all__ = ["resolve_key"]


def resolve_key(
    key: Any, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[int | slice, ...]]:
    """Split a NumPy index into a forward box and what is left to do with that box.

    Parameters
    ----------
    key : int, slice, Ellipsis or tuple of them
        A basic index; negative indices and negative steps are allowed.
    shape : tuple of int
        Shape of the array that is indexed.

    Returns
    -------
    box : tuple of slice
        One slice per axis with a positive step inside `shape`.
    rest : tuple of int or slice
        Index into the values of `box` that gives what NumPy would: ``array[key]`` equals
        ``array[box][rest]``.

    Raises
    ------
    IndexError
        If the index is out of bounds, has too many axes, or is not a basic one.
    """
    parts = _expand(key if isinstance(key, tuple) else (key,), len(shape))
    pairs = [_resolve_axis(part, size) for part, size in zip(parts, shape, strict=True)]
    return tuple(box for box, _ in pairs), tuple(rest for _, rest in pairs)


def _expand(key: tuple[Any, ...], ndim: int) -> list[Any]:
    dots = [place for place, part in enumerate(key) if part is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    missing = ndim - len(key) + len(dots)
    if missing < 0:
        raise IndexError(f"too many indices: {len(key)} for an array of {ndim} axes")
    place = dots[0] if dots else len(key)
    return [*key[:place], *[slice(None)] * missing, *key[place + len(dots) :]]


def _resolve_axis(part: Any, size: int) -> tuple[slice, int | slice]:
    if isinstance(part, slice):
        start, stop, step = part.indices(size)
        steps = range(start, stop, step)
        if not steps:
            return slice(0, 0, 1), slice(None)
        if step > 0:
            return slice(start, stop, step), slice(None)
        return slice(steps[-1], start + 1, -step), slice(None, None, -1)
    if isinstance(part, bool) or not hasattr(part, "__index__"):
        raise IndexError(f"only integers, slices and '...' are valid indices, not {part!r}")
    index = operator.index(part)
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for an axis of size {size}")
    index %= size
    return slice(index, index + 1, 1), 0
