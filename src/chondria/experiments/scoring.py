"""Score a model on a test volume, once for each way from probabilities to objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chondria.config.experiment import TestSet
from chondria.data.registry import advising_fetch
from chondria.errors import ShapeError
from chondria.evaluation.blocks import block_counts
from chondria.evaluation.objects import as_mask
from chondria.evaluation.probability import cross_entropy
from chondria.evaluation.sheet import score
from chondria.experiments.labelling import label_volume
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.stack_part import open_stack_part
from chondria.experiments.volume_segmentation import Prediction, predict_probability
from chondria.models import Model
from chondria.volume import Volume

__all__ = ["LOSSES", "TestVolume", "open_test_set", "score_model"]

# Of the weights that were kept, in training and on the validation slices, by the training's loss;
# and the cross-entropy of the test volume's probabilities.
LOSSES = ("train_loss", "validation_loss", "test_loss")


@dataclass(frozen=True, slots=True)
class TestVolume:
    """Images and true masks, (Z, Y, X), read when they are needed."""

    __test__ = False  # no test of pytest's

    images: Volume
    masks: Volume


def open_test_set(test: TestSet, root: Path) -> TestVolume:
    """Open the volume, or the block of slices, that a recipe tests on.

    Parameters
    ----------
    test : TestSet
        Paths from the data root.
    root : Path
        The data root.

    Returns
    -------
    TestVolume
        Lazily read.

    Raises
    ------
    ChondriaError
        If images or masks are missing (with the command that fetches a known set) or of different
        shapes.
    """
    part = (test.voxel_size_nm, test.slices, test.every)
    with advising_fetch(test.images, root):
        volume = open_stack_part(root / test.images, *part)
        truth = open_stack_part(root / test.masks, *part)
    if volume.shape != truth.shape:
        raise ShapeError(
            f"Found test images of shape {volume.shape} and masks of shape {truth.shape}; every "
            "image needs a mask of its own size."
        )
    return TestVolume(volume, truth)


def score_model(
    model: Model,
    test: TestVolume,
    steps: Mapping[str, SegmentationSettings],
    keep: Callable[[str, NDArray[Any]], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Score a model.

    Parameters
    ----------
    model : Model
        What is scored.
    test : TestVolume
        Predicted once for each kind of averaging and blending.
    steps : mapping of str to SegmentationSettings
        By name; what is left open is the card's.
    keep : callable, optional
        Given the name and the label map (Z, Y, X) of each step.

    Returns
    -------
    dict
        For each step ``scores`` (every metric of `chondria.evaluation.sheet.score`, and `LOSSES`),
        ``blocks`` (true positives, false positives and false negatives of each block) and
        ``settings``.
    """
    truth = as_mask(test.masks.numpy(), "the test masks")
    predicted: dict[tuple[str, str, int, bool], Prediction] = {}
    found = {}
    for name, settings in steps.items():
        chosen = settings.of(model.card)
        outlined = chosen.separate and model.card.boundary_nm > 0
        how = (chosen.tta, chosen.blending, chosen.window_px, outlined)
        if how not in predicted:
            predicted[how] = predict_probability(model, test.images, chosen)
        seen = predicted[how]
        labels, _ = label_volume(seen.probability, test.images, chosen, seen.boundary)
        if keep:
            keep(name, labels)
        sheet = score(
            labels,
            truth,
            voxel_size_nm=test.images.voxel_size_nm,
            prediction_is_instances=True,
        )
        losses: dict[str, float | None] = {kind: model.card.validation.get(kind) for kind in LOSSES}
        losses["test_loss"] = cross_entropy(seen.probability, truth)
        found[name] = {
            "scores": sheet.as_dict() | losses,
            "blocks": block_counts(labels, truth).tolist(),
            "settings": {key: getattr(chosen, key) for key in chosen.__slots__},
        }
    return found
