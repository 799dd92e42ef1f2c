"""Files in and out: open, save and create volumes of any format.

TIFF, PNG, folders of slices, OME-Zarr, Zarr, HDF5, MRC, NIfTI and .npy. Packages that read them
are imported when they are needed.
"""

from chondria.io.detect import volume_format
from chondria.io.formats import FORMATS, VolumeFormat, format_suffix
from chondria.io.hashing import data_hash
from chondria.io.opening import open_slices, open_volume
from chondria.io.saving import create_volume, save_volume
from chondria.io.slabs import ArraySink
from chondria.io.stack import SliceStack

__all__ = [
    "FORMATS",
    "ArraySink",
    "SliceStack",
    "VolumeFormat",
    "create_volume",
    "data_hash",
    "format_suffix",
    "open_slices",
    "open_volume",
    "save_volume",
    "volume_format",
]
