"""Look whether a data set is there and whole."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from chondria.data.dataset import DataSet, Part, Split
from chondria.data.finding import Finding
from chondria.data.hash_record import expected_hash, file_hash
from chondria.data.inspection_mask import MaskValues
from chondria.errors import ChondriaError
from chondria.io.detect import slice_files
from chondria.io.opening import open_volume
from chondria.io.slabs import iter_slabs
from chondria.volume import Volume

__all__ = ["count_there", "inspect_dataset", "say_presence"]

_Progress = Callable[[int, int], None]


def count_there(part: Part, folder: Path) -> int:
    """Count the slices, digits or photographs of a part that are there, without reading pixels."""
    path = folder / part.path
    if part.kind in ("digits", "labels"):
        return _idx_shape(path)[0]
    if part.kind == "photographs":
        return sum(1 for _ in path.glob("*.jpg"))
    try:
        return len(slice_files(path)) if path.is_dir() else 0
    except ChondriaError:
        return 0


def say_presence(dataset: DataSet, folder: Path) -> str:
    """Say in a word or two how much of a set is there."""
    counts = [(count_there(part, folder), part.shape[0]) for part in dataset.parts]
    if not any(count for count, _ in counts):
        return "not here"
    missing = [(count, whole) for count, whole in counts if count != whole]
    return f"in part ({missing[0][0]} of {missing[0][1]})" if missing else "here"


def inspect_dataset(
    dataset: DataSet, folder: Path, progress: _Progress = lambda done, total: None
) -> list[Finding]:
    """Look whether a set is there and whole; every mask is read once, images only by headers.

    Parameters
    ----------
    dataset : DataSet
        From the registry.
    folder : Path
        The data folder.
    progress : callable
        Called with the mask slices read of one split and those there are.

    Returns
    -------
    list of Finding
        For each split its parts, then the voxel size and the downloads. What is missing or of
        another shape or hash is an error.
    """
    found: list[Finding] = []
    for split in dataset.splits:
        found += _inspect_split(split, dataset, folder, progress)
    return [*found, *_inspect_downloads(dataset, folder)]


def _inspect_split(
    split: Split, dataset: DataSet, folder: Path, progress: _Progress
) -> Iterator[Finding]:
    yield from (_inspect_part(split.name, part, folder) for part in split.parts)
    images, masks = split.images, split.masks
    if images is None or masks is None:
        return
    if not (count_there(images, folder) and count_there(masks, folder)):
        return
    try:
        volume, truth = (open_volume(folder / part.path) for part in (images, masks))
    except ChondriaError:
        return  # said of the part
    yield _inspect_pairs(split.name, images, masks, folder)
    yield _inspect_voxel_size(split.name, volume, dataset)
    for finding in _inspect_masks(truth, progress):
        yield replace(finding, what=f"{split.name}: {finding.what}")


def _inspect_part(split: str, part: Part, folder: Path) -> Finding:
    path = folder / part.path
    what = f"{split}: {Path(part.path).name if part.kind == 'photographs' else part.kind}"
    if not count_there(part, folder):
        return Finding(what, f"not at '{path}'", "error", "fetch the set")
    try:
        shape = _shape_there(part, path)
    except ChondriaError as error:
        return Finding(what, str(error), "error", "fetch the set again")
    said = _said(shape)
    if shape == part.shape:
        return Finding(what, said)
    if shape[1:] == part.shape[1:] and shape[0] < part.shape[0]:
        said = f"{shape[0]} of {part.shape[0]}, incomplete: {said}"
        return Finding(what, said, "error", "move it away and fetch the set, or use what is there")
    return Finding(what, f"{said}, expected {_said(part.shape)}", "error", "is this the right set?")


def _shape_there(part: Part, path: Path) -> tuple[int, ...]:
    if part.kind in ("images", "masks"):
        return open_volume(path).shape
    if part.kind == "photographs":
        return (sum(1 for _ in path.glob("*.jpg")),)
    return _idx_shape(path)


def _inspect_pairs(split: str, images: Part, masks: Part, folder: Path) -> Finding:
    names = [{file.stem for file in slice_files(folder / part.path)} for part in (images, masks)]
    what = f"{split}: pairs"
    alone = sorted(names[0] ^ names[1])
    if alone:
        said = f"{len(alone)} without image or mask: {', '.join(alone[:5])}"
        return Finding(what, said, "error", "an image and its mask have one name")
    return Finding(what, f"{len(names[0])} images with their masks")


def _inspect_voxel_size(split: str, volume: Volume, dataset: DataSet) -> Finding:
    what, size = f"{split}: voxel size", dataset.voxel_size_nm
    said = _said_nm(size)
    if volume.voxel_size_nm is None:
        return Finding(what, f"not stated in the files; it is {said}")
    if size is None or size[0] is None or volume.voxel_size_nm == size:
        return Finding(what, _said_nm(volume.voxel_size_nm))
    found = f"{_said_nm(volume.voxel_size_nm)} in the files; the registry says {said}"
    return Finding(what, found, "error", "mend voxel_size.json")


def _inspect_masks(truth: Volume, progress: _Progress) -> list[Finding]:
    values = MaskValues(truth.dtype)
    depth = truth.shape[0]
    try:
        for start, _, slab in iter_slabs(truth.data, truth.dtype):
            for offset, pixels in enumerate(slab, start=1):
                values.add(pixels)
                progress(start + offset, depth)
    except ChondriaError as error:
        return [Finding("mask values", str(error), "error", "fetch the set again")]
    return values.findings()


def _inspect_downloads(dataset: DataSet, folder: Path) -> Iterator[Finding]:
    for download in dataset.downloads:
        file = folder / download.path
        if not file.is_file():
            continue
        expected = expected_hash(download, folder)
        if expected is None:
            yield Finding(file.name, "its hash is not known")
        elif (found := file_hash(file, expected)) == expected:
            origin = "as published" if download.hash else "as at the first download"
            yield Finding(file.name, f"{expected[:20]}..., {origin}")
        else:
            said = f"hash {found}, expected {expected}"
            yield Finding(file.name, said, "error", "damaged or another file: fetch it again")


def _idx_shape(path: Path) -> tuple[int, ...]:
    """Read the shape of a compressed IDX file from its header; (0,) where there is none."""
    try:
        with gzip.open(path) as stream:
            _, axes = struct.unpack(">HxB", stream.read(4))
            return struct.unpack(f">{axes}I", stream.read(4 * axes))
    except (OSError, EOFError, struct.error):
        return (0,)


def _said(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _said_nm(size: tuple[float | None, float, float] | None) -> str:
    if size is None:
        return "unknown"
    return " x ".join("-" if length is None else f"{length:g}" for length in size) + " nm (z, y, x)"
