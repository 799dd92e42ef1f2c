"""The sections of a run's page that need no script: figures, scores, calibration, methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

from chondria.report.content import Figure, PageContent, PlainTable
from chondria.report.markup import csv_link, said, section, table
from chondria.report.reliability import reliability_diagram
from chondria.report.slices import SliceSet

__all__ = ["detail_of", "frame", "sections"]

TITLES = {
    "figures": "Figures",
    "differences": "What differs",
    "slices": "Slices",
    "measures": "Measures",
    "objects": "Objects",
    "scores": "Scores",
    "calibration": "Calibration",
    "errors": "Error propagation",
    "worklist": "Worklist",
    "methods": "Methods",
    "provenance": "Provenance",
}


def sections(content: PageContent) -> str:
    """Write heading, first figures, notes and every section for which there is something."""
    bodies = dict(_bodies(content))
    return frame(content.title, content.subtitle, content.figures, content.notes, bodies)


def frame(
    title: str,
    subtitle: str,
    figures: Sequence[Figure],
    notes: Sequence[str],
    bodies: dict[str, str],
) -> str:
    """Put sections, HTML by key, under a heading, first figures, notes and links to each."""
    nav = "".join(f'<a href="#{key}">{escape(TITLES[key])}</a>' for key in bodies)
    return (
        f'<header class="top"><p class="mark">chondria</p><h1>{escape(title)}</h1>'
        f'<p class="subtitle">{escape(subtitle)}</p>{_figures(figures)}'
        f"{_notes(notes)}</header>\n"
        f'<nav class="contents" aria-label="Sections"><div>{nav}</div></nav>\n'
        f'<main id="main">\n{"".join(bodies.values())}</main>\n'
    )


def _bodies(content: PageContent) -> Iterator[tuple[str, str]]:
    if content.slices is not None:
        hint = f'<p class="hint">{escape(detail_of(content.slices))}</p>'
        yield "slices", section("slices", TITLES["slices"], '<div id="viewer"></div>', hint)
    if content.objects.rows:
        brush = '<p class="hint">Drag over a histogram to select objects.</p>'
        body = '<div id="histograms"></div>'
        yield "measures", section("measures", TITLES["measures"], body, brush)
    body = '<div id="object-table"></div>'
    if not content.objects.rows:
        body = '<p class="empty">No object was found.</p>'
    yield "objects", section("objects", TITLES["objects"], body)
    if content.metrics is not None:
        yield "scores", _scores(content.metrics, content.metrics_note)
    if content.calibration.get("curves"):
        yield "calibration", _calibration(content.calibration)
    if content.errors:
        yield "errors", _errors(content.errors)
    if content.worklist is not None:
        yield "worklist", _worklist(content.worklist, content.slices is not None)
    if content.methods:
        yield "methods", _methods(content.methods, content.references)
    yield "provenance", _provenance(content.facts)


def detail_of(slices: SliceSet) -> str:
    """Say what of the volume is shown."""
    detail = slices.detail
    pixels = "pixel" if detail.step_px == 1 else f"{_ordinal(detail.step_px)} pixel along y and x"
    which = "slice" if detail.stride == 1 else f"{_ordinal(detail.stride)} slice"
    picture = f"; the image as JPEG of quality {detail.quality}" if "image" in slices.texts else ""
    return f"Every {which} and every {pixels} is shown{picture}, labels exactly."


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _figures(figures: Sequence[Figure]) -> str:
    shown = "".join(
        f"<div><dt>{escape(figure.what)}</dt><dd>{escape(figure.value)}"
        f"<span> {escape(figure.unit)}</span></dd></div>"
        for figure in figures
    )
    return f'<dl class="figures">{shown}</dl>' if shown else ""


def _notes(notes: Sequence[str]) -> str:
    shown = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes" aria-label="Mind">{shown}</ul>' if shown else ""


def _scores(metrics: PlainTable, note: str) -> str:
    body = f'<p class="lead">{escape(note)}</p>' + table(metrics, "Scores")
    return section("scores", TITLES["scores"], body, csv_link(metrics, "scores.csv"))


def _calibration(calibration: dict[str, Any]) -> str:
    curves = sorted(calibration["curves"], key=lambda curve: str(curve.get("name", "")))
    drawn = []
    rows = []
    for name, group in groupby(curves, key=lambda curve: str(curve.get("name", ""))):
        mine = sorted(group, key=lambda curve: curve.get("stage") != "before")
        legend = "".join(
            f'<li class="curve-{min(place, 1)}">{escape(str(curve.get("stage", "")))}'
            f"{_error(curve)}</li>"
            for place, curve in enumerate(mine)
        )
        drawn.append(
            f"<figure><figcaption><h3>{escape(name)}</h3><ul>{legend}</ul></figcaption>"
            f"{reliability_diagram(mine, escape(name))}</figure>"
        )
        rows += [
            {"name": name, "stage": curve.get("stage", "")} | dict(bin)
            for curve in mine
            for bin in curve["bins"]
        ]
    note = escape(str(calibration.get("note", "")))
    lead = "On the diagonal, probabilities mean what they say; bars count the cases."
    body = f'<p class="lead">{lead} {note}</p><div class="diagrams">{"".join(drawn)}</div>'
    link = csv_link(PlainTable.of(rows), "calibration.csv")
    return section("calibration", TITLES["calibration"], body, link)


def _error(curve: dict[str, Any]) -> str:
    error = curve.get("expected_calibration_error")
    return "" if error is None else f' <span class="figure">ECE {said(float(error))}</span>'


def _errors(errors: dict[str, Any]) -> str:
    sentences = "".join(f"<li>{escape(str(text))}</li>" for text in errors.get("sentences", ()))
    rows = PlainTable.of(errors.get("rows", ()))
    body = f'<ul class="sentences">{sentences}</ul>' if sentences else ""
    if not rows.rows:
        return section("errors", TITLES["errors"], body)
    body += table(rows, "Measured and expected values")
    return section("errors", TITLES["errors"], body, csv_link(rows, "errors.csv"))


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


def _methods(paragraphs: Sequence[str], references: Sequence[str]) -> str:
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    cited = "".join(f"<li>{escape(reference)}</li>" for reference in references)
    copy = '<button type="button" class="quiet" id="copy-methods">Copy</button>'
    body = f'<div id="methods-text" class="prose">{text}<ol>{cited}</ol></div>'
    return section("methods", TITLES["methods"], body, copy)


def _provenance(facts: dict[str, PlainTable]) -> str:
    rows = [[group, *row] for group, content in facts.items() for row in content.rows]
    link = csv_link(PlainTable(["group", "name", "value"], rows), "provenance.csv")
    shown = "".join(
        f"<div><h3>{escape(group)}</h3>{table(content, group, head=False)}</div>"
        for group, content in facts.items()
    )
    body = f'<div class="facts">{shown}</div>'
    return section("provenance", TITLES["provenance"], body, link)
