"""Validation slices with what a model says of them: gathered once, kept in the run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.data.training_volume import TrainingVolume
from chondria.errors import FormatError
from chondria.experiments.run_folder import write_json
from chondria.io import open_volume, save_volume
from chondria.models import ModelCard
from chondria.trust.level_counts import LevelCounts, level_counts
from chondria.volume import Volume, VoxelSize

__all__ = [
    "FOLDER",
    "KeptSlices",
    "ValidationSlices",
    "gather_validation",
    "keep_validation",
    "kept_validation",
]

FOLDER = "validation"
RECORD = "slices.json"
# What is kept to be looked at, of all volumes together; figures are of every slice.
MOST_VOXELS: Final = 2**26
LAYERS = ("image", "truth", "probability")


@dataclass(frozen=True, eq=False, slots=True)
class ValidationSlices:
    """Validation slices of one volume at the model's pixel size.

    Attributes
    ----------
    name : str
        Of the data set.
    z : list of int
        Which slices they are, counted from the first of the data set.
    voxel_size_nm : tuple of float or None
        (z, y, x).
    image : ndarray of uint8, (slices, Y, X)
        Grey levels.
    truth : ndarray of bool, (slices, Y, X)
        The mask.
    probability : ndarray of uint8, (slices, Y, X)
        255 is certainty.
    """

    name: str
    z: list[int]
    voxel_size_nm: VoxelSize | None
    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    probability: NDArray[np.uint8]

    @property
    def are_neighbours(self) -> bool:
        """Whether none is left out between the first and the last."""
        return self.z[-1] - self.z[0] == len(self.z) - 1


@dataclass(frozen=True, eq=False, slots=True)
class KeptSlices:
    """What a run folder holds of the validation slices of one volume.

    Attributes
    ----------
    name, voxel_size_nm
        As `ValidationSlices`.
    every_z : list of int
        Which slices they are, as `ValidationSlices.z`.
    z : list of int
        Those of them that are kept.
    counts : LevelCounts
        Of every slice.
    image, truth, probability : Volume, (kept slices, Y, X)
        Read when they are needed.
    """

    name: str
    voxel_size_nm: VoxelSize | None
    every_z: list[int]
    z: list[int]
    counts: LevelCounts
    image: Volume
    truth: Volume
    probability: Volume


def gather_validation(
    volumes: Sequence[TrainingVolume],
    card: ModelCard,
    predict: Callable[[TrainingVolume], NDArray[np.uint8]],
) -> list[ValidationSlices]:
    """Predict the validation slices of every volume that has some.

    Parameters
    ----------
    volumes : sequence of TrainingVolume
        Anywhere.
    card : ModelCard
        Its `data` describes each volume, in the same order.
    predict : callable
        Gives the probability (slices, Y, X) of a volume in 8 bits: of its validation slices, or of
        all from the first of them to the last.

    Returns
    -------
    list of ValidationSlices
        In memory.
    """
    return [
        _gather(volume, entry, card, predict(volume))
        for volume, entry in zip(volumes, card.data, strict=True)
        if len(volume.split.validation)
    ]


def keep_validation(run: Path, volumes: Sequence[ValidationSlices]) -> None:
    """Write validation slices into a run folder, every n-th where there are very many.

    Parameters
    ----------
    run : Path
        The folder; ``validation/`` is made in it, or its files are replaced.
    volumes : sequence of ValidationSlices
        Nothing is written where there is none.
    """
    if not volumes:
        return
    (run / FOLDER).mkdir(exist_ok=True)
    stride = -(-sum(volume.truth.size for volume in volumes) // MOST_VOXELS)
    rows = [_keep(run / FOLDER, place, volume, stride) for place, volume in enumerate(volumes)]
    write_json(run / FOLDER / RECORD, {"volumes": rows})


def kept_validation(run: Path) -> list[KeptSlices]:
    """Read what `keep_validation` wrote; volumes are opened, not read.

    Raises
    ------
    FormatError
        If it is damaged.
    InputNotFoundError
        If a volume is missing.
    """
    path = run / FOLDER / RECORD
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["volumes"]
        return [_kept(run / FOLDER, place, row) for place, row in enumerate(rows)]
    except (ValueError, LookupError, TypeError) as error:
        raise FormatError(
            f"Cannot read '{path}' ({error!r}); delete the folder that it is in: the report is "
            "then drawn without validation slices."
        ) from error


def _gather(
    volume: TrainingVolume,
    entry: dict[str, Any],
    card: ModelCard,
    probability: NDArray[np.uint8],
) -> ValidationSlices:
    slices = list(volume.split.validation)
    image, truth = (part[slices].cpu().numpy() for part in (volume.images, volume.masks))
    if len(probability) > len(slices):  # a 3-D network predicts what lies between them too
        probability = probability[[z - slices[0] for z in slices]]
    first = entry["box_zyx"][0][0] if "box_zyx" in entry else 0
    return ValidationSlices(
        volume.name,
        [first + z for z in slices],
        _voxel_size(entry, card),
        image,
        truth > 0,
        probability,
    )


def _voxel_size(entry: dict[str, Any], card: ModelCard) -> VoxelSize | None:
    """Voxel size at the model's pixel size; the thickness of a slice is the data's own."""
    given = entry.get("voxel_size_nm")
    if given is None:
        return None
    z, y, x = given
    return (z, *card.pixel_size_nm) if card.pixel_size_nm else (z, y, x)


def _keep(folder: Path, place: int, volume: ValidationSlices, stride: int) -> dict[str, Any]:
    """Write the volumes of one set; gives its row of the record."""
    for layer in LAYERS:
        part = Volume(getattr(volume, layer)[::stride], volume.voxel_size_nm)
        save_volume(part, _file(folder, place, layer), overwrite=True)
    counts = level_counts(volume.probability, volume.truth)
    return {
        "name": volume.name,
        "voxel_size_nm": volume.voxel_size_nm,
        "z": volume.z,
        "stride": stride,
        "levels": counts.every.tolist(),
        "levels_of_foreground": counts.foreground.tolist(),
    }


def _kept(folder: Path, place: int, row: dict[str, Any]) -> KeptSlices:
    size = row["voxel_size_nm"]
    every, foreground = (
        np.array(row[name], np.int64) for name in ("levels", "levels_of_foreground")
    )
    files: Iterator[Path] = (_file(folder, place, layer) for layer in LAYERS)
    return KeptSlices(
        row["name"],
        None if size is None else (size[0], size[1], size[2]),
        row["z"],
        row["z"][:: row["stride"]],
        LevelCounts(every, foreground),
        *(open_volume(file) for file in files),
    )


def _file(folder: Path, place: int, layer: str) -> Path:
    return folder / f"{place}-{layer}.tif"
