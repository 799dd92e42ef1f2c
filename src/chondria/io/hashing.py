"""A fingerprint of a volume's values, the same for every format it is stored in."""

from __future__ import annotations

import numpy as np

from chondria.io.header import pixel_dtype
from chondria.io.slabs import iter_slabs
from chondria.volume import Volume

__all__ = ["data_hash"]


def data_hash(volume: Volume) -> str:
    """Compute the SHA-256 of a volume's type, shape and values.

    Parameters
    ----------
    volume : Volume
        Values (Z, Y, X); lazy ones are read a few slices at a time. The voxel size does not count.

    Returns
    -------
    str
        64 hexadecimal digits over the NumPy name of the pixel type, the shape, and the values in
        C order and little-endian bytes.

    Raises
    ------
    FormatError
        If the pixels are neither integers nor floats.
    """
    import hashlib

    dtype = pixel_dtype(volume.dtype, "the volume")
    digest = hashlib.sha256(f"{dtype.name} {volume.shape}".encode())
    for _, _, slab in iter_slabs(volume.data, dtype):
        digest.update(np.ascontiguousarray(slab, dtype.newbyteorder("<")).data)
    return digest.hexdigest()
