"""What each object measures: size, place and whether the volume cuts it off."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import PixelValueError
from chondria.volume import Volume, VoxelSize

__all__ = ["ObjectTable", "measure_objects", "write_objects_csv"]

AXES = ("z", "y", "x")
NM_PER_UM = 1000.0


@dataclass(frozen=True, eq=False, slots=True)
class ObjectTable:
    """Measurements of objects, one row each, in columns whose names carry the unit.

    Parameters
    ----------
    columns : dict of str to ndarray, (objects,)
        All of one length, in the order of printing; the first is `id`.
    """

    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.columns["id"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one column."""
        return self.columns[name]

    def with_column(self, name: str, values: NDArray[Any]) -> ObjectTable:
        """Add a column, one value for each object."""
        return ObjectTable(self.columns | {name: values})

    def rows(self) -> list[dict[str, int | float | bool]]:
        """Return one dictionary of plain Python values per object."""
        values = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in values]


def measure_objects(labels: Volume) -> ObjectTable:
    """Measure every object of a label map.

    Parameters
    ----------
    labels : Volume
        Label map (Z, Y, X) of whole numbers; 0 is the background, each other number one object.

    Returns
    -------
    ObjectTable
        Rows in ascending order of `id`, none for an empty label map. Columns:

        - `id`, `voxels`
        - `volume_um3`, or `area_um2` for a single slice; only with a voxel size
        - `centroid_{z,y,x}_nm`: mean position from the volume's origin; only with a voxel size
        - `centroid_{z,y,x}_px`: mean index; 0 is the centre of the first voxel
        - `bbox_{z,y,x}_start_px`, `bbox_{z,y,x}_stop_px`: half-open, as Python slices
        - `touches_border`: it reaches a face of the volume, so its true size may be larger; in a
          single slice the edges of the image count

    Raises
    ------
    PixelValueError
        If the values are not whole numbers from 0 upwards.
    """
    ids, found = _statistics(labels.numpy())
    centroids, boxes = found["centroids"], found["bounding_boxes"].astype(np.int64)
    starts, stops = boxes[:, 0::2], boxes[:, 1::2] + 1
    columns: dict[str, NDArray[Any]] = {"id": ids, "voxels": found["voxel_counts"].astype(np.int64)}
    if labels.voxel_size_nm is not None:
        columns |= _size_um(columns["voxels"], labels.voxel_size_nm, flat=labels.shape[0] == 1)
        positions = np.array(labels.origin_nm) + centroids * np.array(labels.voxel_size_nm)
        columns |= {f"centroid_{axis}_nm": positions[:, i] for i, axis in enumerate(AXES)}
    columns |= {f"centroid_{axis}_px": centroids[:, i] for i, axis in enumerate(AXES)}
    for i, axis in enumerate(AXES):
        columns |= {f"bbox_{axis}_start_px": starts[:, i], f"bbox_{axis}_stop_px": stops[:, i]}
    columns["touches_border"] = _touches_border(starts, stops, labels.shape)
    return ObjectTable(columns)


def write_objects_csv(table: ObjectTable, path: str | Path) -> None:
    """Write the measurements as a table of comma-separated values.

    Parameters
    ----------
    table : ObjectTable
        The measurements; without objects only the line of column names is written.
    path : str or Path
        The file; one that exists is replaced.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(table.columns), lineterminator="\n")
        writer.writeheader()
        for row in table.rows():
            writer.writerow({name: _plain(value) for name, value in row.items()})


def _statistics(labels: NDArray[Any]) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Count, locate and bound each object that occurs; arrays are (objects,) or (objects, n)."""
    import cc3d

    if labels.dtype == np.bool_:
        labels = labels.view(np.uint8)
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise PixelValueError(
            f"Found {labels.dtype} values from {labels.min():g}; a label map holds whole numbers, "
            "0 for background: threshold and label it first."
        )
    ids: NDArray[Any] | None = None
    if labels.max() >= labels.size:  # cc3d takes identifiers as indices
        ids, dense = np.unique(np.append(labels.ravel(), labels.dtype.type(0)), return_inverse=True)
        labels = dense[:-1].reshape(labels.shape).astype(np.uint32)
    labels = np.require(labels, requirements="W")  # cc3d takes no read-only array
    found = cc3d.statistics(labels, no_slice_conversion=True)
    present = np.flatnonzero(found["voxel_counts"])
    present = present[present != 0]
    chosen = {name: np.asarray(column)[present] for name, column in found.items()}
    return (present if ids is None else ids[present]), chosen


def _size_um(voxels: NDArray[Any], size_nm: VoxelSize, *, flat: bool) -> dict[str, NDArray[Any]]:
    """Physical size: an area where there is one slice, whose thickness says nothing."""
    z_um, y_um, x_um = (edge / NM_PER_UM for edge in size_nm)
    if flat:
        return {"area_um2": voxels * (y_um * x_um)}
    return {"volume_um3": voxels * (z_um * y_um * x_um)}


def _touches_border(
    starts: NDArray[Any], stops: NDArray[Any], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Tell which bounding boxes reach a face of the volume."""
    touches = (starts == 0) | (stops == np.array(shape))
    if shape[0] == 1:
        touches = touches[:, 1:]
    any_face: NDArray[np.bool_] = np.any(touches, axis=1)
    return any_face


def _plain(value: float) -> str:
    """Write booleans as true and false, whole numbers whole, and others to ten digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f"{value:.10g}"
