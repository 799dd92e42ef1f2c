"""The page that compares several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from chondria.report.content import PlainTable, ShownLayer
from chondria.report.markup import csv_link, heading, section, table
from chondria.report.page import assemble, embed_json, embed_texts, grid_of, layer_of
from chondria.report.sections import detail_of, frame
from chondria.report.slices import SliceSet
from chondria.report.strips import strip_plot
from chondria.volume import VoxelSize

__all__ = ["ComparisonContent", "draw_comparison"]

NO_OBJECTS: dict[str, list[str]] = {"names": [], "columns": []}


@dataclass(frozen=True, eq=False, slots=True)
class ComparisonContent:
    """What the page of several runs shows; what is empty has no section.

    Attributes
    ----------
    title, subtitle : str
        Of the page.
    notes : sequence of str
        What the reader must know first.
    shape : tuple of int
        Voxels along (z, y, x) of what is shown.
    voxel_size_nm : tuple of float or None
        Of it.
    figures, differences, scores : PlainTable or None
        A column for each run, after the names of figures, settings and metrics.
    measures : mapping of str to mapping of str to sequence of float
        Values of each measure that all runs have, by run.
    layers : sequence of ShownLayer
        The label map of each run, where all are of one image.
    slices : SliceSet or None
        Encoded.
    """

    title: str
    subtitle: str
    notes: Sequence[str]
    shape: tuple[int, int, int]
    voxel_size_nm: VoxelSize | None
    figures: PlainTable
    differences: PlainTable | None = None
    scores: PlainTable | None = None
    measures: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    layers: Sequence[ShownLayer] = ()
    slices: SliceSet | None = None


def draw_comparison(content: ComparisonContent) -> str:
    """Write the page of several runs: HTML that stands alone, as `page.draw_page` gives it."""
    data = {
        "shape": content.shape,
        "voxel_size_nm": content.voxel_size_nm,
        "grid": None if content.slices is None else grid_of(content.slices),
        # No layer is the one whose objects stand in a table.
        "layers": [None, *(layer_of(shown) for shown in content.layers)],
        "objects": NO_OBJECTS,
        "worklist": None,
    }
    parts = [embed_json("report-data", data)]
    if content.slices is not None:
        parts += [embed_texts(key, texts) for key, texts in content.slices.texts.items()]
    body = frame(content.title, content.subtitle, (), content.notes, dict(_bodies(content)))
    return assemble(content.title, body, "".join(parts))


def _bodies(content: ComparisonContent) -> Iterator[tuple[str, str]]:
    for key, title, rows in (
        ("figures", "Figures", content.figures),
        ("differences", "What differs", content.differences),
        ("scores", "Scores", content.scores),
    ):
        if rows is not None and rows.rows:
            link = csv_link(rows, f"{key}.csv")
            yield key, section(key, title, table(rows, title), link)
    if content.measures:
        yield "measures", section("measures", "Measures", _strips(content.measures))
    if content.slices is not None:
        hint = f'<p class="hint">{escape(detail_of(content.slices))}</p>'
        yield "slices", section("slices", "Slices", '<div id="viewer" class="alone"></div>', hint)


def _strips(measures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    shown = "".join(
        f"<figure><figcaption><h3>{escape(heading(name))}</h3></figcaption>"
        f"{strip_plot(values, heading(name))}</figure>"
        for name, values in measures.items()
    )
    lead = "Every dot is an object; the line is the median, the bar spans the quartiles."
    return f'<p class="lead">{lead}</p><div class="diagrams wide">{shown}</div>'
