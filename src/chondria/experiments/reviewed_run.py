"""Open again what `chondria segment` left: labels, probabilities and the image they are of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chondria.errors import InputNotFoundError, PixelValueError, ShapeError, VoxelSizeError
from chondria.experiments.evaluation import find_labels
from chondria.io import data_hash, open_volume
from chondria.volume import Volume, VoxelSize

__all__ = ["ReviewedRun", "find_probability", "open_image_of", "open_run"]


@dataclass(frozen=True, eq=False, slots=True)
class ReviewedRun:
    """A run folder's volumes, (Z, Y, X) all of one shape.

    Attributes
    ----------
    folder : Path
        Where they are.
    record : dict
        Its run.json.
    labels, probability : Volume
        Label map; 8 bits, where 255 is certainty.
    voxel_size_nm : tuple of float
        (z, y, x) in nm.
    """

    folder: Path
    record: dict[str, Any]
    labels: Volume
    probability: Volume
    voxel_size_nm: VoxelSize


def open_run(folder: str | Path, voxel_size_nm: Sequence[float] | None = None) -> ReviewedRun:
    """Open a run folder of `chondria segment` or `chondria apply`.

    Parameters
    ----------
    folder : str or Path
        Holds run.json, labels and probabilities.
    voxel_size_nm : sequence of float, optional
        (z, y, x) in nm; overrules what the run says.

    Raises
    ------
    InputNotFoundError
        If it is no run folder, or lacks labels or probabilities.
    VoxelSizeError
        If nobody states a voxel size.
    ShapeError
        If labels and probabilities differ in shape.
    """
    run = Path(folder)
    if not (run / "run.json").is_file():
        raise InputNotFoundError(
            f"There is no run in '{run}' (no run.json); give the folder that `chondria segment` "
            "made."
        )
    record = json.loads((run / "run.json").read_text())
    labels = open_volume(find_labels(run), voxel_size_nm)
    probability = open_volume(find_probability(run), voxel_size_nm)
    size = labels.voxel_size_nm or record.get("voxel_size_nm")
    if size is None:
        raise VoxelSizeError(
            f"The run in '{run}' states no voxel size, and what is narrow or close is told in nm; "
            "give --voxel-size Z,Y,X."
        )
    if labels.shape != probability.shape:
        raise ShapeError(
            f"Found labels of shape {labels.shape} and probabilities of shape {probability.shape} "
            f"in '{run}'; both must be of one volume."
        )
    z, y, x = size
    return ReviewedRun(run, record, labels, probability, (z, y, x))


def find_probability(run: Path) -> Path:
    """Find the probabilities in a run folder.

    Raises
    ------
    InputNotFoundError
        If there are none.
    """
    for found in sorted(run.glob("probability*")):
        if found.suffix != ".json":
            return found
    raise InputNotFoundError(
        f"There are no probabilities in the run folder '{run}'; give the folder of a finished "
        "`chondria segment`."
    )


def open_image_of(run: ReviewedRun, image: str | Path | None = None) -> Volume:
    """Open the image of a run: the one that is given, or the one that run.json names.

    Raises
    ------
    InputNotFoundError
        If run.json's image is not where it was.
    ShapeError, PixelValueError
        If it is another image.
    """
    path = Path(image) if image is not None else Path(str(run.record.get("image", "")))
    if image is None and not (path.name and path.exists()):
        raise InputNotFoundError(
            f"The image '{path}' of the run in '{run.folder}' is not there (any more); say where "
            "it is with --image."
        )
    volume = open_volume(path, run.voxel_size_nm)
    if volume.shape != run.labels.shape:
        raise ShapeError(
            f"Found an image of shape {volume.shape} in '{path}' and labels of shape "
            f"{run.labels.shape} in '{run.folder}' (Z, Y, X); give the image of this run."
        )
    known = run.record.get("image_sha256")
    if known is not None and data_hash(volume) != known:
        raise PixelValueError(
            f"The image '{path}' holds other pixels than the one that the run in '{run.folder}' "
            "was made of; give the image of this run with --image."
        )
    return volume
