"""Tables of texts as Markdown and as a page of HTML that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

__all__ = ["TextTable", "html_page", "markdown_page"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .7rem; text-align: left; border-bottom: 1px solid #8885; }
NUMBERS { text-align: right; font-variant-numeric: tabular-nums; }
img { background: white; max-width: 100%; vertical-align: top; }
tbody tr:hover { background: #8882; }
"""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Headings and lines of texts, under a caption where there are several tables.

    Attributes
    ----------
    headings : sequence of str
        One for each column.
    lines : sequence of sequence of str
        One text for each heading.
    first_number : int
        The column from which on texts are numbers, set flush right; counted from 0.
    caption : str
        Above the table.
    """

    headings: Sequence[str]
    lines: Sequence[Sequence[str]]
    first_number: int = 1
    caption: str = ""


def markdown_page(
    title: str, tables: Sequence[TextTable], notes: str = "", above: Sequence[str] = ()
) -> str:
    """Write paragraphs and tables under a title, and notes below."""
    parts = [f"# {title}", *above, *(_markdown(table) for table in tables), notes]
    return "\n\n".join(parts).rstrip() + "\n"


def html_page(
    title: str,
    tables: Sequence[TextTable],
    notes: str = "",
    above: Sequence[str] = (),
    figures: Sequence[tuple[str, str]] = (),
    links: Sequence[str] = (),
) -> str:
    """Write a page under a title: paragraphs, figures (name, address), tables, notes, links.

    Links are paths relative to the page, with slashes between; they are called by their folders.
    """
    first = min(table.first_number for table in tables) + 1
    style = STYLE.replace("NUMBERS", f"td:nth-child(n+{first}), th:nth-child(n+{first})")
    paragraphs = [f"<p>{escape(text)}</p>" for text in above]
    images = [f'<img alt="{escape(name)}" src="{escape(address)}">' for name, address in figures]
    body = "\n".join([*paragraphs, *images, *(_html(table) for table in tables)])
    runs = "".join(f'<li><a href="{quote(link)}">{_folder(link)}</a></li>\n' for link in links)
    below = f"<h2>Runs</h2>\n<ul>\n{runs}</ul>\n" if links else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>'
        '\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n<h1>{escape(title)}</h1>\n{body}\n<p>{escape(notes)}</p>\n"
        f"{below}</html>\n"
    )


def _folder(link: str) -> str:
    return escape(link.rpartition("/")[0])


def _markdown(table: TextTable) -> str:
    caption = [f"## {table.caption}", ""] if table.caption else []
    rows = [table.headings, *table.lines]
    safe = [" | ".join(text.replace("|", r"\|") for text in row) for row in rows]
    head, *lines = [f"| {row} |" for row in safe]
    return "\n".join([*caption, head, f"|{'---|' * len(table.headings)}", *lines])


def _html(table: TextTable) -> str:
    caption = f"<h2>{escape(table.caption)}</h2>\n" if table.caption else ""
    head = "".join(f"<th>{escape(text)}</th>" for text in table.headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>"
        for line in table.lines
    )
    return (
        f'{caption}<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n'
        "</tbody>\n</table></div>"
    )
