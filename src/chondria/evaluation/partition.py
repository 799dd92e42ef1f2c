"""Metrics of partitions: every voxel belongs to one cluster, the background being one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.evaluation.overlap import ContingencyTable

__all__ = ["RandScores", "VariationOfInformation", "adapted_rand", "variation_of_information"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VariationOfInformation:
    """What is left unknown of one partition when the other is known, in bits per voxel.

    Parameters
    ----------
    split : float
        H(prediction | truth): false splits, over-segmentation.
    merge : float
        H(truth | prediction): false merges, under-segmentation.
    """

    split: float
    merge: float

    @property
    def total(self) -> float:
        """The variation of information, a metric; 0 for equal partitions."""
        return self.split + self.merge


@dataclass(frozen=True, slots=True)
class RandScores:
    """Pairs of voxels that prediction and truth both put together.

    Parameters
    ----------
    error : float
        Adapted Rand error: 1 - the harmonic mean of precision and recall.
    precision : float
        Share of the pairs joined in the prediction that are joined in the truth; merges lower it.
    recall : float
        Share of the pairs joined in the truth that are joined in the prediction; splits lower it.
    """

    error: float
    precision: float
    recall: float


def variation_of_information(
    table: ContingencyTable, *, ignore_true_background: bool = False
) -> VariationOfInformation:
    """Measure how much two partitions tell of each other.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.
    ignore_true_background : bool
        Judge only the voxels of true objects; otherwise all of them, background being a cluster.

    Returns
    -------
    VariationOfInformation
        Meila 2007, J. Multivariate Anal. 98:873, with base-2 logarithms as in scikit-image; both
        parts are 0 where no voxel is judged.
    """
    shared, predicted, true = _clusters(table, ignore_true_background)
    total = max(shared.sum(), 1.0)
    split = float((shared * np.log2(true / shared)).sum() / total)
    merge = float((shared * np.log2(predicted / shared)).sum() / total)
    return VariationOfInformation(split, merge)


def adapted_rand(table: ContingencyTable, *, ignore_true_background: bool = True) -> RandScores:
    """Compare two partitions by their pairs of voxels.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.
    ignore_true_background : bool
        Judge only the voxels of true objects, as SNEMI3D and scikit-image do.

    Returns
    -------
    RandScores
        Arganda-Carreras et al. 2015, Front. Neuroanat. 9:142. Where no voxel is judged, because no
        object is true, the error is 0 if none was predicted and 1 otherwise.
    """
    shared, predicted, true = _clusters(table, ignore_true_background)
    if not shared.size:
        agreed = float(table.predicted_objects.size == 0)
        return RandScores(1.0 - agreed, agreed, agreed)
    # Ordered pairs of two voxels: each voxel with all others of its cluster.
    both, in_prediction, in_truth = (
        float((shared * (cluster - 1)).sum()) for cluster in (shared, predicted, true)
    )
    precision = both / in_prediction if in_prediction else 1.0
    recall = both / in_truth if in_truth else 1.0
    joined = in_prediction + in_truth
    return RandScores(1.0 - 2 * both / joined if joined else 0.0, precision, recall)


def _clusters(
    table: ContingencyTable, ignore_true_background: bool
) -> tuple[Floats, Floats, Floats]:
    """For each pair of clusters: voxels shared, of the predicted one, of the true one."""
    judged = table.true_ids != 0 if ignore_true_background else np.ones(table.voxels.size, bool)
    voxels = table.voxels[judged].astype(np.float64)
    predicted = _cluster_sizes(table.predicted_ids[judged], voxels)
    return voxels, predicted, _cluster_sizes(table.true_ids[judged], voxels)


def _cluster_sizes(ids: NDArray[Any], voxels: Floats) -> Floats:
    """Voxels of the cluster that each entry belongs to."""
    unique, cluster = np.unique(ids, return_inverse=True)
    sizes = np.zeros(unique.size)
    np.add.at(sizes, cluster, voxels)
    return sizes[cluster]
