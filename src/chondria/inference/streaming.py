"""Read and write in a thread beside the computing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_background"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_background(
    function: Callable[[Item], Result], items: Iterable[Item], depth: int = 2
) -> Generator[Result, None, None]:
    """Apply a function to items in one thread beside the caller, in order.

    Parameters
    ----------
    function : callable
        What to do; always called from the same thread.
    items : iterable
        Consumed in the caller's thread, so what computes them runs there.
    depth : int
        How many items may be under way while the caller works: the bound on memory.

    Yields
    ------
    Result
        One result per item. An exception of the function is raised here with its own traceback;
        what waits behind it is cancelled.
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="chondria") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > depth:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
