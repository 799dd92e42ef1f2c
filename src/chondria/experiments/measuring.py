"""The job of `chondria measure`: a label map in, a table of measured objects out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chondria.errors import ShapeError, VoxelSizeError
from chondria.experiments.evaluation import find_labels, refuse_grey_levels
from chondria.experiments.run_folder import environment, write_json
from chondria.io import data_hash, open_volume
from chondria.io.atomic import atomic_target, check_free
from chondria.morphometrics.measures import SHELL_NM, measure_everything
from chondria.morphometrics.stereology import VolumeSummary, summarise_volume
from chondria.morphometrics.table import ObjectTable
from chondria.morphometrics.table_files import check_table_format, described, write_table
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

__all__ = [
    "MeasureInputs",
    "Measured",
    "measure",
    "open_measured",
    "summary_path",
    "write_summary",
]


@dataclass(frozen=True, eq=False, slots=True)
class MeasureInputs:
    """What is measured: volumes of one shape, not read yet.

    Attributes
    ----------
    labels : Volume, (Z, Y, X)
        Label map with its voxel size.
    image, probability : Volume or None, (Z, Y, X)
        Grey values and probabilities.
    """

    labels: Volume
    image: Volume | None = None
    probability: Volume | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What was found.

    Attributes
    ----------
    objects : ObjectTable
        One row for each object.
    summary : VolumeSummary
        The volume as a whole.
    """

    objects: ObjectTable
    summary: VolumeSummary


def open_measured(
    labels: str | Path,
    image: str | Path | None = None,
    probability: str | Path | None = None,
    voxel_size_nm: Sequence[float] | None = None,
) -> MeasureInputs:
    """Open what is to be measured, and see that it fits together.

    Parameters
    ----------
    labels : str or Path
        A label map of any format, or a run folder of `segment`: its label map and probabilities.
    image, probability : str or Path, optional
        Of the same shape.
    voxel_size_nm : sequence of float, optional
        Edge lengths (z, y, x) in nm; overrides the file's.

    Returns
    -------
    MeasureInputs
        Opened, not read.

    Raises
    ------
    InputNotFoundError, FormatError
        If a file is missing or cannot be read.
    VoxelSizeError
        If neither the label map nor the image says the voxel size.
    ShapeError
        If the shapes differ.
    """
    if probability is None and (Path(labels) / "run.json").is_file():
        found = [p for p in sorted(Path(labels).glob("probability*")) if p.suffix != ".json"]
        probability = found[0] if found else None
    opened = open_volume(find_labels(labels), voxel_size_nm)
    others = {
        "image": None if image is None else open_volume(image),
        "probability": None if probability is None else open_volume(probability),
    }
    for name, other in others.items():
        if other is not None and other.shape != opened.shape:
            raise ShapeError(
                f"Found a label map of shape {opened.shape} in '{labels}' and the {name} of shape "
                f"{other.shape} (Z, Y, X); they must be equal: crop or resample one."
            )
    size, pictured = opened.voxel_size_nm, others["image"]
    if size is None and pictured is not None:
        size = pictured.voxel_size_nm
    if size is None:
        raise VoxelSizeError(
            f"Found no voxel size in '{labels}', and measures are in nm and µm: give the edge "
            "lengths of a voxel in nm, --voxel-size Z,Y,X."
        )
    return MeasureInputs(Volume(opened.data, size, opened.origin_nm), **others)


def measure(
    inputs: MeasureInputs,
    output: str | Path | None = None,
    *,
    is_mask: bool = False,
    shell_nm: float = SHELL_NM,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Measure every object of a label map, and the volume as a whole.

    Parameters
    ----------
    inputs : MeasureInputs
        See `open_measured`.
    output : str or Path, optional
        The table: ``.csv``, ``.parquet`` or ``.xlsx``. The volume as a whole, the meaning of the
        columns and how it came to be are written beside it as ``NAME.volume.json``.
    is_mask : bool
        Whether the labels are a mask, whose connected parts (26 neighbours) are the objects.
    shell_nm : float
        Thickness of the shell around each object in which grey values are measured.
    overwrite : bool
        Whether an output that exists is replaced.
    progress : callable, optional
        Told how many objects of how many are measured.

    Returns
    -------
    Measured
        Objects and summary.

    Raises
    ------
    OutputExistsError, FormatError, MissingPackageError
        If the output exists, or cannot be written; before any work.
    PixelValueError
        If the labels are no label map: grey values, probabilities.
    SettingsError
        If the shell has no thickness.
    """
    if output is not None:
        check_table_format(output)
        for path in (Path(output), summary_path(output)):
            check_free(path, overwrite)
    labels = inputs.labels.with_data(inputs.labels.numpy())
    if is_mask:
        labels = labels.with_data(connected_instances(labels.numpy() != 0))
    else:
        refuse_grey_levels(labels, "the label map")
    table = measure_everything(
        labels,
        image=inputs.image,
        probability=inputs.probability,
        shell_nm=shell_nm,
        progress=progress,
    )
    found = Measured(table, summarise_volume(labels, table))
    if output is not None:
        record = environment() | {"job": "measure", "labels_sha256": data_hash(inputs.labels)}
        record |= {"voxel_size_nm": labels.voxel_size_nm, "shell_nm": shell_nm}
        _write(found, Path(output), overwrite, record)
    return found


def summary_path(output: str | Path) -> Path:
    """Give the name of the summary beside a table: ``NAME.volume.json``."""
    return Path(output).with_suffix(".volume.json")


def write_summary(
    output: str | Path, objects: ObjectTable, summary: VolumeSummary, record: dict[str, Any]
) -> None:
    """Write what a table is of beside it: the volume as a whole, and what each column means.

    Parameters
    ----------
    output : str or Path
        The table's file; see `summary_path`.
    objects : ObjectTable
        Its columns are described.
    summary : VolumeSummary
        Of the same volume.
    record : dict
        How it came to be.
    """
    columns = {
        column.name: {key: asdict(column)[key] for key in ("unit", "description")}
        for column in described(objects.columns)
    }
    volume = {"volume": summary.as_dict()}
    write_json(summary_path(output), volume | record | {"columns": columns})


def _write(found: Measured, output: Path, overwrite: bool, record: dict[str, Any]) -> None:
    with atomic_target(output, overwrite) as partial:
        write_table(found.objects, partial, found.summary.as_dict())
    write_summary(output, found.objects, found.summary, record)
