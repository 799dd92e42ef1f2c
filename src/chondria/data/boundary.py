"""The outlines of objects, which a second channel of a network learns to find.

An outline is a band along the border of every object, inside and outside. Where two objects touch
or nearly touch their bands are one, through the middle of what is foreground alone: there a
watershed can cut. Ronneberger et al. (2015) weighted such gaps in their loss; a channel of its own
for outlines is that of Chen et al. (2016, DCAN) and, for mitochondria, of Wei et al. (2020, the
U3D-BC of MitoEM).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError

__all__ = ["boundary_target"]

# Distances in nm are sums of rounded products.
TOLERANCE = 1e-4


def boundary_target(
    labels: NDArray[Any], pixel_size_nm: tuple[float, float], width_nm: float
) -> NDArray[np.bool_]:
    """Mark what lies near another object, or near the border of object and background.

    A pixel is marked if the centre of one of another number, 0 counts as one, is not farther away
    than the width, within the slice: sections are too thick, and shifted too much, for outlines
    through them. So the middle of an object is not marked, the contact of two that touch is, and a
    gap of up to twice the width is marked from side to side. The image's border is no outline.

    Parameters
    ----------
    labels : ndarray of bool or non-negative int, (Z, Y, X)
        0 is background, each other number one object; which one does not matter. In a binary mask
        what touches is one object.
    pixel_size_nm : tuple of float
        Of the labels, (y, x).
    width_nm : float
        How far the band reaches to each side.

    Returns
    -------
    ndarray of bool, (Z, Y, X)
        The outlines.

    Raises
    ------
    SettingsError
        If the width is smaller than a pixel, so that some outlines would not be seen.

    References
    ----------
    O. Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28 (equation 2);
    H. Chen et al., CVPR 2016, doi:10.1109/CVPR.2016.273;
    D. Wei et al., MICCAI 2020, doi:10.1007/978-3-030-59722-1_7.
    """
    import edt

    if width_nm < max(pixel_size_nm):
        raise SettingsError(
            f"Found boundaries of {width_nm:g} nm for pixels of {pixel_size_nm[0]:g} x "
            f"{pixel_size_nm[1]:g} nm; the width must be at least a pixel."
        )
    target = np.empty(labels.shape, np.bool_)
    for marked, plane in zip(target, labels, strict=True):
        # From each pixel to the nearest of another number; 0 would be left out.
        distance = edt.edt(plane.astype(np.uint64) + 1, anisotropy=pixel_size_nm)
        marked[...] = distance <= width_nm + TOLERANCE
    return target
