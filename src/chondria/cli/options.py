"""What several commands' options mean: voxel sizes and lists of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from chondria.errors import InputNotFoundError, SettingsError, ShapeError, VoxelSizeError

if TYPE_CHECKING:
    from chondria.data.phantom_style import PhantomStyle
    from chondria.experiments.segmentation_settings import SegmentationSettings
    from chondria.inference.compute import Compute
    from chondria.inference.prediction_settings import PredictionSettings
    from chondria.models import Model
    from chondria.volume import Volume, VoxelSize

__all__ = [
    "ALSO",
    "BACKEND",
    "BLENDING",
    "DEVICE",
    "DRY_RUN",
    "MODEL",
    "PRECISION",
    "TRUST",
    "TTA",
    "VOXEL_SIZE",
    "announce",
    "format_of",
    "open_images",
    "parse_shape",
    "parse_slices",
    "parse_voxel_size",
    "phantom_style",
    "prediction_settings",
    "segmentation_settings",
]

MODEL = "mito-em"
VOXEL_SIZE = "Edge lengths of a voxel in nm, Z,Y,X; overrides the file's."
BLENDING = "none, or spline: the thesis's windows of 256 px in 8 flips and rotations; slow."
TTA = "none, or d4: average over 8 flips and rotations."
DEVICE = "auto, cpu, cuda, cuda:N or mps."
PRECISION = "auto, fp32, bf16, or int8 (OpenVINO; fastest, least exact)."
BACKEND = "auto, torch, or openvino (CPU; faster where it is installed)."
TRUST = "none, or views: say how far 8 flips and rotations agree on each object; 8 times the time."
ALSO = "Another model, such as another seed, to compare with on each object; repeatable."
DRY_RUN = "Say what would be done; write nothing."


def parse_voxel_size(text: str | None) -> VoxelSize | None:
    """Read a voxel size as written on the command line.

    Parameters
    ----------
    text : str or None
        Three lengths in nanometres, Z,Y,X, for example ``40,5.9,5.9``; None where none was given.

    Returns
    -------
    tuple of float or None
        The three lengths (z, y, x); None for None.

    Raises
    ------
    VoxelSizeError
        If the text is not three numbers with commas between, or they are not plausible lengths.
    """
    if text is None:
        return None
    from chondria.volume import as_voxel_size

    try:
        lengths = [float(part) for part in text.split(",")]
    except ValueError:
        raise _refused(text) from None
    if len(lengths) != 3:
        raise _refused(text)
    return as_voxel_size(lengths)


def open_images(paths: Sequence[Path], voxel_size_nm: VoxelSize | None = None) -> Volume:
    """Open one volume, or several files as the slices of one.

    Parameters
    ----------
    paths : sequence of Path
        One file or folder of any format that is read, or several image files: one slice each,
        put in the natural order of their names.
    voxel_size_nm : tuple of float, optional
        Edge lengths (z, y, x) in nanometres; overrides what the files say.

    Returns
    -------
    Volume
        Lazy values in Z, Y, X order.

    Raises
    ------
    InputNotFoundError
        If no path is given, or one does not exist.
    FormatError, ShapeError, VoxelSizeError
        If a file cannot be read as an image (see `chondria.io.opening`).
    """
    from chondria.io.opening import open_slices, open_volume

    if not paths:
        raise InputNotFoundError("Found no image to open; name a file, a folder or several slices.")
    if len(paths) == 1:
        return open_volume(paths[0], voxel_size_nm)
    return open_slices(list(paths), voxel_size_nm)


def format_of(paths: Sequence[Path]) -> str:
    """Tell the format of what `open_images` opens: that of a file, or of a folder of slices."""
    from chondria.io import volume_format

    key = volume_format(paths[0])
    return key if len(paths) == 1 or key.endswith("-slices") else f"{key}-slices"


def parse_shape(text: str) -> tuple[int, int, int]:
    """Read a shape ``Z,Y,X``.

    Raises
    ------
    ShapeError
        If it is not three whole numbers above zero.
    """
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) for part in parts):
        raise ShapeError(f"Found the shape '{text}'; give three whole numbers Z,Y,X above zero.")
    z, y, x = map(int, parts)
    return z, y, x


def parse_slices(text: str | None) -> tuple[int, int] | None:
    """Read the first and the last of a block of slices, counted from 0; None for None.

    Raises
    ------
    SettingsError
        If it is not two whole numbers in order.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(map(str.isdecimal, parts)) or int(parts[0]) > int(parts[1]):
        raise SettingsError(
            f"Found the slices '{text}'; give the first and the last, counted from 0, such as "
            "141,164."
        )
    return int(parts[0]), int(parts[1])


def phantom_style(name: str, seed: int) -> PhantomStyle:
    """Choose a style of phantom by name.

    Raises
    ------
    SettingsError
        If there is no such style.
    """
    import numpy as np

    from chondria.data.phantom_style import PhantomStyle

    match name:
        case "fib":
            return PhantomStyle()
        case "serial":
            return PhantomStyle.serial_section()
        case "random":
            return PhantomStyle.random(np.random.default_rng(seed))
    raise SettingsError(f"Found the style '{name}'; allowed are fib, serial and random.")


def segmentation_settings(**values: Any) -> SegmentationSettings:
    """Make segmentation settings of options."""
    from chondria.experiments.segmentation_settings import SegmentationSettings

    return SegmentationSettings(**values)


def prediction_settings(tta: str, blending: str, compute: Compute) -> PredictionSettings:
    """Make prediction settings of options."""
    from chondria.inference.prediction_settings import PredictionSettings

    return PredictionSettings(
        compute,
        tta=cast('Literal["none", "d4"]', tta),
        blending=cast('Literal["none", "spline"]', blending),
    )


def announce(model: Model, volume: Volume, compute: Compute) -> None:
    """Say what runs where; warn loudly where nobody said the voxel size."""
    from chondria.cli.progress import console, say

    say(f"model {model.card.name} on {compute}; volume {volume.shape} {volume.dtype}")
    if volume.voxel_size_nm is None:
        console.print(
            "WARNING: the file states no voxel size and none was given. The image is taken as it "
            f"is (the model expects {model.card.pixel_size_nm} nm pixels) and every measure is in "
            "pixels. Give --voxel-size Z,Y,X in nm.",
            style="bold yellow",
        )


def _refused(text: str) -> VoxelSizeError:
    return VoxelSizeError(
        f"Found the voxel size '{text}'; give three lengths in nm as Z,Y,X, for example 40,5.9,5.9."
    )
