"""What the objects of a volume amount to: number, density and volume fraction, with its error."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from chondria.errors import VoxelSizeError
from chondria.morphometrics.table import ObjectTable
from chondria.volume import Volume

__all__ = ["VolumeSummary", "fraction_with_error", "summarise_volume"]

NM_PER_UM = 1000.0
# Blocks that the error of the fraction is found between; fewer say little, smaller ones are alike.
BLOCKS: Final = 32
FEWEST_BLOCKS: Final = 8


@dataclass(frozen=True, slots=True)
class VolumeSummary:
    """The objects of a volume, or of a single slice, as a whole.

    Attributes
    ----------
    objects : int
        All objects, those that the border cuts too.
    whole_objects : int
        Those that no border touches.
    extent : float
        The volume in µm³, or the area in µm² of a single slice.
    counted_objects : int
        Those that the unbiased counting frame counts: the whole volume is the frame, and what
        touches its first slice, row or column does not count.
    density : float
        `counted_objects` per µm³ (µm²).
    fraction, fraction_se : float
        Share of the volume that is in objects, and its standard error, between blocks.
    blocks : int
        How many blocks.
    nearest_centroid_nm_median, nearest_surface_nm_median : float
        Medians over all objects; NaN for fewer than two.
    flat : bool
        Whether it is a single slice.

    References
    ----------
    H. J. G. Gundersen 1977, "Notes on the estimation of the numerical density of arbitrary
    profiles: the edge effect", Journal of Microscopy 111: 219-223.
    """

    objects: int
    whole_objects: int
    extent: float
    counted_objects: int
    density: float
    fraction: float
    fraction_se: float
    blocks: int
    nearest_centroid_nm_median: float
    nearest_surface_nm_median: float
    flat: bool

    def as_dict(self) -> dict[str, float | int | None]:
        """Give the values under names with units (see `chondria.morphometrics.schema`).

        Returns
        -------
        dict
            Names that JSON, tables and the schema have; None for what is undefined.
        """
        unit = "um2" if self.flat else "um3"
        what = "area" if self.flat else "volume"
        names = {
            "extent": f"analysed_{what}_{unit}",
            "density": f"density_per_{unit}",
            "fraction": f"{what}_fraction",
            "fraction_se": f"{what}_fraction_se",
        }
        values = {names.get(name, name): value for name, value in asdict(self).items()}
        del values["flat"]
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }


def summarise_volume(labels: Volume, table: ObjectTable) -> VolumeSummary:
    """Summarise the objects of a volume.

    Parameters
    ----------
    labels : Volume, (Z, Y, X)
        The label map, with its voxel size.
    table : ObjectTable
        Its objects, with the columns of `measure_objects`, and of distances where there are any.

    Returns
    -------
    VolumeSummary
        Defined for every label map, an empty one too.

    Raises
    ------
    VoxelSizeError
        If the label map has no voxel size.
    """
    if labels.voxel_size_nm is None:
        raise VoxelSizeError("Found a label map without a voxel size; give one in nm as Z,Y,X.")
    flat = labels.shape[0] == 1
    edges_um = [edge / NM_PER_UM for edge in labels.voxel_size_nm][flat:]
    shape = labels.shape[flat:]
    extent = math.prod(shape) * math.prod(edges_um)
    counted = np.ones(len(table), bool)
    for axis in "zyx"[flat:]:
        counted &= table[f"bbox_{axis}_start_px"] > 0
    foreground = (labels.numpy() != 0).reshape(shape)
    fraction, error, blocks = fraction_with_error(foreground, edges_um)
    return VolumeSummary(
        objects=len(table),
        whole_objects=int(np.count_nonzero(~table["touches_border"])),
        extent=extent,
        counted_objects=int(counted.sum()),
        density=float(counted.sum() / extent),
        fraction=fraction,
        fraction_se=error,
        blocks=blocks,
        nearest_centroid_nm_median=_median(table, "nearest_centroid_nm"),
        nearest_surface_nm_median=_median(table, "nearest_surface_nm"),
        flat=flat,
    )


def fraction_with_error(
    foreground: NDArray[np.bool_], edges: list[float]
) -> tuple[float, float, int]:
    """Estimate the share of a reference space, and how far another sample of the tissue may differ.

    The volume is cut into about 32 blocks as nearly cubic as its shape allows. With ``x`` voxels
    of the foreground and ``n`` voxels in each of ``m`` blocks, the fraction is
    ``f = sum x / sum n`` and the residual of a block ``r = x - f n``. The variance of such a ratio
    is the sum of ``w r r'`` over all pairs of blocks, divided by
    ``(sum n)² (1 - sum w / m²)``: the weight w is 1 for a block with itself, 1/2, 1/4 and 1/8 for
    those that share a face, an edge or a corner, as objects that reach into two blocks make them
    alike, and 0 for others.

    Parameters
    ----------
    foreground : ndarray of bool, (Z, Y, X) or (Y, X)
        What is inside an object.
    edges : list of float
        Edge lengths of a voxel, in any unit.

    Returns
    -------
    tuple
        Fraction, standard error (NaN for fewer than 8 blocks) and number of blocks. Objects much
        larger than a block make the error too small.

    References
    ----------
    W. G. Cochran 1977, "Sampling Techniques", 3rd ed., chapter 6 (ratio estimators).
    T. G. Conley 1999, "GMM estimation with cross sectional dependence", Journal of Econometrics
    92: 1-45 (weights that fall with the distance).
    C. V. Howard, M. G. Reed 2005, "Unbiased Stereology", 2nd ed., chapters 3 and 10.
    """
    cuts = _cuts(foreground.shape, edges)
    boxes = product(*(pairwise(ends) for ends in cuts))
    blocks = [foreground[tuple(slice(a, b) for a, b in box)] for box in boxes]
    inside = np.array([np.count_nonzero(block) for block in blocks], float)
    size = np.array([block.size for block in blocks], float)
    fraction = inside.sum() / size.sum()
    count = len(blocks)
    if count < FEWEST_BLOCKS:
        return float(fraction), math.nan, count
    grid = [len(ends) - 1 for ends in cuts]
    residual = (inside - fraction * size).reshape(grid)
    lost = 1 - _with_neighbours(np.ones(grid)).sum() / count**2
    variance = np.sum(residual * _with_neighbours(residual)) / (size.sum() ** 2 * lost)
    return float(fraction), math.sqrt(max(float(variance), 0.0)), count


def _with_neighbours(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add to each block its neighbours along each axis, by half."""
    for axis in range(blocks.ndim):
        blocks = correlate1d(blocks, [0.5, 1.0, 0.5], axis, mode="constant")
    return blocks


def _cuts(shape: tuple[int, ...], edges: list[float]) -> list[NDArray[np.intp]]:
    """Where blocks of nearly equal sides begin and end along each axis."""
    lengths = np.multiply(shape, edges)
    side = (math.prod(lengths) / BLOCKS) ** (1 / len(shape))
    counts = np.clip(np.rint(lengths / side), 1, shape).astype(int)
    return [
        np.linspace(0, size, count + 1).round().astype(np.intp)
        for size, count in zip(shape, counts, strict=True)
    ]


def _median(table: ObjectTable, name: str) -> float:
    values: NDArray[Any] = table.columns.get(name, np.empty(0))
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan
