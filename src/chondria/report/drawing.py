"""Drawings: SVG in a page, and the same in a file of its own for a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from chondria.report.page import read_parts

__all__ = ["Drawing", "figure", "save_drawings"]

GAP, TITLE, ROW = 24, 30, 18
TEXT = "text { font-family: sans-serif; } .title { font-size: 15px; font-weight: 600; }"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing, and what its colours mean.

    Attributes
    ----------
    kind : str
        Its class in the styles.
    width, height : int
        In pixels at its natural size.
    label : str
        For those who do not see it.
    body : str
        What is inside, as SVG.
    legend : sequence of tuple of str
        Class in the styles and HTML of each entry.
    """

    kind: str
    width: int
    height: int
    label: str
    body: str
    legend: Sequence[tuple[str, str]] = ()

    def svg(self, roles: str = 'role="img"') -> str:
        """Give the element of a page; with other attributes than those of a picture, if wanted."""
        return (
            f'<svg class="{self.kind}" viewBox="0 0 {self.width} {self.height}" {roles} '
            f'aria-label="{escape(self.label)}">{self.body}</svg>'
        )


def figure(title: str, drawing: Drawing, attributes: str = "", below: str = "") -> str:
    """Put a drawing into a figure with title (any text) and legend; the rest is HTML."""
    shown, roles = drawing.svg(), 'tabindex="0" role="group" aria-roledescription="chart"'
    if below:
        shown = drawing.svg(roles)
    legend = "".join(f'<li class="{kind}">{text}</li>' for kind, text in drawing.legend)
    return (
        f"<figure{attributes}><figcaption><h3>{escape(title)}</h3><ul>{legend}</ul></figcaption>"
        f"{shown}{below}</figure>"
    )


def save_drawings(drawings: Mapping[str, Drawing], path: str | Path) -> Path:
    """Write drawings by their titles side by side into an SVG file that needs no other.

    Parameters
    ----------
    drawings : mapping of str to Drawing
        At least one.
    path : str or Path
        The file; one that was there is replaced.

    Returns
    -------
    Path
        The file; texts stay texts, colours are those of the light page.
    """
    rows = max(len(drawing.legend) for drawing in drawings.values())
    top = TITLE + ROW * rows + 8
    parts, left = [], GAP
    for title, drawing in drawings.items():
        parts.append(f'<g transform="translate({left} 0)">{_placed(title, drawing, top)}</g>')
        left += drawing.width + GAP
    height = top + max(drawing.height for drawing in drawings.values()) + GAP
    label = escape(" ".join(drawing.label for drawing in drawings.values()))
    Path(path).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left}" height="{height}" '
        f'viewBox="0 0 {left} {height}" role="img" aria-label="{label}">\n'
        f"<style>{_style()}</style>\n"
        f'<rect width="{left}" height="{height}" fill="#ffffff"/>\n{"".join(parts)}\n</svg>\n',
        encoding="utf-8",
    )
    return Path(path)


def _placed(title: str, drawing: Drawing, top: int) -> str:
    """Write title and legend above a drawing."""
    legend = "".join(
        f'<g class="{kind}" transform="translate(0 {TITLE + ROW * place})">'
        f'<path class="line" d="M0 6H16"/></g>'
        f'<text x="24" y="{TITLE + ROW * place + 10}">{_plain(text)}</text>'
        for place, (kind, text) in enumerate(drawing.legend)
    )
    return (
        f'<text class="title" y="18">{escape(title)}</text>'
        f'<g class="{drawing.kind}">{legend}'
        f'<g transform="translate(0 {top})">{drawing.body}</g></g>'
    )


def _plain(html: str) -> str:
    """Take elements out of HTML; what it escapes stays so."""
    return re.sub("<[^>]*>", "", html)


def _style() -> str:
    """Write values in the place of variables, which programs that draw do not know."""
    first = read_parts("style.css").split("}", 1)[0]
    values = dict(re.findall(r"(--[\w-]+): ([^;]+);", first))
    style = re.sub(r"var\((--[\w-]+)\)", lambda name: values[name[1]], read_parts("drawings.css"))
    return f"{style}\n{TEXT}"
