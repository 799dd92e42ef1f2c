"""One grey channel out of an image that was stored with colours, or a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import FormatError

__all__ = ["as_grey"]


def as_grey(image: NDArray[Any], where: str | Path) -> NDArray[Any]:
    """Accept a grey image that was saved as colour; refuse a real colour image.

    Parameters
    ----------
    image : ndarray, (Y, X) or (Y, X, C)
        A decoded slice: grey, grey and alpha, RGB or RGBA.
    where : str or Path
        What to call it in an error message.

    Returns
    -------
    ndarray, (Y, X)
        The only channel, or the one that all others equal.

    Raises
    ------
    FormatError
        If the channels differ or the alpha channel is not opaque.
    """
    if image.ndim == 2:
        return image
    count = image.shape[-1]
    colours = count - 1 if count in (2, 4) else count
    grey = image[..., 0]
    if not all(_equal(grey, image[..., channel]) for channel in range(1, colours)):
        raise FormatError(
            f"Found a {count}-channel image of shape {image.shape} in {where} whose channels "
            "differ (RGB or RGBA colours); a volume has one grey channel: pick one channel and "
            "save it, or convert the image to 8-bit grey."
        )
    if colours < count and not bool((image[..., -1] == _opaque(image.dtype)).all()):
        raise FormatError(
            f"Found an alpha channel that is not opaque in {where}; transparent pixels have no "
            "grey value: remove the alpha channel."
        )
    return np.ascontiguousarray(grey)


def _equal(first: NDArray[Any], second: NDArray[Any]) -> bool:
    # Colours nearly always show in one pixel of 256 already.
    return bool((first[::16, ::16] == second[::16, ::16]).all()) and bool((first == second).all())


def _opaque(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
