"""Tables of repeated experiments, ours beside what was published: CSV, Markdown, HTML."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

__all__ = ["HEADINGS", "ResultRow", "cells", "write_tables"]

HEADINGS = ("row", "step", "metric", "n", "mean ± sd", "range", "95 % interval", "published")

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .7rem; text-align: left; border-bottom: 1px solid #8885; }
td:nth-child(n+4), th:nth-child(n+4) { text-align: right; font-variant-numeric: tabular-nums; }
tbody tr:hover { background: #8882; }
"""


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


def write_tables(table: Sequence[ResultRow], folder: Path, title: str, notes: str = "") -> None:
    """Write table.csv, table.md and table.html into a folder.

    Parameters
    ----------
    table : sequence of ResultRow
        In the order of the lines.
    folder : Path
        Exists.
    title, notes : str
        Above and below the table.
    """
    fields = list(ResultRow.__dataclass_fields__)
    with (folder / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(fields)
        writer.writerows([getattr(line, name) for name in fields] for line in table)
    (folder / "table.md").write_text(_markdown(table, title, notes), encoding="utf-8")
    (folder / "table.html").write_text(_html(table, title, notes), encoding="utf-8")


def _with_sd(mean: float | None, sd: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.4f}" if sd is None else f"{mean:.4f} ± {sd:.4f}"


def _from_to(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _markdown(table: Sequence[ResultRow], title: str, notes: str) -> str:
    lines = [f"# {title}", "", f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    for line in table:
        safe = [text.replace("|", r"\|") for text in cells(line)]
        lines.append(f"| {' | '.join(safe)} |")
    return "\n".join([*lines, "", notes]).rstrip() + "\n"


def _html(table: Sequence[ResultRow], title: str, notes: str) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in HEADINGS)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells(line)) + "</tr>"
        for line in table
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>'
        '\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>'
        f"\n</table></div>\n<p>{escape(notes)}</p>\n</html>\n"
    )
