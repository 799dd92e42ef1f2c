"""Every error that a user can cause, in one tree.

Each message is one sentence: what was found, where, what is allowed, what to do. The command line
prints it and exits with code 2. The leaves are also the builtin errors that a script would expect.
"""

__all__ = [
    "ChondriaError",
    "DesignError",
    "DeviceError",
    "DiskSpaceError",
    "DownloadError",
    "FormatError",
    "InputNotFoundError",
    "MissingPackageError",
    "ModelError",
    "OutputExistsError",
    "PixelValueError",
    "SettingsError",
    "ShapeError",
    "VoxelSizeError",
]


class ChondriaError(Exception):
    """Something the user gave cannot be used; the message says what and how to mend it."""


class InputNotFoundError(ChondriaError, FileNotFoundError):
    """A file or folder that was named does not exist or holds no image."""


class FormatError(ChondriaError, ValueError):
    """A file is not what its name or header says: unknown, truncated or damaged."""


class ShapeError(ChondriaError, ValueError):
    """An array has the wrong number of axes or the wrong size."""


class PixelValueError(ChondriaError, ValueError):
    """Pixel values that cannot be worked with: NaN, infinite, constant, not binary."""


class VoxelSizeError(ChondriaError, ValueError):
    """A voxel size that is not three positive lengths in a plausible range of nanometres."""


class SettingsError(ChondriaError, ValueError):
    """A setting of a recipe or an option is unknown or out of bounds."""


class OutputExistsError(ChondriaError, FileExistsError):
    """The output already holds something that would be lost."""


class DiskSpaceError(ChondriaError, OSError):
    """The disk has too little room for what is to be written."""


class DownloadError(ChondriaError, OSError):
    """A file cannot be downloaded: no network, a refusal, a connection that breaks."""


class ModelError(ChondriaError, ValueError):
    """A model file that is not a chondria model, or one of another network."""


class DesignError(ChondriaError, ValueError):
    """The design of a comparison that contradicts itself, its tables, or allows no comparison."""


class DeviceError(ChondriaError, RuntimeError):
    """The device that was asked for is not on this machine."""


class MissingPackageError(ChondriaError, ImportError):
    """An optional package is needed; the message names the command that installs it."""
