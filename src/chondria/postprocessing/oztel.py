"""The post-processing of Oztel et al. 2017: spurious detections, boundaries, and then z.

The third step, a median over nine slices, is `chondria.postprocessing.filters.z_median`.

References
----------
.. [1] I. Oztel, G. Yolcu, I. Ersoy, T. White, F. Bunyak, "Mitochondria segmentation in electron
   microscopy volumes using deep convolutional neural network", BIBM 2017,
   doi:10.1109/BIBM.2017.8217827.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chondria.errors import SettingsError, ShapeError
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.instances import connected_instances, keep_objects
from chondria.volume import ArraySource, as_zyx

__all__ = ["drop_spurious", "refine_boundaries"]

# Of the Gaussian whose derivative is the gradient: the noise of single pixels is no boundary.
GRADIENT_SIGMA_PX: Final = 1.0
OUTSIDE, INSIDE = 1, 2


def drop_spurious(
    mask: NDArray[Any], probability: NDArray[Any], least_mean: float = 0.8
) -> NDArray[np.bool_]:
    """Drop what is connected within a slice and of too small a mean probability: step 1 [1]_.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X)
        Foreground where it is not zero; connected over corners too.
    probability : ndarray, (Z, Y, X)
        Floats 0 to 1, or uint8, where 255 is certainty.
    least_mean : float
        Smallest mean probability of a component that stays, 0 to 1.

    Returns
    -------
    ndarray of bool, (Z, Y, X)
        What is left of the mask.

    Raises
    ------
    ShapeError
        If the shapes differ.
    SettingsError
        If the mean is not between 0 and 1.
    """
    if not 0 <= least_mean <= 1:
        raise SettingsError(
            f"Found {least_mean:g} as the least mean probability of a detection; it must be "
            "between 0 and 1, such as 0.8."
        )
    components = connected_instances(mask, dimensions=2)
    confidence = object_confidence(components, probability)
    likely = confidence.mean_probability >= least_mean
    kept: NDArray[np.bool_] = keep_objects(components, likely) != 0
    return kept


def refine_boundaries(
    mask: NDArray[Any], image: ArraySource, reach_px: int = 3
) -> NDArray[np.bool_]:
    """Move the outlines of a mask onto the nearest edges of the image: step 2 [1]_.

    In each slice the inside and the outside of the mask are eroded by a disc, and a watershed on
    the gradient of the image grows both again until they meet. What the erosion would take
    whole, be it a thin object or a thin gap, stays as it is.

    Parameters
    ----------
    mask : ndarray, (Z, Y, X)
        Foreground where it is not zero.
    image : ArraySource, (Z, Y, X)
        Grey values of any real type, read slice by slice.
    reach_px : int
        Radius of the disc: how far an outline can move; 0 changes nothing.

    Returns
    -------
    ndarray of bool, (Z, Y, X)
        The refined copy.

    Raises
    ------
    ShapeError
        If the shapes differ.
    SettingsError
        If the radius is negative.
    """
    if reach_px < 0:
        raise SettingsError(
            f"Found a reach of {reach_px} px for the refinement of boundaries; give a whole number "
            "of pixels, 0 or more."
        )
    foreground: NDArray[np.bool_] = as_zyx(mask, "the mask") != 0
    if foreground.shape != tuple(image.shape):
        raise ShapeError(
            f"Found a mask of shape {foreground.shape} and an image of shape "
            f"{tuple(image.shape)}; both must be of one volume."
        )
    refined = foreground.copy()
    for z, plane in enumerate(foreground):
        if reach_px and plane.any() and not plane.all():
            refined[z] = _refine_slice(plane, np.asarray(image[z]), reach_px)
    return refined


def _refine_slice(plane: NDArray[np.bool_], grey: NDArray[Any], reach_px: int) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation, gaussian_gradient_magnitude
    from skimage.segmentation import watershed

    inside, outside = _eroded(plane, reach_px), _eroded(~plane, reach_px)
    markers = np.where(inside, INSIDE, np.where(outside, OUTSIDE, 0))
    undecided = markers == 0
    if not undecided.any():
        return plane
    gradient = gaussian_gradient_magnitude(grey.astype(np.float32), GRADIENT_SIGMA_PX)
    # Only markers at the undecided grow; the rest of them would merely wait in the queue.
    near = binary_dilation(undecided, np.ones((3, 3)))
    grown = watershed(gradient, np.where(near, markers, 0), mask=near)  # type: ignore[no-untyped-call]
    refined: NDArray[np.bool_] = np.where(undecided, grown == INSIDE, plane)
    return refined


def _eroded(side: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    """Erode one side of a slice, but keep the components that nothing would be left of.

    The edge of the slice erodes nothing: what lies beyond it is not known to be the other side.
    """
    from scipy.ndimage import distance_transform_edt, label

    eroded: NDArray[np.bool_] = distance_transform_edt(side) > reach_px
    components, count = label(side)
    lasting = np.zeros(count + 1, np.bool_)
    lasting[components[eroded]] = True
    eroded |= side & ~lasting[components]
    return eroded
