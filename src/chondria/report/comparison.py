"""The page that compares several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from chondria.report.content import PlainTable, ShownVolume
from chondria.report.markup import csv_link, heading, section, table
from chondria.report.page import draw_page
from chondria.report.sections import TITLES, frame, slices_section
from chondria.report.strips import strip_plot

__all__ = ["ComparisonContent", "draw_comparison"]


@dataclass(frozen=True, eq=False, slots=True)
class ComparisonContent:
    """What the page of several runs shows; what is empty has no section.

    Attributes
    ----------
    title, subtitle : str
        Of the page.
    notes : sequence of str
        What the reader must know first.
    figures, differences, scores : PlainTable or None
        A column for each run, after the names of figures, settings and metrics.
    measures : mapping of str to mapping of str to sequence of float
        Values of each measure that all runs have, by run.
    volume : ShownVolume or None
        Slices with the outlines of each run, where all are of one image.
    """

    title: str
    subtitle: str
    notes: Sequence[str]
    figures: PlainTable
    differences: PlainTable | None = None
    scores: PlainTable | None = None
    measures: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    volume: ShownVolume | None = None


def draw_comparison(content: ComparisonContent) -> str:
    """Write the page of several runs: HTML that stands alone, as `page.draw_page` gives it."""
    body = frame(content.title, content.subtitle, (), content.notes, dict(_bodies(content)))
    return draw_page(content.title, body, [] if content.volume is None else [content.volume])


def _bodies(content: ComparisonContent) -> Iterator[tuple[str, str]]:
    for key, rows in (
        ("figures", content.figures),
        ("differences", content.differences),
        ("scores", content.scores),
    ):
        if rows is not None and rows.rows:
            link = csv_link(rows, f"{key}.csv")
            yield key, section(key, TITLES[key], table(rows, TITLES[key]), link)
    if content.measures:
        yield "measures", section("measures", TITLES["measures"], _strips(content.measures))
    if content.volume is not None:
        yield "slices", slices_section([content.volume])


def _strips(measures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    shown = "".join(
        f"<figure><figcaption><h3>{escape(heading(name))}</h3></figcaption>"
        f"{strip_plot(values, heading(name))}</figure>"
        for name, values in measures.items()
    )
    lead = "Every dot is an object; the line is the median, the bar spans the quartiles."
    return f'<p class="lead">{lead}</p><div class="diagrams wide">{shown}</div>'
