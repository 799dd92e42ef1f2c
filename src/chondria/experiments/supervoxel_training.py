"""Learn from supervoxels, with the history of a training: a row for every so many trees."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError, VoxelSizeError
from chondria.experiments.training_data import TrainingData
from chondria.supervoxels.classifier import (
    Example,
    SupervoxelClassifier,
    describe,
    fit_classifier,
)
from chondria.supervoxels.options import SupervoxelOptions
from chondria.training.checkpoint import Progress
from chondria.volume import VoxelSize

__all__ = ["train_supervoxels"]

# Rows of the history: after a tenth of the trees, and so on.
ROWS = 10


def train_supervoxels(
    data: TrainingData,
    pixel_size_nm: tuple[float, float] | None,
    options: SupervoxelOptions,
    seed: int,
    say: Callable[[str], None],
) -> tuple[SupervoxelClassifier, Progress, list[NDArray[np.uint8]]]:
    """Fit a classifier to the training slices and judge it on the validation slices.

    All trees are kept, whatever the validation says of fewer.

    Parameters
    ----------
    data : list of (TrainingVolume, dict)
        As `load_training_data` gives them.
    pixel_size_nm : tuple of float or None
        Pixel size (y, x) that they were resampled to; None where they were not.
    options : SupervoxelOptions
        Of regions, features, forest and smoothing.
    seed : int
        Of everything that is drawn.
    say : callable
        Told what is being done.

    Returns
    -------
    classifier : SupervoxelClassifier
        What was learned.
    progress : Progress
        Its steps are trees.
    maps : list of ndarray of uint8, (validation slices, Y, X)
        Probability of each volume that has validation slices; 255 is certainty.

    Raises
    ------
    SettingsError
        If every slice is kept for validation.
    VoxelSizeError
        If a set has no voxel size: regions and filters are in nanometres.
    PixelValueError, MissingPackageError
        As `fit_classifier`.
    """
    started = time.perf_counter()
    learned: dict[str, Example] = {}
    judged: dict[str, Example] = {}
    sizes = [_voxel_size(volume, card, pixel_size_nm) for volume, card in data]
    for (volume, _), size in zip(data, sizes, strict=True):
        parts = ((volume.split.train, learned), (volume.split.validation, judged))
        for slices, examples in parts:
            if len(slices):
                say(f"describing {len(slices)} slices of {volume.name}")
                examples[volume.name] = _example(volume, slices, size, options)
    if not learned:
        raise SettingsError("Found nothing to learn from: every slice is kept for validation.")
    say(f"growing {options.trees} trees")
    classifier = fit_classifier(list(learned.values()), sizes[0], options, seed)
    progress = Progress(step=options.trees, best_step=options.trees)
    for row in _history(classifier, learned, judged):
        progress.history.append(row | {"seconds": time.perf_counter() - started})
    progress.best_score = progress.history[-1].get("validation_iou", float(options.trees))
    maps = [
        _paint(classifier, judged[volume.name], volume.split.validation)
        for volume, _ in data
        if len(volume.split.validation)
    ]
    return classifier, progress, maps


def _paint(
    classifier: SupervoxelClassifier, example: Example, slices: Sequence[int]
) -> NDArray[np.uint8]:
    """Give each voxel of the validation slices the probability of its region."""
    (smooth,) = classifier.stages(example.volume, [classifier.options.trees])
    levels = (smooth * 255).round().astype(np.uint8)
    regions = example.volume.regions.labels[[z - min(slices) for z in slices]]
    painted: NDArray[np.uint8] = levels[regions]
    return painted


def _history(
    classifier: SupervoxelClassifier, learned: dict[str, Example], judged: dict[str, Example]
) -> Iterator[dict[str, float]]:
    """Rows as those of networks: means over volumes."""
    trees = classifier.options.trees
    steps = sorted({-(-trees * i // ROWS) for i in range(1, ROWS + 1)})
    training = [_scores(classifier, example, steps) for example in learned.values()]
    validation = {name: _scores(classifier, example, steps) for name, example in judged.items()}
    for i, step in enumerate(steps):
        row = {"step": float(step), "train_loss": float(np.mean([s[i][0] for s in training]))}
        if validation:
            losses, ious = zip(*(scores[i] for scores in validation.values()), strict=True)
            row |= {"validation_loss": float(np.mean(losses))}
            row |= {"validation_iou": float(np.mean(ious))}
            row |= {f"iou_{name}": scores[i][1] for name, scores in validation.items()}
        yield row


def _scores(
    classifier: SupervoxelClassifier, example: Example, steps: Sequence[int]
) -> list[tuple[float, float]]:
    return [example.score(found) for found in classifier.stages(example.volume, steps)]


def _example(
    volume: TrainingVolume, slices: Sequence[int], size: VoxelSize, options: SupervoxelOptions
) -> Example:
    """Describe a volume from the first of some slices to the last; only these are judged."""
    first, last = min(slices), max(slices)
    image = volume.normalisation(volume.images[first : last + 1].numpy())
    mask = volume.masks[first : last + 1].numpy() > 0
    serving = [z - first for z in slices]
    return Example.of(describe(image, size, options), mask, serving, volume.weight)


def _voxel_size(
    volume: TrainingVolume, card: dict[str, Any], pixel_size_nm: tuple[float, float] | None
) -> VoxelSize:
    """Voxel size on the model's grid."""
    if card["voxel_size_nm"] is None:
        raise VoxelSizeError(
            f"Found no voxel size in the set '{volume.name}'; supervoxels are measured in nm: "
            "give the set a voxel_size_nm."
        )
    z, *yx = card["voxel_size_nm"]
    y, x = pixel_size_nm or yx
    return z, y, x
