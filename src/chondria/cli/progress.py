"""Progress bars: on a terminal they move, in a log they say a line now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

__all__ = [
    "TrainingBar",
    "TrainingBars",
    "console",
    "download_bars",
    "print_table",
    "say",
    "tile_bar",
]

WIDE = 160

# No markup: a file's name may hold brackets.
console = Console(stderr=True, highlight=False, markup=False)


@contextmanager
def tile_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that moves a bar of tiles, with the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def download_bars() -> Iterator[Callable[[str], Callable[[int, int | None], None]]]:
    """Give a function that adds a bar of bytes under a name, and says the name in a log."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())

    def watch(what: str) -> Callable[[int, int | None], None]:
        for shown in bars.task_ids:
            bars.remove_task(shown)
        say(what)
        task = bars.add_task(what, total=None)
        return lambda done, total: bars.update(task, completed=done, total=total)

    with bars:
        yield watch


def say(message: str) -> None:
    """Tell the person something, beside the output proper."""
    console.print(message, soft_wrap=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on the standard output; wide where it is no terminal."""
    table = Table(box=SIMPLE)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, markup=False, width=width).print(table)


class TrainingBars:
    """Shows steps, loss, validation IoU and time left of runs; a line for every validation."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("training {task.fields[run]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=console,
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> TrainingBars:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def watch(self, run: str = "") -> TrainingBar:
        """Add a bar for a run; its name stands in front of what is said of it."""
        task = self._bars.add_task("", total=None, start=False, run=run)
        return TrainingBar(self._bars, task, f"{run}: " if run else "")


class TrainingBar:
    """Watches one run of `TrainingBars`."""

    def __init__(self, bars: Progress, task: TaskID, prefix: str) -> None:
        self._bars, self._task, self._prefix = bars, task, prefix
        self._steps = 0
        self._loss = float("nan")
        self._iou = ""

    def say(self, message: str) -> None:
        """Print a line above the bars."""
        console.print(f"{self._prefix}{message}")

    def on_start(self, steps: int) -> None:
        """Learn how many steps there are."""
        self._steps = steps
        self._bars.update(self._task, total=steps)

    def on_step(self, step: int, loss: float) -> None:
        """Move the bar; the loss is smoothed over about 50 steps."""
        self._loss = loss if self._loss != self._loss else 0.98 * self._loss + 0.02 * loss
        self._bars.start_task(self._task)
        self._bars.update(
            self._task, completed=step, description=f"loss {self._loss:.3f} {self._iou}"
        )

    def on_validation(self, row: dict[str, float]) -> None:
        """Say what a validation found."""
        figures = [f"step {row['step']:.0f}/{self._steps}", f"loss {row['train_loss']:.4f}"]
        figures += [f"{key} {value:.4f}" for key, value in row.items() if "iou" in key]
        self._iou = f"IoU {row.get('validation_iou', float('nan')):.3f}"
        said = f"{self._prefix}{'  '.join(figures)}  {row['seconds']:.0f} s"
        console.print(said, soft_wrap=True)
