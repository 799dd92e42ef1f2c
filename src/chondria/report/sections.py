"""The frame of a page, and the sections that several kinds of pages have."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from chondria.report.content import Figure, PlainTable, ShownVolume
from chondria.report.drawing import figure
from chondria.report.markup import csv_link, section, table
from chondria.report.reliability import reliability_diagrams
from chondria.report.slices import SliceSet

__all__ = [
    "TITLES",
    "calibration_section",
    "detail_of",
    "errors_section",
    "facts_section",
    "frame",
    "methods_section",
    "scores_section",
    "slices_section",
]

TITLES = {
    "figures": "Figures",
    "differences": "What differs",
    "curves": "Learning curves",
    "slices": "Slices",
    "validation": "Validation slices",
    "measures": "Measures",
    "objects": "Objects",
    "scores": "Scores",
    "threshold": "Threshold",
    "calibration": "Calibration",
    "errors": "Error propagation",
    "tally": "Errors of objects",
    "candidates": "Candidates",
    "worklist": "Worklist",
    "data": "Data",
    "recipe": "Recipe",
    "model": "Model",
    "methods": "Methods",
    "provenance": "Provenance",
}


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


def slices_section(
    volumes: Sequence[ShownVolume], key: str = "slices", *, with_objects: bool = False
) -> str:
    """Write the place of the slice browser; beside it, what an object measures, if there is one."""
    details = dict.fromkeys(detail_of(volume.slices) for volume in volumes)
    hint = f'<p class="hint">{escape(" ".join(details))}</p>'
    alone = "" if with_objects else ' class="alone"'
    return section(key, TITLES[key], f'<div id="viewer"{alone}></div>', hint)


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


def scores_section(metrics: PlainTable, note: str) -> str:
    """Write scores, and what they are of."""
    body = f'<p class="lead">{escape(note)}</p>' + table(metrics, "Scores")
    return section("scores", TITLES["scores"], body, csv_link(metrics, "scores.csv"))


def calibration_section(calibration: dict[str, Any]) -> str:
    """Write reliability diagrams, one for each name of the curves of a calibration.json."""
    curves = calibration["curves"]
    drawn = [figure(name, drawing) for name, drawing in reliability_diagrams(curves).items()]
    rows = [
        {name: curve.get(name, "") for name in ("name", "stage")} | dict(bin)
        for curve in curves
        for bin in curve["bins"]
    ]
    note = escape(str(calibration.get("note", "")))
    lead = "On the diagonal, probabilities mean what they say; bars count the cases."
    body = f'<p class="lead">{lead} {note}</p><div class="diagrams">{"".join(drawn)}</div>'
    link = csv_link(PlainTable.of(rows), "calibration.csv")
    return section("calibration", TITLES["calibration"], body, link)


def errors_section(errors: dict[str, Any], key: str = "errors") -> str:
    """Write sentences and rows of an errors.json."""
    sentences = "".join(f"<li>{escape(str(text))}</li>" for text in errors.get("sentences", ()))
    rows = PlainTable.of(errors.get("rows", ()))
    body = f'<ul class="sentences">{sentences}</ul>' if sentences else ""
    if not rows.rows:
        return section(key, TITLES[key], body)
    body += table(rows, "Measured and expected values")
    return section(key, TITLES[key], body, csv_link(rows, f"{key}.csv"))


def methods_section(paragraphs: Sequence[str], references: Sequence[str]) -> str:
    """Write paragraphs to be copied, with what they cite."""
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    cited = "".join(f"<li>{escape(reference)}</li>" for reference in references)
    copy = '<button type="button" class="quiet" id="copy-methods">Copy</button>'
    body = f'<div id="methods-text" class="prose">{text}<ol>{cited}</ol></div>'
    return section("methods", TITLES["methods"], body, copy)


def facts_section(key: str, facts: dict[str, PlainTable]) -> str:
    """Write tables of names and values, each under its heading."""
    rows = [[group, *row] for group, content in facts.items() for row in content.rows]
    link = csv_link(PlainTable(["group", "name", "value"], rows), f"{key}.csv")
    shown = "".join(
        f"<div><h3>{escape(group)}</h3>{table(content, group, head=False)}</div>"
        for group, content in facts.items()
    )
    return section(key, TITLES[key], f'<div class="facts">{shown}</div>', link)
