"""Tables of repeated experiments, ours beside what was published: CSV, Markdown, HTML."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from chondria.report.tables import TextTable, html_page, markdown_page

__all__ = ["HEADINGS", "ResultRow", "cells", "write_tables"]

HEADINGS = ("row", "step", "metric", "n", "mean ± sd", "range", "95 % interval", "published")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One metric of one row after one step, over n runs.

    Attributes
    ----------
    row, step, metric : str
        What was measured.
    n : int
        Runs; 0 where only the published figure is shown.
    mean, sd, smallest, largest : float, optional
        Over the runs; no deviation of a single one.
    low, high : float, optional
        95 % bootstrap interval over runs and blocks of the test volume.
    published_mean, published_sd : float, optional
        What the thesis or a paper has.
    """

    row: str
    step: str
    metric: str
    n: int
    mean: float | None
    sd: float | None
    smallest: float | None
    largest: float | None
    low: float | None = None
    high: float | None = None
    published_mean: float | None = None
    published_sd: float | None = None

    @classmethod
    def of(
        cls,
        row: str,
        step: str,
        metric: str,
        values: Sequence[float],
        published: float | tuple[float, float] | None = None,
    ) -> ResultRow:
        """Sum up the values of the runs; what was published may have a deviation."""
        known = published if isinstance(published, tuple) else (published, None)
        return cls(
            row=row,
            step=step,
            metric=metric,
            n=len(values),
            mean=mean(values) if values else None,
            sd=stdev(values) if len(values) > 1 else None,
            smallest=min(values, default=None),
            largest=max(values, default=None),
            published_mean=known[0],
            published_sd=known[1],
        )


def cells(line: ResultRow) -> tuple[str, ...]:
    """Write a line for people, one text for each of `HEADINGS`."""
    return (
        line.row,
        line.step,
        line.metric,
        str(line.n or ""),
        _with_sd(line.mean, line.sd),
        _from_to(line.smallest, line.largest),
        _from_to(line.low, line.high),
        _with_sd(line.published_mean, line.published_sd),
    )


def write_tables(
    table: Sequence[ResultRow],
    folder: Path,
    title: str,
    notes: str = "",
    reports: Sequence[str] = (),
) -> None:
    """Write table.csv, table.md and table.html into a folder.

    Parameters
    ----------
    table : sequence of ResultRow
        In the order of the lines.
    folder : Path
        Exists.
    title, notes : str
        Above and below the table.
    reports : sequence of str
        Pages of the runs, as paths below the folder; the HTML leads there.
    """
    fields = list(ResultRow.__dataclass_fields__)
    with (folder / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(fields)
        writer.writerows([getattr(line, name) for name in fields] for line in table)
    texts = [TextTable(HEADINGS, [cells(line) for line in table], first_number=3)]
    (folder / "table.md").write_text(markdown_page(title, texts, notes), encoding="utf-8")
    (folder / "table.html").write_text(
        html_page(title, texts, notes, links=reports), encoding="utf-8"
    )


def _with_sd(mean: float | None, sd: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.4f}" if sd is None else f"{mean:.4f} ± {sd:.4f}"


def _from_to(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
