"""What a page of a run shows, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chondria.report.slices import LabelLayer, SliceSet
from chondria.volume import VoxelSize

__all__ = ["Figure", "PageContent", "PlainTable", "ShownLayer", "ShownVolume"]


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
    kind : {"objects", "lines", "classes"}
        ``objects`` are those of the table, of one layer at most; of ``lines`` outlines are drawn;
        of ``classes`` the areas, each number in a colour of its own.
    letter : str
        The key that switches it; empty for none.
    on : bool
        Whether it is shown at first.
    colour : str
        Of its lines, as CSS has it; empty leaves the choice to the page.
    classes : sequence of tuple of str
        Name and colour of each number of the layer's `ids`.
    """

    key: str
    name: str
    layer: LabelLayer
    kind: Literal["objects", "lines", "classes"] = "lines"
    letter: str = ""
    on: bool = True
    colour: str = ""
    classes: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, eq=False, slots=True)
class ShownVolume:
    """A volume whose slices a page shows.

    Attributes
    ----------
    slices : SliceSet
        Encoded.
    layers : sequence of ShownLayer
        What is shown over them.
    voxel_size_nm : tuple of float or None
        (z, y, x).
    name : str
        To choose it by, where a page has several.
    z : sequence of int, optional
        What slices are called that stand for a part of a stack; by default their place in it.
    depth : int or None
        Slices of the whole stack; None where `z` does not count from its first.
    """

    slices: SliceSet
    layers: Sequence[ShownLayer] = ()
    voxel_size_nm: VoxelSize | None = None
    name: str = ""
    z: Sequence[int] | None = None
    depth: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class PageContent:
    """Everything on the page of one run; what is empty has no section.

    Attributes
    ----------
    title, subtitle : str
        Of the page.
    figures : sequence of Figure
        The first numbers.
    notes : sequence of str
        What the reader must know before anything else.
    objects : PlainTable
        One row for each object; the first column is ``id``.
    volume : ShownVolume or None
        Slices with the objects of the table; None where there is nothing to see.
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
    objects: PlainTable
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    volume: ShownVolume | None = None
    metrics: PlainTable | None = None
    metrics_note: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    worklist: PlainTable | None = None
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    facts: dict[str, PlainTable] = field(default_factory=dict)
