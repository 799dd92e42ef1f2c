"""Supervoxels as a whole: from a volume to the probability of every voxel.

The classical family of Lucchi et al. (2012, IEEE TMI 31(2), doi:10.1109/TMI.2011.2171705; 2013,
CVPR; 2015, IEEE TMI 34(5)) in today's tools: SLIC supervoxels, features of grey level, texture and
shape, boosted trees instead of their structured support vector machine, and smoothing over the
graph of regions. It says what that family reaches on a data set; it is no copy of their systems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import ModelError, PixelValueError
from chondria.supervoxels.adjacency import RegionGraph, region_graph
from chondria.supervoxels.features import region_features
from chondria.supervoxels.forest import Forest, fit_forest
from chondria.supervoxels.options import SupervoxelOptions
from chondria.supervoxels.regions import Regions, find_regions
from chondria.supervoxels.smoothing import smooth_probabilities
from chondria.volume import VoxelSize

__all__ = ["DescribedVolume", "Example", "SupervoxelClassifier", "describe", "fit_classifier"]

SURE = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class DescribedVolume:
    """A volume's regions, their graph and their features: all that a classifier sees of it."""

    regions: Regions
    graph: RegionGraph
    features: NDArray[np.float32]


def describe(
    image: NDArray[np.float32], voxel_size_nm: VoxelSize, options: SupervoxelOptions
) -> DescribedVolume:
    """Find and describe the supervoxels of a volume.

    Parameters
    ----------
    image : ndarray of float32, (Z, Y, X)
        Normalised grey levels, finite. All of it is held in memory, and its regions too.
    voxel_size_nm : tuple of float
        Edge lengths (z, y, x).
    options : SupervoxelOptions
        Size of regions, scales, surroundings.
    """
    finest = options.scales_nm[0]
    regions = find_regions(
        image,
        voxel_size_nm,
        options.region_nm,
        compactness=options.compactness,
        blur_nm=finest,
    )
    graph = region_graph(image, regions, voxel_size_nm, finest)
    features = region_features(
        image, regions, graph, voxel_size_nm, scales_nm=options.scales_nm, hops=options.hops
    )
    return DescribedVolume(regions, graph, features)


@dataclass(frozen=True, eq=False, slots=True)
class SupervoxelClassifier:
    """What was learned from supervoxels.

    Attributes
    ----------
    options : SupervoxelOptions
        How volumes are described.
    voxel_size_nm : tuple of float
        Of the training volume; an image that states none is taken to have it too.
    forest : Forest
        From a region's features to its probability.
    """

    options: SupervoxelOptions
    voxel_size_nm: VoxelSize
    forest: Forest

    def predict(
        self, image: NDArray[np.float32], voxel_size_nm: VoxelSize | None = None
    ) -> NDArray[np.float32]:
        """Compute the probability of mitochondria in every voxel: one number a region.

        Parameters
        ----------
        image : ndarray of float32, (Z, Y, X)
            Normalised as the training volumes were.
        voxel_size_nm : tuple of float, optional
            Edge lengths (z, y, x).
        """
        volume = describe(image, voxel_size_nm or self.voxel_size_nm, self.options)
        (smooth,) = self.stages(volume, [self.options.trees])
        painted: NDArray[np.float32] = smooth.astype(np.float32)[volume.regions.labels]
        return painted

    def stages(
        self, volume: DescribedVolume, trees: Sequence[int]
    ) -> Iterator[NDArray[np.float64]]:
        """Give the smoothed probability of every region by the first so many trees, for each."""
        for alone in self.forest.stages(volume.features, trees):
            yield smooth_probabilities(alone, volume.graph, self.options.smoothing)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what was learned as arrays by name, to be stored."""
        return self.forest.arrays() | {"voxel_size_nm": np.array(self.voxel_size_nm, np.float32)}

    @classmethod
    def from_arrays(
        cls, options: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> SupervoxelClassifier:
        """Take options as a recipe has them, and the arrays of `arrays`.

        Raises
        ------
        ModelError
            If an option or an array cannot be used.
        """
        forest = Forest.from_arrays(arrays)
        size = np.ravel(arrays.get("voxel_size_nm", ()))
        if size.shape != (3,) or not (np.isfinite(size) & (size > 0)).all():
            raise ModelError("Found supervoxels without a voxel size; the file is damaged.")
        z, y, x = map(float, size)
        return cls(SupervoxelOptions.of(options), (z, y, x), forest)


@dataclass(frozen=True, eq=False, slots=True)
class Example:
    """A volume's regions with the truth about them.

    Attributes
    ----------
    volume : DescribedVolume
        Of the volume.
    seen, inside : ndarray of int64, (regions,)
        Voxels of each region that are judged, and how many of these are mitochondria.
    weight : float
        How many of the volume's regions are learned from, relative to other volumes.
    """

    volume: DescribedVolume
    seen: NDArray[np.int64]
    inside: NDArray[np.int64]
    weight: float

    @classmethod
    def of(
        cls,
        volume: DescribedVolume,
        mask: NDArray[np.bool_],
        slices: Sequence[int],
        weight: float = 1.0,
    ) -> Example:
        """Count the voxels of a mask (Z, Y, X) in some of its slices."""
        labels, n = volume.regions.labels[slices], volume.regions.count
        seen = np.bincount(labels.ravel(), minlength=n)
        return cls(volume, seen, np.bincount(labels[mask[slices]], minlength=n), weight)

    def score(self, probability: NDArray[np.float64]) -> tuple[float, float]:
        """Cross-entropy averaged over voxels, and their IoU at 0.5, of a number for each region."""
        sure = probability.clip(SURE, 1 - SURE)
        told = self.inside * np.log(sure) + (self.seen - self.inside) * np.log(1 - sure)
        found = probability > 0.5
        union = self.inside.sum() + (self.seen - self.inside)[found].sum()
        iou = self.inside[found].sum() / union if union else 1.0
        return float(-told.sum() / self.seen.sum()), float(iou)


def fit_classifier(
    examples: Sequence[Example],
    voxel_size_nm: VoxelSize,
    options: SupervoxelOptions,
    seed: int,
) -> SupervoxelClassifier:
    """Learn which regions are mitochondria: those that are so for the most part.

    Parameters
    ----------
    examples : sequence of Example
        What is learned from.
    voxel_size_nm : tuple of float
        Kept for images that state none.
    options : SupervoxelOptions
        As `describe` had them.
    seed : int
        Of the draw of regions and of the trees.

    Returns
    -------
    SupervoxelClassifier
        The same for the same arguments.

    Raises
    ------
    PixelValueError
        If all regions to learn from are mitochondria, or none is.
    MissingPackageError
        If scikit-learn is not installed.
    """
    draws = np.random.default_rng(seed)
    largest = max(example.weight for example in examples)
    drawn = [
        _draw(example, options.share * example.weight / largest, draws) for example in examples
    ]
    features, truth = map(np.concatenate, zip(*drawn, strict=True))
    if truth.all() or not truth.any():
        raise PixelValueError(
            f"Found {np.count_nonzero(truth)} of {len(truth)} supervoxels to be mitochondria in "
            "the training slices; both kinds are needed: check the masks, or choose a smaller "
            "region_nm."
        )
    forest = fit_forest(features, truth, trees=options.trees, seed=seed)
    return SupervoxelClassifier(options, voxel_size_nm, forest)


def _draw(
    example: Example, share: float, draws: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features and majority of the regions that are drawn from one volume."""
    chosen = (example.seen > 0) & (draws.random(len(example.seen)) < share)
    return example.volume.features[chosen], (2 * example.inside > example.seen)[chosen]
