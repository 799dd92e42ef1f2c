"""What every benchmark does: take turns, say medians and spread, and leave one line of JSON."""

from __future__ import annotations

import json
import platform
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

import torch

import chondria

__all__ = ["interleaved", "medians", "options_parser", "print_record"]

Seconds = dict[str, list[float]]


def interleaved(jobs: Mapping[str, Callable[[], object]], repeats: int) -> Seconds:
    """Seconds of each job, taking turns after one unrecorded round."""
    seconds: Seconds = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn > 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def medians(seconds: Seconds) -> dict[str, float]:
    """Median of each job."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def options_parser(described: str | None) -> ArgumentParser:
    """Options that the benchmarks of one way to compute share; each adds its own."""
    parser = ArgumentParser(description=(described or "").splitlines()[0])
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    return parser


def print_record(machine: str, options: Mapping[str, Any], seconds: Seconds, **more: Any) -> None:
    """Print machine, versions, options, medians and spread as one line of JSON."""
    record = {
        "machine": {"device": machine, "system": platform.platform()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "chondria": chondria.__version__,
        },
        "options": {name: str(value) for name, value in options.items()},
        "median_s": medians(seconds),
        "spread_s": {name: [min(values), max(values)] for name, values in seconds.items()},
    }
    print(json.dumps(record | more))
