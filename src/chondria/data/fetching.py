"""Bring a data set into the data folder: download, compare the hash, unpack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from chondria.data.dataset import DataSet, Download, Part
from chondria.data.downloading import ResumingDownloader, Tell
from chondria.data.hash_record import expected_hash, file_hash, remember_hash
from chondria.data.presence import count_there
from chondria.data.registry import fetch_command
from chondria.data.unpacking import unpack_part
from chondria.errors import (
    DownloadError,
    FormatError,
    InputNotFoundError,
    OutputExistsError,
    ShapeError,
)
from chondria.io.atomic import check_disk_space

__all__ = ["Watch", "fetch_dataset"]

#: Called with what is being done; gives a function that is told of the bytes.
Watch = Callable[[str], Tell]


def _unwatched(what: str) -> Tell:
    return lambda done, total: None


def fetch_dataset(
    dataset: DataSet, folder: Path, watch: Watch = _unwatched, *, pause_s: float = 1.0
) -> list[str]:
    """Download and unpack what is missing of a data set.

    A file that was put by hand where it would be downloaded to is taken as it is, once its hash is
    the expected one. Downloads stay; they may be deleted once they are unpacked.

    Parameters
    ----------
    dataset : DataSet
        From the registry.
    folder : Path
        The data folder; made where it is missing.
    watch : callable
        Told what is being done.
    pause_s : float
        Seconds between attempts of a download that breaks off.

    Returns
    -------
    list of str
        Paths of what was made, relative to the data folder; empty where all was there.

    Raises
    ------
    InputNotFoundError
        If the set has to be put there by hand.
    DownloadError
        If a file cannot be downloaded; the sentence says where to put it.
    FormatError, ShapeError
        If a file has another hash than expected, or cannot be unpacked.
    OutputExistsError
        If some slices of a part are there already.
    DiskSpaceError
        If the disk cannot hold it.
    """
    todo = [part for part in dataset.parts if count_there(part, folder) != part.shape[0]]
    if not todo:
        return []
    if not dataset.downloads:
        raise InputNotFoundError(_by_hand(dataset, todo, folder))
    _refuse_partial(todo, folder)
    sources = {part.source for part in todo}
    needed = [download for download in dataset.downloads if download.path in sources]
    _make_folder(folder)
    _check_space(needed, folder)
    for download in needed:
        came = _obtain(dataset, download, needed, folder, watch, pause_s)
        made = [part for part in todo if part.source == download.path]
        try:
            _unpack(made, dataset, folder, watch)
        except (FormatError, ShapeError):
            if came and expected_hash(download, folder) is None:
                (folder / download.path).unlink()  # an error page, perhaps: nobody vouches for it
            raise
        if expected_hash(download, folder) is None:
            remember_hash(download, folder, file_hash(folder / download.path, None))
    return [part.path for part in todo]


def _unpack(parts: Sequence[Part], dataset: DataSet, folder: Path, watch: Watch) -> None:
    size = dataset.voxel_size_nm
    voxel_size_nm = None if size is None or size[0] is None else (size[0], size[1], size[2])
    for part in parts:
        if part.source is not None and part.source != part.path:
            watch(f"unpacking {part.path}")
            unpack_part(folder / part.source, part, folder / part.path, voxel_size_nm)


def _obtain(
    dataset: DataSet,
    download: Download,
    needed: Sequence[Download],
    folder: Path,
    watch: Watch,
    pause_s: float,
) -> bool:
    """Make sure that a file is there; say whether it was downloaded now."""
    file = folder / download.path
    if file.exists():
        _check_hash(file, expected_hash(download, folder))
        return False
    if not download.addresses:
        raise InputNotFoundError(
            f"'{file.name}' needs a login at {dataset.page} and cannot be downloaded here; "
            f"{_put(dataset, needed, folder)}"
        )
    failures = []
    for address in download.addresses:
        try:
            _download(address, download, folder, watch(file.name), pause_s)
            return True
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError(f"{' and '.join(failures)}; {_put(dataset, needed, folder)}")


def _download(address: str, download: Download, folder: Path, tell: Tell, pause_s: float) -> None:
    import pooch

    file = folder / download.path
    expected = expected_hash(download, folder)
    pooch.get_logger().setLevel("WARNING")  # it would talk between the lines of the bar
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        pooch.retrieve(
            address,
            known_hash=expected,
            fname=file.name,
            path=file.parent,
            downloader=ResumingDownloader(
                file.with_name(f"{file.name}.part"), tell, pause_s=pause_s
            ),
        )
    except ValueError as error:
        raise FormatError(
            f"The file at '{address}' has another hash than expected ({expected}), and nothing of "
            f"it was kept; try again, and if that does not help the file there is another one now."
        ) from error


def _check_hash(file: Path, expected: str | None) -> None:
    if expected is not None and (found := file_hash(file, expected)) != expected:
        raise FormatError(
            f"The file '{file}' has the hash {found} and {expected} is expected: it is damaged or "
            "another one; remove it and fetch it again."
        )


def _refuse_partial(todo: Sequence[Part], folder: Path) -> None:
    for part in todo:
        count = count_there(part, folder)
        if count or (part.source != part.path and (folder / part.path).exists()):
            raise OutputExistsError(
                f"'{folder / part.path}' holds {count} of {part.shape[0]} already, and nothing is "
                "written over; move it away to fetch the whole, or use it as it is."
            )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputNotFoundError(
            f"The data folder '{folder}' cannot be made ({error.strerror}); give another one with "
            "--data."
        ) from error


def _check_space(needed: Sequence[Download], folder: Path) -> None:
    missing = [download for download in needed if not (folder / download.path).exists()]
    check_disk_space(folder, sum(download.size_bytes or 0 for download in missing))


def _put(dataset: DataSet, needed: Sequence[Download], folder: Path) -> str:
    """Say which files to download by hand, and where to put them."""
    missing = [download for download in needed if not (folder / download.path).exists()]
    moves = ", ".join(
        f"{download.addresses[0] if download.addresses else dataset.page} to "
        f"'{(folder / download.path).absolute()}'"
        for download in missing
    )
    command = fetch_command(dataset.name, folder)
    return f"by hand, download {moves}, then run '{command}' again."


def _by_hand(dataset: DataSet, todo: Sequence[Part], folder: Path) -> str:
    wanted = ", ".join(
        f"{part.shape[0]} {part.kind[:-1] if part.shape[0] == 1 else part.kind} of "
        f"{part.shape[1]} x {part.shape[2]} px into "
        f"'{(folder / part.path).absolute()}' (0000.png, ...)"
        for part in todo
    )
    command = fetch_command(dataset.name, folder, "check")
    return (
        f"The set '{dataset.name}' is private and cannot be downloaded; if its owners gave it to "
        f"you, put {wanted}, then run '{command}'."
    )
