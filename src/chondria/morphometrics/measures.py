"""Every measure of every object of a label map, in one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError, VoxelSizeError
from chondria.morphometrics.grey import around, grey_values, shell_of
from chondria.morphometrics.neighbours import nearest_centroids, nearest_surfaces
from chondria.morphometrics.schema import column_names, dtype_of
from chondria.morphometrics.shape import measure_shape
from chondria.morphometrics.table import ObjectTable, measure_objects
from chondria.volume import Volume

__all__ = ["SHELL_NM", "measure_everything"]

SHELL_NM: Final = 50.0
# Each holds an object's bounding box several times over.
MOST_THREADS: Final = 4


def measure_everything(
    labels: Volume,
    *,
    image: Volume | None = None,
    probability: Volume | None = None,
    shell_nm: float = SHELL_NM,
    progress: Callable[[int, int], None] | None = None,
) -> ObjectTable:
    """Measure size, shape, place, neighbours and grey values of every object.

    Parameters
    ----------
    labels : Volume, (Z, Y, X)
        Label map with its voxel size; a volume of one slice is measured in 2-D.
    image : Volume, (Z, Y, X), optional
        Grey values, for the columns of grey values in the object and in the shell around it.
    probability : Volume, (Z, Y, X), optional
        0 to 1, or bytes, where 255 is certainty; for `mean_probability`.
    shell_nm : float
        Thickness of the shell.
    progress : callable, optional
        Told how many objects of how many are measured.

    Returns
    -------
    ObjectTable
        The columns of `measure_objects`, and after them those that `chondria.morphometrics.schema`
        describes. Each object counts as if nothing of it lay beyond the border.

    Raises
    ------
    VoxelSizeError
        If the label map has no voxel size.
    ShapeError
        If the shapes differ.
    PixelValueError
        If the labels are not whole numbers from 0 upwards.
    SettingsError
        If the shell has no thickness.
    """
    size = labels.voxel_size_nm
    if size is None:
        raise VoxelSizeError(
            "Found a label map without a voxel size, and measures are in nm and µm; give the edge "
            "lengths of a voxel in nm as Z,Y,X (--voxel-size)."
        )
    if not 0 < shell_nm < np.inf:
        raise SettingsError(f"Found a shell of {shell_nm:g} nm; its thickness must be above zero.")
    for what, other in (("an image", image), ("a probability map", probability)):
        if other is not None and other.shape != labels.shape:
            raise ShapeError(
                f"Found labels of shape {labels.shape} and {what} of shape {other.shape} "
                "(Z, Y, X); both must be of one volume: crop or resample one."
            )
    table = measure_objects(labels)
    crops = _Crops(labels, image, probability, shell_nm)
    rows, surfaces = [], []
    # Nearly all of the work is done by compiled code that lets other threads run.
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as threads:
        for values, positions in threads.map(crops.measure, table.rows()):
            rows.append(values)
            surfaces.append(positions)
            if progress:
                progress(len(rows), len(table))
    flat = labels.shape[0] == 1
    for name in column_names(
        flat=flat, image=image is not None, probability=probability is not None
    ):
        if name not in table.columns and not name.startswith("nearest_"):
            column: NDArray[Any] = np.array([row[name] for row in rows], dtype_of(name))
            table = table.with_column(name, column)
    return _with_neighbours(table, surfaces, flat=flat)


class _Crops:
    """Measures objects one by one, each within its bounding box."""

    def __init__(
        self, labels: Volume, image: Volume | None, probability: Volume | None, shell_nm: float
    ) -> None:
        assert labels.voxel_size_nm is not None
        flat = labels.shape[0] == 1
        self._edges_nm = labels.voxel_size_nm[flat:]
        self._axes = "zyx"[flat:]
        self._labels = _squeezed(labels)
        self._image = None if image is None else _squeezed(image)
        self._probability = None if probability is None else _squeezed(probability)
        self._shell_nm = shell_nm

    def measure(self, row: dict[str, Any]) -> tuple[dict[str, float], NDArray[np.float32]]:
        """Measure the object of a row of `measure_objects`."""
        starts = [row[f"bbox_{axis}_start_px"] for axis in self._axes]
        stops = [row[f"bbox_{axis}_stop_px"] for axis in self._axes]
        box = tuple(map(slice, starts, stops))
        mask = self._labels[box] == self._labels.dtype.type(row["id"])
        values, positions = measure_shape(mask, self._edges_nm)
        if self._image is not None:
            values |= grey_values(self._image[box][mask], "grey")
            values |= grey_values(self._shell(box, mask), "shell_grey")
        if self._probability is not None:
            scale = 255 if self._probability.dtype == np.uint8 else 1
            mean = self._probability[box][mask].mean(dtype=np.float64)
            values["mean_probability"] = float(mean) / scale
        corner = np.array(starts, np.float32) * np.array(self._edges_nm, np.float32)
        return values, positions + corner

    def _shell(self, box: tuple[slice, ...], mask: NDArray[np.bool_]) -> NDArray[Any]:
        """Grey values around an object."""
        assert self._image is not None
        wide, inner = around(box, self._shell_nm, self._edges_nm, self._labels.shape)
        background = self._labels[wide] == 0
        whole = np.zeros(background.shape, bool)
        whole[inner] = mask
        shell = shell_of(whole, background, self._shell_nm, self._edges_nm)
        return np.asarray(self._image[wide][shell])


def _with_neighbours(
    table: ObjectTable, surfaces: list[NDArray[np.float32]], *, flat: bool
) -> ObjectTable:
    centroids = [table[f"centroid_{axis}_nm"] for axis in "zyx"[flat:]]
    distances, which = nearest_surfaces(surfaces)
    ids = np.append(table["id"], table["id"].dtype.type(0))  # -1, for none, takes the last
    for name, values in (
        ("nearest_centroid_nm", nearest_centroids(np.column_stack(centroids))),
        ("nearest_surface_nm", distances),
        ("nearest_id", ids[which]),
    ):
        table = table.with_column(name, values)
    return table


def _squeezed(volume: Volume) -> NDArray[Any]:
    """Values (Z, Y, X), or (Y, X) of a single slice."""
    values = volume.numpy()
    return values[0] if len(values) == 1 else values
