"""Pieces of HTML: escaped texts, numbers as people read them, tables, links that download."""

from __future__ import annotations

import csv
import math
from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import StringIO
from typing import Any

from chondria.report.content import PlainTable

__all__ = ["csv_link", "file_link", "heading", "said", "section", "table"]

DIGITS = 4
# Texts of more characters are given a column of some width.
LONG = 40


def said(value: object) -> str:
    """Write a value for people: four digits of a number, an interval of two, a dash for none."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(value)
        case list() | tuple():
            interval = len(value) == 2 and all(isinstance(end, float) for end in value)
            return (" to " if interval else ", ").join(said(item) for item in value)
        case dict():
            return ", ".join(f"{name} {said(item)}" for name, item in value.items())
    return str(value)


def heading(name: str) -> str:
    """Write the name of a column for people: its unit apart, underscores as spaces."""
    units = {"um3": "µm³", "um2": "µm²", "um": "µm", "nm": "nm", "px": "px"}
    words, _, unit = name.rpartition("_")
    if words and unit in units:
        return f"{words.replace('_', ' ')} ({units[unit]})"
    return name.replace("_", " ")


def section(key: str, title: str, body: str, aside: str = "") -> str:
    """Write a section with its heading and what stands beside that; texts are HTML."""
    return (
        f'<section id="{key}" aria-labelledby="{key}-title">\n<header class="section-head">'
        f'<h2 id="{key}-title">{title}</h2><div class="aside">{aside}</div></header>\n'
        f"{body}\n</section>\n"
    )


def table(
    content: PlainTable,
    caption: str,
    cell: Callable[[str, Any, int], str | None] = lambda name, value, row: None,
    *,
    head: bool = True,
) -> str:
    """Write a table whose columns of numbers are flush right.

    Parameters
    ----------
    content : PlainTable
        The values.
    caption : str
        For those who do not see it.
    cell : callable
        Given column, value and row number: the HTML of a cell, or None for the plain value.
    head : bool
        Whether to show the names of the columns.

    Returns
    -------
    str
        HTML.
    """
    numeric = {name for name in content.names if _is_numeric(content.column(name))}
    kinds = [' class="number"' if name in numeric else "" for name in content.names]
    names = [escape(heading(name)) for name in content.names]
    lines = []
    for place, row in enumerate(content.rows):
        texts = [
            cell(name, value, place) or escape(said(value))
            for name, value in zip(content.names, row, strict=True)
        ]
        classes = [
            k or (' class="long"' if len(t) > LONG else "")
            for k, t in zip(kinds, texts, strict=True)
        ]
        cells = "".join(f"<td{kind}>{text}</td>" for kind, text in zip(classes, texts, strict=True))
        lines.append(f"<tr>{cells}</tr>")
    top = "".join(f'<th scope="col"{k}>{n}</th>' for k, n in zip(kinds, names, strict=True))
    shown = f"<thead><tr>{top}</tr></thead>" if head else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"{shown}<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def csv_link(content: PlainTable, file: str) -> str:
    """Write a link that downloads a table as CSV, without any server."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(content.names)
    writer.writerows([_plain(value) for value in row] for row in content.rows)
    return file_link(stream.getvalue(), file, "text/csv", "CSV")


def file_link(text: str, file: str, kind: str, shown: str) -> str:
    """Write a link that downloads a text as a file of a media type, shown as so few letters."""
    data = b64encode(text.encode()).decode("ascii")
    return (
        f'<a class="button quiet" download="{escape(file)}" '
        f'href="data:{kind};charset=utf-8;base64,{data}">{escape(shown)}<span class="hidden"> of '
        f"{escape(file)}</span></a>"
    )


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        text = f"{value:.{DIGITS}g}"
        return f"{value:.0f}" if "e" in text else text
    return f"{value:.{DIGITS}g}"


def _is_numeric(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _plain(value: object) -> object:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return " ".join(str(item) for item in value)
    return "" if value is None else value
