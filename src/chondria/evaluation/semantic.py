"""Semantic metrics: foreground against background, voxel by voxel.

Two averages exist and differ: one global table over the whole volume (the thesis's "por imagen"),
and the mean over tiles (its "por trozo"). Names say which is meant.

An empty denominator has a defined result: if both masks are empty there was nothing to find and
nothing was found, a perfect score of 1; if only one is, the score is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError
from chondria.evaluation.objects import as_mask, same_grid
from chondria.evaluation.overlap import BinaryTable, ContingencyTable

__all__ = [
    "SemanticScores",
    "TileScores",
    "iou_per_tile",
    "semantic_scores",
    "tile_ious",
    "tile_scores",
]


@dataclass(frozen=True, slots=True)
class SemanticScores:
    """Scores over all voxels of one volume.

    Parameters
    ----------
    iou : float
        Intersection over union (Jaccard index) of the foreground, TP / (TP + FP + FN).
    voc : float
        Mean of the IoU of foreground and background.
    dice : float
        2 TP / (2 TP + FP + FN), the F1 score of the voxels.
    precision : float
        TP / (TP + FP).
    recall : float
        TP / (TP + FN).
    accuracy : float
        (TP + TN) / all voxels.
    """

    iou: float
    voc: float
    dice: float
    precision: float
    recall: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class TileScores:
    """Means of the foreground IoU over the tiles of every slice.

    Parameters
    ----------
    iou_per_tile : float
        Over all tiles: the thesis's "Jaccard por trozo" (section 6.3.11). A tile in which neither
        mask has foreground counts 0 there although the prediction is right, so that a perfect
        prediction of a sparse volume scores below 1.
    iou_per_occupied_tile : float
        Over the tiles in which either mask has foreground; 1 where there is none.
    tiles, occupied_tiles : int
        How many tiles each mean is over.
    """

    iou_per_tile: float
    iou_per_occupied_tile: float
    tiles: int
    occupied_tiles: int


def semantic_scores(table: ContingencyTable | BinaryTable) -> SemanticScores:
    """Score a volume by its one global table of voxels.

    Parameters
    ----------
    table : ContingencyTable or BinaryTable
        The voxels of prediction and truth.

    Returns
    -------
    SemanticScores
        Jaccard 1901; PASCAL VOC: Everingham et al. 2010, Int. J. Comput. Vis. 88:303.
    """
    cells = table.binary if isinstance(table, ContingencyTable) else table
    tp, tn = cells.true_positives, cells.true_negatives
    fp, fn = cells.false_positives, cells.false_negatives
    # 0/0 is perfect only where prediction and truth agree that there is nothing.
    nothing = 1.0 if fp + fn == 0 else 0.0
    iou = _ratio(tp, tp + fp + fn, nothing)
    return SemanticScores(
        iou=iou,
        voc=(iou + _ratio(tn, tn + fp + fn, nothing)) / 2,
        dice=_ratio(2 * tp, 2 * tp + fp + fn, nothing),
        precision=_ratio(tp, tp + fp, nothing),
        recall=_ratio(tp, tp + fn, nothing),
        accuracy=_ratio(tp + tn, cells.voxels, nothing),
    )


def tile_ious(
    prediction: NDArray[Any], truth: NDArray[Any], *, tile_px: int = 256
) -> NDArray[np.float64]:
    """Intersection over union of the foreground in every tile of every slice.

    Tiles do not overlap and start at the upper left corner; where the size does not divide, the
    last ones are padded with background, which changes no foreground IoU.

    Parameters
    ----------
    prediction, truth : ndarray, (Z, Y, X) or (Y, X)
        Masks on one grid.
    tile_px : int
        Edge length of a tile in pixels.

    Returns
    -------
    ndarray of float, (Z, tiles along Y, tiles along X)
        The IoU; NaN where neither mask has foreground.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        If the shapes differ, one is not binary, or the tile is smaller than one pixel.
    """
    if tile_px < 1:
        raise SettingsError(f"Found the tile size {tile_px} px; it must be at least 1.")
    prediction, truth = same_grid(prediction, truth)
    predicted, true = as_mask(prediction, "the prediction"), as_mask(truth, "the truth")
    ious = [_slice_ious(p, t, tile_px) for p, t in zip(predicted, true, strict=True)]
    return np.stack(ious)


def tile_scores(
    prediction: NDArray[Any], truth: NDArray[Any], *, tile_px: int = 256, empty_iou: float = 0.0
) -> TileScores:
    """Average the foreground IoU over tiles, with and without the empty ones.

    Parameters
    ----------
    prediction, truth : ndarray, (Z, Y, X) or (Y, X)
        Masks on one grid.
    tile_px : int
        Edge length of a tile in pixels; the thesis's is 256.
    empty_iou : float
        What a tile in which neither mask has foreground counts in `iou_per_tile`; the thesis's
        is 0.

    Returns
    -------
    TileScores
        Both means and the numbers of tiles.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        As `tile_ious`.
    """
    ious = tile_ious(prediction, truth, tile_px=tile_px)
    occupied = ious[~np.isnan(ious)]
    return TileScores(
        iou_per_tile=float(np.nan_to_num(ious, nan=empty_iou).mean()),
        iou_per_occupied_tile=float(occupied.mean()) if occupied.size else 1.0,
        tiles=ious.size,
        occupied_tiles=occupied.size,
    )


def iou_per_tile(
    prediction: NDArray[Any], truth: NDArray[Any], *, tile_px: int = 256, empty_iou: float = 0.0
) -> float:
    """Mean over all tiles of the foreground IoU: `tile_scores(...).iou_per_tile`.

    Parameters
    ----------
    prediction, truth : ndarray, (Z, Y, X) or (Y, X)
        Masks on one grid.
    tile_px : int
        Edge length of a tile in pixels.
    empty_iou : float
        What a tile without any foreground counts.

    Returns
    -------
    float
        The mean, 0 to 1.

    Raises
    ------
    ShapeError, PixelValueError, SettingsError
        As `tile_ious`.
    """
    return tile_scores(prediction, truth, tile_px=tile_px, empty_iou=empty_iou).iou_per_tile


def _slice_ious(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], tile_px: int
) -> NDArray[np.float64]:
    """IoU of each tile of one slice (Y, X)."""
    shared = _count_per_tile(prediction & truth, tile_px)
    union = _count_per_tile(prediction | truth, tile_px)
    ious = np.full(union.shape, np.nan)
    np.divide(shared, union, out=ious, where=union > 0)
    return ious


def _count_per_tile(mask: NDArray[np.bool_], tile_px: int) -> NDArray[np.int64]:
    """Count the foreground pixels of each tile of one slice (Y, X)."""
    rows, columns = (np.arange(0, size, tile_px) for size in mask.shape)
    per_column = np.add.reduceat(mask, rows, axis=0, dtype=np.int64)
    counts: NDArray[np.int64] = np.add.reduceat(per_column, columns, axis=1)
    return counts


def _ratio(part: int, whole: int, empty: float) -> float:
    """Divide; `empty` where there is nothing to divide by."""
    return part / whole if whole else empty
