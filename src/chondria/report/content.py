"""What a page of a run shows, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chondria.report.slices import LabelLayer, SliceSet
from chondria.volume import VoxelSize

__all__ = ["Figure", "PageContent", "PlainTable", "ShownLayer"]


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table of plain values: texts, numbers, truth values, None where there is none.

    Attributes
    ----------
    names : sequence of str
        Of the columns.
    rows : sequence of sequence
        One value for each column.
    """

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]]) -> PlainTable:
        """Take the columns from dictionaries, in the order in which they first occur."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        return cls(names, [[row.get(name) for name in names] for row in rows])

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        place = list(self.names).index(name)
        return [row[place] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that people look for first.

    Attributes
    ----------
    value, unit : str
        As it is to be read.
    what : str
        Its name.
    """

    value: str
    unit: str
    what: str


@dataclass(frozen=True, eq=False, slots=True)
class ShownLayer:
    """A label map that is shown over the slices.

    Attributes
    ----------
    key : str
        Of its texts in the `SliceSet`.
    name : str
        For people.
    layer : LabelLayer
        Its objects.
    """

    key: str
    name: str
    layer: LabelLayer


@dataclass(frozen=True, eq=False, slots=True)
class PageContent:
    """Everything on the page of one run; what is empty has no section.

    Attributes
    ----------
    title, subtitle : str
        Of the page.
    shape : tuple of int
        Voxels along (z, y, x).
    voxel_size_nm : tuple of float or None
        (z, y, x).
    figures : sequence of Figure
        The first numbers.
    notes : sequence of str
        What the reader must know before anything else.
    objects : PlainTable
        One row for each object; the first column is ``id``.
    layers : sequence of ShownLayer
        The first holds the objects of the table; others are drawn as lines only.
    slices : SliceSet or None
        Encoded; None where there is nothing to see.
    metrics : PlainTable or None
        ``metric``, ``value``, ``averaged over``.
    metrics_note : str
        Against which truth.
    calibration : dict
        What calibration.json holds.
    errors : dict
        What errors.json holds.
    worklist : PlainTable or None
        What worklist.csv holds.
    methods, references : sequence of str
        Paragraphs, and what they cite.
    facts : dict of str to PlainTable
        Provenance by heading, each of two columns.
    """

    title: str
    subtitle: str
    shape: tuple[int, int, int]
    voxel_size_nm: VoxelSize | None
    objects: PlainTable
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    layers: Sequence[ShownLayer] = ()
    slices: SliceSet | None = None
    metrics: PlainTable | None = None
    metrics_note: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    worklist: PlainTable | None = None
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    facts: dict[str, PlainTable] = field(default_factory=dict)
