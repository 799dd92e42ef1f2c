"""A look at an image and its mask before any work: what is unusual, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from chondria.data.alignment import inspect_alignment
from chondria.data.finding import Finding
from chondria.data.inspection_grey import GreyLevels
from chondria.data.inspection_mask import MaskValues
from chondria.data.inspection_order import SliceOrder
from chondria.io.slabs import iter_slabs
from chondria.volume import ArraySource, Volume

__all__ = ["Finding", "inspect_volume"]

SMALLEST_PX = 64
ANISOTROPIC = 3.0

_Progress = Callable[[int, int], None]


def inspect_volume(
    image: Volume, mask: Volume | None = None, progress: _Progress | None = None
) -> list[Finding]:
    """Look at an image, and at the mask that is said to belong to it.

    Both are read once, a slab of slices at a time, and six slices once more for the alignment.

    Parameters
    ----------
    image : Volume, (Z, Y, X)
        Grey levels.
    mask : Volume, (Z, Y, X), optional
        Foreground is what is not zero.
    progress : callable, optional
        Called with the slices that were read so far and those there are, image and mask together.

    Returns
    -------
    list of Finding
        In the order of a table: geometry, grey levels, order of the slices, mask, alignment.
        An unreadable or unusable value is a finding, never an exception.
    """
    tell = progress or (lambda done, total: None)
    fits = mask is not None and mask.shape == image.shape
    total = image.shape[0] * (2 if fits else 1)
    found = [_shape(image), _pixel_type(image), _voxel_size(image)]
    found += _image(image, lambda done: tell(done, total))
    if mask is None:
        return found
    if not fits:
        return [*found, _other_shape(image, mask)]
    values = MaskValues(mask.dtype)
    for z, pixels in _slices(mask.data):
        values.add(pixels)
        tell(image.shape[0] + z + 1, total)
    found += values.findings()
    if image.dtype.kind in "iuf":
        found += inspect_alignment(image.data, mask.data, values.foreground)
    return found


def _image(image: Volume, tell: Callable[[int], None]) -> list[Finding]:
    grey, order = GreyLevels(image.dtype, image.shape[0]), SliceOrder()
    for z, pixels in _slices(image.data):
        order.add(grey.add(pixels))
        tell(z + 1)
    return grey.findings() + order.findings()


def _slices(data: ArraySource) -> Iterator[tuple[int, NDArray[Any]]]:
    for start, _, slab in iter_slabs(data, data.dtype):
        for offset, pixels in enumerate(slab):
            yield start + offset, pixels


def _said(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(size) for size in shape)


def _shape(image: Volume) -> Finding:
    depth, height, width = image.shape
    size = f"{depth * height * width / 1e6:.3g} million voxels"
    said = f"{_said(image.shape)} (z, y, x), {size}"
    if width <= 4 < min(depth, height):
        advice = "the last axis looks like colour channels: give one channel"
        return Finding("shape", said, "warning", advice)
    if min(height, width) < SMALLEST_PX:
        advice = f"slices smaller than {SMALLEST_PX} px: is this Z, Y, X order?"
        return Finding("shape", said, "warning", advice)
    return Finding("shape", said)


def _pixel_type(image: Volume) -> Finding:
    dtype = image.dtype
    names = {"u": "unsigned integer", "i": "signed integer", "f": "floating point"}
    said = f"{dtype}, {8 * dtype.itemsize}-bit {names.get(dtype.kind, 'of another kind')}"
    if dtype.kind in "iu" and dtype.itemsize > 2:
        advice = "wide integers usually hold labels: is this the image?"
        return Finding("pixel type", said, "warning", advice)
    return Finding("pixel type", said)


def _voxel_size(image: Volume) -> Finding:
    if image.voxel_size_nm is None:
        advice = "measures will be in pixels: give --voxel-size Z,Y,X in nm"
        return Finding("voxel size", "not stated", "warning", advice)
    z, y, x = image.voxel_size_nm
    ratio = max(z, y, x) / min(z, y, x)
    kind = "isotropic" if ratio < 1.05 else f"anisotropy {ratio:.2g}"
    said = f"{z:g} x {y:g} x {x:g} nm (z, y, x), {kind}"
    if max(y, x) / min(y, x) > ANISOTROPIC or max(y, x) > ANISOTROPIC * z:
        advice = "unusual: slices are seldom coarser than they are thick; is this Z,Y,X order?"
        return Finding("voxel size", said, "warning", advice)
    return Finding("voxel size", said)


def _other_shape(image: Volume, mask: Volume) -> Finding:
    said = f"mask {_said(mask.shape)}, image {_said(image.shape)}"
    return Finding("mask shape", said, "error", "give the mask of this image, cropped as it is")
