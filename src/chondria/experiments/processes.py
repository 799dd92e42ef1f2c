"""Run jobs in processes of their own, several at once, and hear from them while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import (
    FIRST_EXCEPTION,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.managers import SyncManager
from queue import Queue
from threading import Thread
from typing import Any

import torch

__all__ = ["Job", "Post", "run_here", "run_in_processes"]

# Sends a message, which must survive pickling, to the process that started the job.
Post = Callable[[Any], None]
Job = Callable[[Post], Any]

Messages = Queue[tuple[str, Any]]

SPAWN = get_context("spawn")
LISTEN_S = 0.1


def run_in_processes(
    jobs: Mapping[str, Job], at_once: int, hear: Callable[[str, Any], None]
) -> dict[str, Any]:
    """Run jobs, each in a fresh process, and share the processor's cores among those at once.

    Parameters
    ----------
    jobs : mapping of str to callable
        By name. Each is given a function that posts a message; jobs, messages and results are
        pickled, so that a job is a function of a module or a `functools.partial` of one.
    at_once : int
        How many run at the same time.
    hear : callable
        Told the name of a job and a message of it, in this process.

    Returns
    -------
    dict
        What each job returned.

    Raises
    ------
    Exception
        The first that a job raised; those not begun by then are not begun any more.
    """
    threads = max(1, torch.get_num_threads() // at_once)
    # One thread here for each process there, which waits for its end.
    manager = SyncManager(ctx=SPAWN)
    manager.start(_end_with_parent)
    with manager, ThreadPoolExecutor(at_once) as waiting:
        messages = manager.Queue()
        futures = {
            name: waiting.submit(_in_fresh_process, name, job, messages, threads)
            for name, job in jobs.items()
        }
        try:
            _listen(set(futures.values()), messages, hear)
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            waiting.shutdown(wait=False, cancel_futures=True)
            raise


def run_here(jobs: Mapping[str, Job], hear: Callable[[str, Any], None]) -> dict[str, Any]:
    """Run jobs one after the other in this process, where starting another takes longer than a job.

    Parameters and result as of `run_in_processes`.
    """
    return {name: job(partial(hear, name)) for name, job in jobs.items()}


def _listen(
    running: set[Future[Any]], messages: Messages, hear: Callable[[str, Any], None]
) -> None:
    """Hear messages until all jobs are done, or one fails."""
    failed = False
    while running and not failed:
        done, running = wait(running, LISTEN_S, return_when=FIRST_EXCEPTION)
        while not messages.empty():
            hear(*messages.get())
        failed = any(future.exception() for future in done)


def _in_fresh_process(name: str, job: Job, messages: Messages, threads: int) -> Any:
    # Not one pool that renews its processes: Python 3.11 can trip over that when it ends.
    with ProcessPoolExecutor(1, SPAWN, initializer=_end_with_parent) as pool:
        return pool.submit(_run, name, job, messages, threads).result()


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that ended.

    What was killed could not tell its processes: they would train on for nobody, into the folder
    that a new command goes on with.
    """
    parent = parent_process()
    assert parent is not None

    def wait_for_it() -> None:
        parent.join()
        os._exit(1)

    Thread(target=wait_for_it, daemon=True).start()


def _run(name: str, job: Job, messages: Messages, threads: int) -> Any:
    torch.set_num_threads(threads)
    return job(lambda message: messages.put((name, message)))
