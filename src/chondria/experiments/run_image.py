"""Find again the image that a run folder's segmentation is of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chondria.errors import InputNotFoundError, PixelValueError, ShapeError
from chondria.io import data_hash, open_slices, open_volume
from chondria.volume import Volume, VoxelSize

__all__ = ["open_run_image"]


def open_run_image(
    record: Mapping[str, Any],
    labels: Volume,
    image: str | Path | None = None,
    voxel_size_nm: VoxelSize | None = None,
) -> Volume:
    """Open the image of a run: the one that is given, or the one that its run.json names.

    Parameters
    ----------
    record : mapping
        The run's run.json.
    labels : Volume, (Z, Y, X)
        The run's labels, whose shape the image must have.
    image : str or Path, optional
        Where the image is; by default where the record says.
    voxel_size_nm : tuple of float, optional
        (z, y, x) in nm; overrules what the files say.

    Returns
    -------
    Volume
        Lazily read, but for its hash, where the record states one.

    Raises
    ------
    InputNotFoundError
        If the record's image is not where it was.
    ShapeError, PixelValueError
        If it is another image.
    """
    files = _files(record, image)
    where = str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    missing = next((path for path in files if not path.name or not path.exists()), None)
    if missing is not None:
        raise InputNotFoundError(
            f"The image '{missing}' is not there (any more); say where it is with --image."
        )
    found = open_volume(files[0], voxel_size_nm)
    if len(files) > 1:
        found = open_slices(files, voxel_size_nm)
    if found.shape != labels.shape:
        raise ShapeError(
            f"Found an image of shape {found.shape} in '{where}' and labels of shape "
            f"{labels.shape} (Z, Y, X); give the image that was segmented with --image."
        )
    known = record.get("image_sha256")
    if known is not None and data_hash(found) != known:
        raise PixelValueError(
            f"The image '{where}' holds other pixels than the one that was segmented; give that "
            "one with --image."
        )
    return found


def _files(record: Mapping[str, Any], image: str | Path | None) -> list[Path]:
    if image is not None:
        return [Path(image)]
    named = record.get("image_files") or [record.get("image", "")]
    return [Path(str(name)) for name in named]
