"""Open some slices of a stack, so that training and test can be parts of one."""

from __future__ import annotations

from pathlib import Path

from chondria.errors import SettingsError
from chondria.io import open_volume
from chondria.volume import Volume, VoxelSize

__all__ = ["open_stack_part"]


def open_stack_part(
    path: Path,
    voxel_size_nm: VoxelSize | None,
    slices: tuple[int, int] | None,
    every: int = 1,
) -> Volume:
    """Open a stack, or a block of its slices, or every n-th of them.

    Parameters
    ----------
    path : Path
        Anything that `chondria.io.open_volume` opens.
    voxel_size_nm : tuple of float or None
        Edge lengths (z, y, x) in nanometres; overrules what the file says.
    slices : tuple of int or None
        First and last slice, counted from 0, both included; None for all, which are then read
        when they are asked for. Of a block no other slice is read.
    every : int
        The first slice and each n-th after it; 1 takes all.

    Returns
    -------
    Volume
        The block, (Z, Y, X); its slices count as `every` times as thick.

    Raises
    ------
    SettingsError
        If the stack ends before the block does.
    ChondriaError
        As `open_volume`.
    """
    volume = open_volume(path, voxel_size_nm)
    if slices is None and every == 1:
        return volume
    first, last = slices or (0, volume.shape[0] - 1)
    if last >= volume.shape[0]:
        raise SettingsError(
            f"Found slices {first} to {last} asked of '{path}', which has 0 to "
            f"{volume.shape[0] - 1}; give a first and a last slice that are there."
        )
    size = volume.voxel_size_nm
    return Volume(
        volume.data[first : last + 1 : every],
        size and (every * size[0], *size[1:]),
        volume.origin_nm,
    )
