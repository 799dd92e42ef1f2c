"""The page of a training, or of a calibration alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from chondria.report.content import Figure, PlainTable, ShownVolume
from chondria.report.line_chart import LineChart, chart_figure
from chondria.report.markup import csv_link, file_link, said, section, table
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

__all__ = ["TrainingContent", "draw_training"]

# Characters of a hash that a table shows; its CSV has all.
SHORT_HASH = 12


@dataclass(frozen=True, eq=False, slots=True)
class TrainingContent:
    """Everything on the page of one training; what is empty has no section.

    Attributes
    ----------
    title, subtitle : str
        Of the page.
    figures : sequence of Figure
        The first numbers.
    notes : sequence of str
        What the reader must know before anything else.
    curves : sequence of LineChart
        Against steps.
    history : PlainTable or None
        history.csv.
    volumes : sequence of ShownVolume
        Validation slices of each data set.
    scores : PlainTable or None
        One row for each data set.
    scores_note : str
        What they are of.
    threshold : LineChart or None
        Scores against the threshold.
    threshold_note : str
        How it was chosen.
    postprocessing : PlainTable or None
        Names and values.
    calibration, errors : dict
        In the form of calibration.json and errors.json.
    candidates : PlainTable or None
        candidates.csv, of a calibration.
    data : PlainTable or None
        What was learned from and chosen on.
    recipe : str
        recipe.yaml, as it was used.
    model : dict of str to PlainTable
        The model's card, by heading; each table of names and values.
    methods, references : sequence of str
        Paragraphs, and what they cite.
    facts : dict of str to PlainTable
        Provenance by heading, each of two columns.
    """

    title: str
    subtitle: str
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    curves: Sequence[LineChart] = ()
    history: PlainTable | None = None
    volumes: Sequence[ShownVolume] = ()
    scores: PlainTable | None = None
    scores_note: str = ""
    threshold: LineChart | None = None
    threshold_note: str = ""
    postprocessing: PlainTable | None = None
    calibration: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    candidates: PlainTable | None = None
    data: PlainTable | None = None
    recipe: str = ""
    model: dict[str, PlainTable] = field(default_factory=dict)
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    facts: dict[str, PlainTable] = field(default_factory=dict)


def draw_training(content: TrainingContent) -> str:
    """Write the page of one training: HTML that stands alone, as `page.draw_page` gives it."""
    bodies = dict(_bodies(content))
    body = frame(content.title, content.subtitle, content.figures, content.notes, bodies)
    return draw_page(content.title, body, content.volumes)


def _bodies(content: TrainingContent) -> Iterator[tuple[str, str]]:
    if content.curves:
        yield "curves", _curves(content.curves, content.history)
    if content.volumes:
        yield "validation", slices_section(content.volumes, "validation")
    if content.scores is not None:
        yield "scores", scores_section(content.scores, content.scores_note)
    if content.postprocessing is not None:
        yield "threshold", _threshold(content)
    if content.calibration.get("curves"):
        yield "calibration", calibration_section(content.calibration)
    if content.errors:
        key = "errors" if content.errors.get("rows") else "tally"
        yield key, errors_section(content.errors, key)
    if content.candidates is not None:
        yield "candidates", _candidates(content.candidates)
    if content.data is not None:
        link = csv_link(content.data, "data.csv")
        yield "data", section("data", TITLES["data"], table(content.data, "Data", _short), link)
    if content.recipe:
        yield "recipe", _recipe(content.recipe)
    if content.model:
        yield "model", facts_section("model", content.model)
    if content.methods:
        yield "methods", methods_section(content.methods, content.references)
    if content.facts:
        yield "provenance", facts_section("provenance", content.facts)


def _curves(charts: Sequence[LineChart], history: PlainTable | None) -> str:
    drawn = "".join(chart_figure(chart) for chart in charts)
    link = "" if history is None else csv_link(history, "history.csv")
    body = f'<div class="diagrams charts">{drawn}</div>'
    return section("curves", TITLES["curves"], body, link)


def _threshold(content: TrainingContent) -> str:
    assert content.postprocessing is not None
    shown = table(content.postprocessing, "Post-processing", head=False)
    drawn = "" if content.threshold is None else chart_figure(content.threshold)
    body = (
        f'<p class="lead">{escape(content.threshold_note)}</p>'
        f'<div class="diagrams charts">{drawn}<div class="beside">{shown}</div></div>'
    )
    return section("threshold", TITLES["threshold"], body)


def _candidates(candidates: PlainTable) -> str:
    lead = "The objects that the probability of being true was learned from, before any filter."
    body = f'<p class="lead">{lead}</p>' + table(candidates, "Candidates")
    link = csv_link(candidates, "candidates.csv")
    return section("candidates", TITLES["candidates"], body, link)


def _recipe(text: str) -> str:
    link = file_link(text, "recipe.yaml", "application/yaml", "YAML")
    shown = f'<pre class="code">{escape(text)}</pre>'
    body = f'<div class="scroll" tabindex="0" role="region" aria-label="Recipe">{shown}</div>'
    return section("recipe", TITLES["recipe"], body, link)


def _short(name: str, value: Any, row: int) -> str | None:
    """Show the beginning of a hash, and the whole of it where one points; break no other cell."""
    text = said(value)
    if not name.endswith("_sha256") or value is None:
        return f'<span class="whole">{escape(text)}</span>'
    return f'<span title="{escape(text)}">{escape(text[:SHORT_HASH])}…</span>'
