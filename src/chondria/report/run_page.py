"""The page of a segmentation."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from chondria.report.content import PageContent, PlainTable
from chondria.report.markup import csv_link, said, section, table
from chondria.report.page import draw_page
from chondria.report.sections import (
    TITLES,
    calibration_section,
    errors_section,
    facts_section,
    frame,
    methods_section,
    scores_section,
    slices_section,
)

__all__ = ["draw_run"]


def draw_run(content: PageContent) -> str:
    """Write the page of one run: heading, first figures, notes, and sections of what there is.

    Parameters
    ----------
    content : PageContent
        Plain values; any text may hold any character.

    Returns
    -------
    str
        HTML that stands alone, as `chondria.report.page.draw_page` gives it.
    """
    bodies = dict(_bodies(content))
    body = frame(content.title, content.subtitle, content.figures, content.notes, bodies)
    volumes = [] if content.volume is None else [content.volume]
    return draw_page(content.title, body, volumes, content.objects, content.worklist)


def _bodies(content: PageContent) -> Iterator[tuple[str, str]]:
    if content.volume is not None:
        with_objects = any(shown.kind == "objects" for shown in content.volume.layers)
        yield "slices", slices_section([content.volume], with_objects=with_objects)
    if content.objects.rows:
        brush = '<p class="hint">Drag over a histogram to select objects.</p>'
        body = '<div id="histograms"></div>'
        yield "measures", section("measures", TITLES["measures"], body, brush)
    body = '<div id="object-table"></div>'
    if not content.objects.rows:
        body = '<p class="empty">No object was found.</p>'
    yield "objects", section("objects", TITLES["objects"], body)
    if content.metrics is not None:
        yield "scores", scores_section(content.metrics, content.metrics_note)
    if content.calibration.get("curves"):
        yield "calibration", calibration_section(content.calibration)
    if content.errors:
        yield "errors", errors_section(content.errors)
    if content.worklist is not None:
        yield "worklist", _worklist(content.worklist, content.volume is not None)
    if content.methods:
        yield "methods", methods_section(content.methods, content.references)
    yield "provenance", facts_section("provenance", content.facts)


def _worklist(worklist: PlainTable, can_jump: bool) -> str:
    def cell(name: str, value: Any, row: int) -> str | None:
        if name != "rank" or not can_jump:
            return None
        return (
            f'<button type="button" class="jump" data-row="{row}" '
            f'aria-label="Show rank {escape(said(value))} in the slices">'
            f"{escape(said(value))}</button>"
        )

    if not worklist.rows:
        body = '<p class="empty">Nothing asks for a look.</p>'
    else:
        body = '<p class="lead">What is most worth a look comes first; a rank leads there.</p>'
        body += table(_readable(worklist), "Worklist", cell)
    return section("worklist", TITLES["worklist"], body, csv_link(worklist, "worklist.csv"))


def _readable(worklist: PlainTable) -> PlainTable:
    """Leave out what is empty, said in pixels already, or of use to programs only."""
    places = [
        place
        for place, name in enumerate(worklist.names)
        if not name.endswith("_nm")
        and name != "crop"
        and any(row[place] not in (None, "") for row in worklist.rows)
    ]
    names = [worklist.names[place] for place in places]
    return PlainTable(names, [[row[place] for place in places] for row in worklist.rows])
