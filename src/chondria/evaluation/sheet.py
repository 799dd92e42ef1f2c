"""Every metric of one prediction on one sheet, each saying what it is averaged over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from chondria.evaluation.association import associate
from chondria.evaluation.boundary import BoundaryDistances, boundary_distances
from chondria.evaluation.detection import DetectionScore, detection_per_slice, detection_score
from chondria.evaluation.instance import (
    InstanceScores,
    instance_scores,
    mean_average_precision,
    panoptic_quality,
)
from chondria.evaluation.objects import as_label_map, as_mask, connected_objects, same_grid
from chondria.evaluation.overlap import ContingencyTable, contingency_table
from chondria.evaluation.partition import adapted_rand, variation_of_information
from chondria.evaluation.semantic import TileScores, semantic_scores, tile_scores
from chondria.volume import as_voxel_size

__all__ = ["MetricRow", "MetricSheet", "score"]


class MetricRow(NamedTuple):
    """One line of the printed table: a metric, its value, and what it is averaged over."""

    name: str
    value: float | int | None
    averaged_over: str


@dataclass(frozen=True, eq=False, slots=True)
class MetricSheet:
    """All scores of one predicted volume against its truth.

    Parameters
    ----------
    table : ContingencyTable
        Of the predicted and true objects; every metric follows from it but those measured on the
        voxels, which are kept beside it.
    tiles : TileScores
        Means over tiles of `tile_px` pixels.
    profiles : DetectionScore
        DET on the 2-D profiles of every slice.
    boundary : BoundaryDistances
        In nanometres; None without a voxel size.
    tile_px : int
        Edge length of a tile in pixels.
    objects : str
        What the objects are: "3-D objects", or "2-D objects" of a single slice.
    """

    table: ContingencyTable
    tiles: TileScores
    profiles: DetectionScore
    boundary: BoundaryDistances
    tile_px: int
    objects: str

    def rows(self) -> list[MetricRow]:
        """List the metrics in the order of the printed table."""
        return [*self._voxel_rows(), *self._object_rows(), *self._partition_rows(), *self._counts()]

    def as_dict(self) -> dict[str, float | int | None]:
        """Give the same values by name, ready for JSON; None where a value does not exist."""
        return {row.name: row.value for row in self.rows()}

    def _voxel_rows(self) -> list[MetricRow]:
        scores, tiles = semantic_scores(self.table), self.tiles
        every = f"{tiles.tiles} tiles of {self.tile_px} px, empty ones count 0"
        occupied = f"{tiles.occupied_tiles} tiles of {self.tile_px} px with foreground"
        volume = "all voxels of the volume"
        return [
            MetricRow("iou", scores.iou, volume),
            MetricRow("iou_per_tile", tiles.iou_per_tile, every),
            MetricRow("iou_per_occupied_tile", tiles.iou_per_occupied_tile, occupied),
            MetricRow("voc", scores.voc, volume + ", mean of foreground and background"),
            MetricRow("dice", scores.dice, volume),
            MetricRow("precision", scores.precision, volume),
            MetricRow("recall", scores.recall, volume),
            MetricRow("accuracy", scores.accuracy, volume),
        ]

    def _object_rows(self) -> list[MetricRow]:
        detection, panoptic = detection_score(self.table), panoptic_quality(self.table)
        loose, strict = instance_scores(self.table, 0.5), instance_scores(self.table, 0.75)
        profiles = f"{self.profiles.true_objects} true 2-D profiles, slice by slice"
        at_50, at_75, above_50 = (
            f"{self.objects} matched {at}" for at in ("at IoU 0.5", "at IoU 0.75", "above IoU 0.5")
        )
        average = mean_average_precision(self.table)
        return [
            MetricRow("det", detection.det, f"{detection.true_objects} true {self.objects}"),
            MetricRow("det_per_slice", self.profiles.det, profiles),
            MetricRow("ap50", loose.average_precision, at_50),
            MetricRow("ap75", strict.average_precision, at_75),
            MetricRow("ap50_95", average, f"{self.objects}, ten IoU thresholds 0.5 to 0.95"),
            *_matching_rows("50", loose, at_50),
            *_matching_rows("75", strict, at_75),
            MetricRow("pq", panoptic.panoptic_quality, above_50),
            MetricRow("sq", panoptic.segmentation_quality, "their mean IoU"),
            MetricRow("rq", panoptic.recognition_quality, above_50),
        ]

    def _partition_rows(self) -> list[MetricRow]:
        bits = "all voxels with background, bits"
        pairs = "pairs of voxels of true objects"
        apart = "boundary voxels of both, nm"
        information = variation_of_information(self.table)
        return [
            MetricRow("vi_split", information.split, bits),
            MetricRow("vi_merge", information.merge, bits),
            MetricRow("adapted_rand_error", adapted_rand(self.table).error, pairs),
            MetricRow("boundary_hausdorff95_nm", self.boundary.hausdorff95_nm, apart),
            MetricRow("boundary_mean_distance_nm", self.boundary.mean_distance_nm, apart),
        ]

    def _counts(self) -> list[MetricRow]:
        matched, linked = instance_scores(self.table), associate(self.table)
        found, missed = matched.true_positives, matched.false_negatives
        counts = {
            "n_truth_objects": found + missed,
            "n_predicted_objects": found + matched.false_positives,
            "true_positives": found,
            "false_positives": matched.false_positives,
            "false_negatives": missed,
            "one_to_one_objects": linked.one_to_one,
            "missing_objects": linked.missing,
            "extra_objects": linked.extra,
            "split_objects": linked.split,
            "merged_objects": linked.merged,
        }
        return [MetricRow(key, value, f"number of {self.objects}") for key, value in counts.items()]


def score(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    *,
    voxel_size_nm: Sequence[float] | None = None,
    truth_is_instances: bool = False,
    prediction_is_instances: bool = False,
    tile_px: int = 256,
    progress: Callable[[str], None] | None = None,
) -> MetricSheet:
    """Compute every metric of one prediction.

    Parameters
    ----------
    prediction, truth : ndarray, (Z, Y, X) or (Y, X)
        Masks or label maps on one grid.
    voxel_size_nm : sequence of float, optional
        Edge lengths of a voxel in nanometres (z, y, x), for the boundary distances.
    truth_is_instances, prediction_is_instances : bool
        The values are identifiers of objects; otherwise the array is a mask and its objects are the
        3-D connected components with full connectivity.
    tile_px : int
        Edge length of the tiles in pixels.
    progress : callable, optional
        Is told the name of each step before it begins.

    Returns
    -------
    MetricSheet
        The scores.

    Raises
    ------
    ShapeError
        If the two differ in shape.
    PixelValueError
        If one is not what it is said to be: two values for a mask, whole numbers for instances.
    SettingsError, VoxelSizeError
        If the tile or voxel size is out of bounds.
    """
    tell = progress or (lambda step: None)
    size = None if voxel_size_nm is None else as_voxel_size(voxel_size_nm)
    prediction, truth = same_grid(prediction, truth)
    tell("objects")
    predicted = _objects(prediction, prediction_is_instances, "the prediction")
    true = _objects(truth, truth_is_instances, "the truth")
    tell("overlaps")
    table = contingency_table(predicted, true)
    tell("slices")
    profiles = detection_per_slice(predicted, true)
    tell("tiles")
    predicted_mask, true_mask = predicted != 0, true != 0
    tiles = tile_scores(predicted_mask, true_mask, tile_px=tile_px)
    boundary = BoundaryDistances(None, None)
    if size is not None:
        tell("boundaries")
        boundary = boundary_distances(predicted_mask, true_mask, size)
    objects = "2-D objects" if len(truth) == 1 else "3-D objects"
    return MetricSheet(table, tiles, profiles, boundary, tile_px, objects)


def _matching_rows(suffix: str, scores: InstanceScores, scope: str) -> list[MetricRow]:
    """Precision, recall and F1 of the objects at one threshold of IoU."""
    return [
        MetricRow(f"precision_{suffix}", scores.precision, scope),
        MetricRow(f"recall_{suffix}", scores.recall, scope),
        MetricRow(f"f1_{suffix}", scores.f1, scope),
    ]


def _objects(array: NDArray[Any], is_instances: bool, where: str) -> NDArray[Any]:
    """Read a label map, or number the objects of a mask."""
    return as_label_map(array, where) if is_instances else connected_objects(as_mask(array, where))
