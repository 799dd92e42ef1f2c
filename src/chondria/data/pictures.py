"""Photographs in a folder for each class, brought to one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError, InputNotFoundError

__all__ = ["read_pictures"]

SUFFIXES = (".jpg", ".jpeg", ".png")


def read_pictures(
    folder: str | Path, shape_yx: tuple[int, int] = (150, 150)
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[str]]:
    """Read every picture of a folder's folders.

    Parameters
    ----------
    folder : str or Path
        Holds a folder for each class, with JPEG or PNG files in it.
    shape_yx : tuple of int
        The size, in pixels, that all are brought to (thesis 5.3: 150 x 150).

    Returns
    -------
    tuple
        Images (N, Y, X, 3), the number of each one's class (N,), and the names of the classes in
        alphabetical order.

    Raises
    ------
    InputNotFoundError
        If there are not at least two classes with pictures.
    FormatError
        If a file is no picture.
    """
    folder = Path(folder)
    places = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    files = [(number, path) for number, place in enumerate(places) for path in _pictures(place)]
    if len({number for number, _ in files}) < 2 or len({n for n, _ in files}) < len(places):
        raise InputNotFoundError(
            f"Found no pictures of at least two classes in '{folder}'; it must hold a folder for "
            "each class with .jpg or .png files, such as train/cat and train/dog."
        )
    images = np.stack([_read(path, shape_yx) for _, path in files])
    labels = np.array([number for number, _ in files], np.uint8)
    return images, labels, [place.name for place in places]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _read(path: Path, shape_yx: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = shape_yx
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    except OSError as error:
        raise FormatError(
            f"Cannot read the picture {path} ({error}): it is damaged or no picture; take it out."
        ) from error
    return np.asarray(small)
