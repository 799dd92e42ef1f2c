"""The job of `chondria evaluate`: a prediction against the truth, both from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from chondria.errors import InputNotFoundError, PixelValueError, ShapeError
from chondria.evaluation.sheet import MetricSheet, score
from chondria.io import open_volume
from chondria.volume import Volume

__all__ = ["evaluate", "find_labels", "refuse_grey_levels"]

# Share of neighbouring foreground pixels that belong to two objects; far less in any tissue.
MOST_CONTACTS = 0.25


def evaluate(
    prediction: str | Path,
    truth: str | Path,
    *,
    truth_is_instances: bool = False,
    voxel_size_nm: Sequence[float] | None = None,
    progress: Callable[[str], None] | None = None,
) -> MetricSheet:
    """Score a prediction.

    Parameters
    ----------
    prediction : str or Path
        A run folder of `segment`, a mask or a label map of any format.
    truth : str or Path
        A mask, or a label map where `truth_is_instances`.
    truth_is_instances : bool
        Whether the truth's values are identifiers of objects.
    voxel_size_nm : sequence of float, optional
        For the boundary distances; by default as the prediction or the truth says.
    progress : callable, optional
        Told the name of each step.

    Returns
    -------
    MetricSheet
        The scores.

    Raises
    ------
    InputNotFoundError, ShapeError, PixelValueError
        If a file is missing, shapes differ, the truth is no mask, or the prediction is a
        probability map or an image.
    """
    predicted = open_volume(find_labels(prediction), voxel_size_nm)
    refuse_grey_levels(predicted, prediction)
    true = open_volume(truth, voxel_size_nm)
    if predicted.shape != true.shape:
        raise ShapeError(
            f"Found a prediction of shape {predicted.shape} in '{prediction}' and a truth of shape "
            f"{true.shape} in '{truth}' (Z, Y, X); they must be equal: crop or resample one."
        )
    return score(
        predicted.numpy(),
        true.numpy(),
        voxel_size_nm=predicted.voxel_size_nm or true.voxel_size_nm,
        truth_is_instances=truth_is_instances,
        prediction_is_instances=_is_label_map(predicted),
        progress=progress,
    )


def find_labels(path: str | Path) -> Path:
    """Find the label map in a run folder; any other path is given back.

    Raises
    ------
    InputNotFoundError
        If the run folder has no label map.
    """
    folder = Path(path)
    if not (folder / "run.json").is_file():
        return folder
    for found in sorted(folder.glob("labels*")):
        if found.suffix != ".json":
            return found
    raise InputNotFoundError(
        f"There is no label map in the run folder '{folder}'; give the folder of a finished "
        "`chondria segment` or the path of a mask."
    )


def refuse_grey_levels(volume: Volume, path: str | Path) -> None:
    """Refuse a probability map or an image: within an object, neighbours have one number.

    Parameters
    ----------
    volume : Volume, (Z, Y, X)
        A mask or a label map; anything but whole numbers is let through.
    path : str or Path
        What to call it in the error.

    Raises
    ------
    PixelValueError
        If more than a quarter of its neighbouring pixels differ.
    """
    if volume.dtype.kind not in "iu":
        return
    values = volume.numpy()
    left, right = values[..., :-1], values[..., 1:]
    inside = (left != 0) & (right != 0)
    differing = np.count_nonzero(inside & (left != right))
    if differing > MOST_CONTACTS * np.count_nonzero(inside):
        raise PixelValueError(
            f"Found numbers that change from pixel to pixel in '{path}': a probability map or an "
            "image; a mask or a label map is needed: give the run folder of `chondria segment`, or "
            "threshold the probabilities first."
        )


def _is_label_map(volume: Volume) -> bool:
    """Tell a label map from a mask: whole numbers, more than one of them besides zero."""
    if volume.dtype.kind not in "iu":
        return False
    values = volume.numpy()
    return bool(np.any((values != 0) & (values != values.max())))
