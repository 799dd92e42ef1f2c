"""Open again what `chondria segment` left: labels and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chondria.errors import InputNotFoundError, ShapeError, VoxelSizeError
from chondria.experiments.evaluation import find_labels
from chondria.experiments.run_reading import find_probability, read_json
from chondria.io import open_volume
from chondria.volume import Volume, VoxelSize

__all__ = ["ReviewedRun", "open_run"]


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
    FormatError
        If run.json is damaged.
    """
    run = Path(folder)
    if not (run / "run.json").is_file():
        raise InputNotFoundError(
            f"There is no run in '{run}' (no run.json); give the folder that `chondria segment` "
            "made."
        )
    record = read_json(run / "run.json")
    labels = open_volume(find_labels(run), voxel_size_nm)
    probability = open_volume(_probability_of(run), voxel_size_nm)
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


def _probability_of(run: Path) -> Path:
    found = find_probability(run)
    if found is None:
        raise InputNotFoundError(
            f"There are no probabilities in the run folder '{run}'; give the folder of a finished "
            "`chondria segment`."
        )
    return found
