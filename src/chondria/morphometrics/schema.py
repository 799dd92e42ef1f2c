"""Every column of the tables: its type, its unit and what it means, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

__all__ = [
    "COLUMNS",
    "SUMMARY",
    "Column",
    "column_names",
    "describe",
    "dtype_of",
    "markdown_rows",
]

Kind = Literal["int", "float", "bool"]
Where = Literal["always", "volume", "slice"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Its name, which ends with the unit.
    kind : str
        `int`, `float` or `bool`; undefined floats are NaN.
    unit : str
        As it is printed; empty for pure numbers.
    description : str
        What it means, in a phrase.
    where : str
        `always`, or only of a `volume`, or only of a single `slice`.
    needs : str
        `image` or `probability` where a further file is needed; empty otherwise.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    where: Where = "always"
    needs: str = ""


def _per_axis(pattern: str, kind: Kind, unit: str, description: str) -> tuple[Column, ...]:
    return tuple(Column(pattern.format(axis), kind, unit, description) for axis in "zyx")


COLUMNS: Final[tuple[Column, ...]] = (
    Column("id", "int", "", "value in the label map"),
    Column("voxels", "int", "", "number of voxels"),
    Column("volume_um3", "float", "µm³", "volume: voxels times the volume of a voxel", "volume"),
    Column("area_um2", "float", "µm²", "area: pixels times the area of a pixel", "slice"),
    *_per_axis("centroid_{}_nm", "float", "nm", "centroid, from the volume's origin"),
    *_per_axis("centroid_{}_px", "float", "px", "centroid; 0 is the centre of the first voxel"),
    *(
        Column(f"bbox_{axis}_{end}_px", "int", "px", f"bounding box: {said}")
        for axis in "zyx"
        for end, said in (("start", "first voxel"), ("stop", "one after the last voxel"))
    ),
    Column(
        "touches_border",
        "bool",
        "",
        "the border of the volume cuts it (of a single slice: its edges): it may be larger",
    ),
    Column("surface_um2", "float", "µm²", "surface, closed where the border cuts it", "volume"),
    Column("perimeter_um", "float", "µm", "perimeter, closed where the border cuts it", "slice"),
    Column(
        "equivalent_diameter_um",
        "float",
        "µm",
        "diameter of the ball of equal volume (the disc of equal area)",
    ),
    Column(
        "sphericity",
        "float",
        "",
        "surface of the ball of equal volume / surface; ball: 1",
        "volume",
    ),
    Column("circularity", "float", "", "4 π area / perimeter²; disc: 1", "slice"),
    Column(
        "form_factor",
        "float",
        "",
        "how branched or drawn out: surface³ / (36 π volume²), in 2-D perimeter² / (4 π area); "
        "ball, disc: 1",
    ),
    Column(
        "axis_major_um", "float", "µm", "longest axis of the ellipsoid of equal moments of inertia"
    ),
    Column("axis_middle_um", "float", "µm", "its middle axis", "volume"),
    Column("axis_minor_um", "float", "µm", "its shortest axis"),
    Column("aspect_ratio", "float", "", "longest / shortest axis"),
    Column("elongation", "float", "", "1 - middle / longest axis (in 2-D 1 - shortest / longest)"),
    Column("flatness", "float", "", "1 - shortest / middle axis", "volume"),
    Column(
        "azimuth_deg",
        "float",
        "°",
        "longest axis in the plane of the slice, from x towards y, -180 to 180 (0 to 180 where "
        "the axis lies in the plane); NaN where no axis is the longest",
    ),
    Column(
        "elevation_deg",
        "float",
        "°",
        "longest axis out of the plane of the slice, towards larger z, 0 to 90; NaN where no axis "
        "is the longest",
        "volume",
    ),
    Column("feret_max_um", "float", "µm", "largest distance of parallel planes that touch it"),
    Column("feret_min_um", "float", "µm", "smallest distance of parallel planes that touch it"),
    Column("solidity", "float", "", "share of its convex hull that it fills; convex: 1"),
    Column(
        "skeleton_length_um",
        "float",
        "µm",
        "length of the centre line with all branches, from tip to tip; ball: its diameter, ring: "
        "its circumference",
    ),
    Column("end_points", "int", "", "tips of the centre line; rod, ball: 2, ring: 0"),
    Column("branch_points", "int", "", "places where the centre line branches"),
    Column("loops", "int", "", "independent closed ways of the centre line; ring: 1"),
    Column("parts", "int", "", "pieces that do not touch each other, by corners neither"),
    Column("grey_mean", "float", "", "mean grey value inside", needs="image"),
    Column("grey_sd", "float", "", "standard deviation of grey values inside", needs="image"),
    Column(
        "shell_grey_mean",
        "float",
        "",
        "mean grey value of the background in the shell around it; NaN where there is none",
        needs="image",
    ),
    Column(
        "shell_grey_sd",
        "float",
        "",
        "standard deviation of grey values in that shell; NaN where there is none",
        needs="image",
    ),
    Column("mean_probability", "float", "", "mean probability inside, 0 to 1", needs="probability"),
    Column(
        "nearest_centroid_nm", "float", "nm", "distance to the nearest other centroid; NaN for one"
    ),
    Column(
        "nearest_surface_nm",
        "float",
        "nm",
        "distance to the nearest other surface, 0 where objects touch; NaN for one",
    ),
    Column("nearest_id", "int", "", "the object of that surface; 0 for none"),
)

SUMMARY: Final[tuple[Column, ...]] = (
    Column("objects", "int", "", "objects in the volume, cut ones too"),
    Column("whole_objects", "int", "", "objects that no border touches"),
    Column("analysed_volume_um3", "float", "µm³", "the volume", "volume"),
    Column("analysed_area_um2", "float", "µm²", "the area", "slice"),
    Column(
        "counted_objects",
        "int",
        "",
        "objects that the unbiased counting frame counts: none that touches the first slice, row "
        "or column",
    ),
    Column("density_per_um3", "float", "1/µm³", "counted objects per volume", "volume"),
    Column("density_per_um2", "float", "1/µm²", "counted objects per area", "slice"),
    Column("volume_fraction", "float", "", "share of the volume in objects", "volume"),
    Column("volume_fraction_se", "float", "", "its standard error, between blocks", "volume"),
    Column("area_fraction", "float", "", "share of the area in objects", "slice"),
    Column("area_fraction_se", "float", "", "its standard error, between blocks", "slice"),
    Column("blocks", "int", "", "blocks that the error is found between"),
    Column("nearest_centroid_nm_median", "float", "nm", "median of nearest_centroid_nm"),
    Column("nearest_surface_nm_median", "float", "nm", "median of nearest_surface_nm"),
)

_BY_NAME: Final = {column.name: column for column in (*COLUMNS, *SUMMARY)}


def describe(name: str) -> Column:
    """Look a column up.

    Parameters
    ----------
    name : str
        The name of a column of the table of objects or of the summary.

    Returns
    -------
    Column
        Its type, unit and meaning.

    Raises
    ------
    KeyError
        If the schema has no such column.
    """
    return _BY_NAME[name]


def column_names(*, flat: bool, image: bool, probability: bool) -> tuple[str, ...]:
    """Names of the columns that the full table has.

    Parameters
    ----------
    flat : bool
        Whether it is of a single slice.
    image, probability : bool
        Whether these files are given.

    Returns
    -------
    tuple of str
        In order.
    """
    places = ("always", "slice" if flat else "volume")
    given = {"": True, "image": image, "probability": probability}
    return tuple(c.name for c in COLUMNS if c.where in places and given[c.needs])


def dtype_of(name: str) -> type:
    """Python type of a column's values."""
    return {"int": int, "float": float, "bool": bool}[describe(name).kind]


def markdown_rows(columns: Sequence[Column]) -> list[str]:
    """Write columns as the rows of a Markdown table; neighbours that mean the same share one.

    Parameters
    ----------
    columns : sequence of Column
        `COLUMNS` or `SUMMARY`.

    Returns
    -------
    list of str
        ``| names | unit | description |``; columns of single slices, and those that need a further
        file, say so.
    """
    rows = []
    for (unit, description, where, needs), group in groupby(
        columns, lambda column: (column.unit, column.description, column.where, column.needs)
    ):
        names = ", ".join(f"`{column.name}`" for column in group)
        said = description + {"slice": " (single slices)", "volume": " (volumes)"}.get(where, "")
        said += f" (with `--{needs}`)" if needs else ""
        rows.append(f"| {names} | {unit} | {said} |")
    return rows
