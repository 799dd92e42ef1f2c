"""From a downloaded file to the folders that recipes read, in full or not at all."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from chondria.data.dataset import Part
from chondria.errors import FormatError, ShapeError
from chondria.io.atomic import atomic_target, check_disk_space
from chondria.io.damage import damaged_as_format_error
from chondria.io.header import Grid
from chondria.io.opening import open_volume
from chondria.io.png import encode_png, is_png
from chondria.io.sidecar import write_sidecar
from chondria.io.slabs import iter_slabs
from chondria.io.stack import natural_key
from chondria.volume import VoxelSize

__all__ = ["unpack_part"]

_DRIVE = re.compile("[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


def unpack_part(
    file: Path, part: Part, target: Path, voxel_size_nm: VoxelSize | None = None
) -> None:
    """Unpack images or masks as 8-bit slices 0000.png, 0001.png, ..., or photographs as they are.

    Parameters
    ----------
    file : Path
        A ZIP or tar archive, or a volume where the part names no members.
    part : Part
        What to take out, and of which shape it must be.
    target : Path
        Folder that is made; it appears when it is whole.
    voxel_size_nm : tuple of float, optional
        Written beside the slices.

    Raises
    ------
    FormatError
        If the archive is damaged, holds names that lead out of it, or not the files expected.
    ShapeError
        If slices have another size than expected.
    OutputExistsError, DiskSpaceError
        If the target is not free, or the disk cannot hold it.
    """
    with (
        atomic_target(target, overwrite=False) as folder,
        TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as scratch,
    ):
        folder.mkdir()
        if part.kind == "photographs":
            _extract(file, part, folder)
            return
        files = _extract(file, part, Path(scratch)) if part.members else [file]
        _write_slices(files, part, folder, str(file))
        grid = Grid(_zyx(part), np.dtype(np.uint8), voxel_size_nm)
        write_sidecar(folder, grid)


def _write_slices(files: list[Path], part: Part, folder: Path, where: str) -> None:
    written = 0
    for written, image in enumerate(_slices(files, part), start=1):
        if written > part.shape[0] or image.shape != part.shape[1:]:
            raise ShapeError(
                f"Found slice {written} of shape {image.shape} in '{where}'; {part.path} has the "
                f"shape {part.shape}: is this the right file?"
            )
        number = part.first_slice + written - 1
        (folder / f"{number:04d}.png").write_bytes(encode_png(image))
    if written != part.shape[0]:
        raise ShapeError(
            f"Found {written} slices in '{where}'; {part.path} has {part.shape[0]}: is this the "
            "right file?"
        )


def _slices(files: list[Path], part: Part) -> Iterator[NDArray[Any]]:
    for file in files:
        if part.kind == "masks" and is_png(file):
            yield _mask(_colours(file), part.foreground)
            continue
        data = open_volume(file).data
        for _, _, slab in iter_slabs(data, data.dtype):
            for image in slab:
                is_mask = part.kind == "masks"
                yield _mask(image[..., np.newaxis], part.foreground) if is_mask else image


def _mask(colours: NDArray[Any], foreground: int | None) -> NDArray[np.uint8]:
    """Give 255 where every colour (Y, X, C) says foreground, 0 elsewhere."""
    chosen = colours > 0 if foreground is None else colours == foreground
    return np.where(chosen.all(axis=-1), 255, 0).astype(np.uint8)


def _colours(file: Path) -> NDArray[Any]:
    """Decode a PNG (Y, X, C) without its alpha channel, which says nothing in a mask."""
    import imagecodecs

    with damaged_as_format_error(file):
        pixels: NDArray[Any] = imagecodecs.png_decode(file.read_bytes())
    if pixels.ndim == 2:
        return pixels[..., np.newaxis]
    return pixels[..., :-1] if pixels.shape[-1] in (2, 4) else pixels


def _zyx(part: Part) -> tuple[int, int, int]:
    z, y, x = part.shape
    return z, y, x


def _extract(file: Path, part: Part, folder: Path) -> list[Path]:
    """Write an archive's members of a part flat into a folder, in the order of their names."""
    with damaged_as_format_error(file), _members(file) as members:
        chosen = sorted(_chosen(members, part.members), key=lambda one: natural_key(one.name))
        if len(chosen) != part.shape[0]:
            raise FormatError(
                f"Found {len(chosen)} files '{part.members}' in '{file}'; expected are "
                f"{part.shape[0]}: is this the right file?"
            )
        check_disk_space(folder, 2 * sum(member.size for member in chosen))
        names = {member.name: _flat_name(member, z, part) for z, member in enumerate(chosen)}
        # In the archive's own order: a compressed tar is slow to wind back.
        for member in (member for member in members if member.name in names):
            source = member.open()
            assert source is not None
            with source, (folder / names[member.name]).open("wb") as sink:
                shutil.copyfileobj(source, sink, 2**20)
    return [folder / names[member.name] for member in chosen]


def _flat_name(member: _Member, z: int, part: Part) -> str:
    name = PurePosixPath(member.name)
    return name.name if part.kind == "photographs" else f"{z:06d}{name.suffix}"


def _chosen(members: list[_Member], pattern: str) -> list[_Member]:
    found = []
    for member in members:
        name = PurePosixPath(member.name)
        # macOS puts shadows of the files into archives.
        if name.match(pattern) and not name.name.startswith(".") and "__MACOSX" not in name.parts:
            found.append(member)
    return found


@contextmanager
def _members(file: Path) -> Iterator[list[_Member]]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            yield _safe(
                [_Member(e.filename, e.file_size, partial(archive.open, e)) for e in entries], file
            )
    elif tarfile.is_tarfile(file):
        with tarfile.open(file) as tar:
            held = [entry for entry in tar if entry.isfile()]
            yield _safe([_Member(e.name, e.size, partial(tar.extractfile, e)) for e in held], file)
    else:
        raise FormatError(
            f"The file '{file}' is no ZIP or tar archive; remove it and fetch it again."
        )


def _safe(members: list[_Member], file: Path) -> list[_Member]:
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(member.name):
            raise FormatError(
                f"The archive '{file}' holds the name '{member.name}', which leads out of it; such "
                "an archive is not unpacked: get it from another place."
            )
    return members
