"""Hashes of downloads that nobody published: trusted once, compared from then on."""

from __future__ import annotations

import json
from pathlib import Path

from chondria.data.dataset import Download
from chondria.errors import FormatError
from chondria.io.atomic import write_text_atomically

__all__ = ["expected_hash", "file_hash", "hash_record", "remember_hash"]


def hash_record(folder: Path) -> Path:
    """Give the file of a data folder that holds the hashes of first downloads."""
    return folder / "downloads" / "hashes.json"


def expected_hash(download: Download, folder: Path) -> str | None:
    """Give the published hash of a download, or that of the first one; None for a first one.

    Raises
    ------
    FormatError
        If the record of first downloads is damaged.
    """
    return download.hash or _recorded(folder).get(download.path)


def remember_hash(download: Download, folder: Path, found: str) -> None:
    """Write down the hash of a first download whose hash nobody published."""
    if download.hash is None:
        known = _recorded(folder) | {download.path: found}
        text = json.dumps(dict(sorted(known.items())), indent=2) + "\n"
        write_text_atomically(hash_record(folder), text)


def file_hash(file: Path, like: str | None) -> str:
    """Compute a file's hash as ``algorithm:digits``, by the algorithm of another one.

    Parameters
    ----------
    file : Path
        Read in pieces.
    like : str or None
        Such as ``md5:...``; SHA-256 where None.
    """
    import pooch

    algorithm = (like or "sha256:").partition(":")[0]
    return f"{algorithm}:{pooch.file_hash(str(file), alg=algorithm)}"


def _recorded(folder: Path) -> dict[str, str]:
    file = hash_record(folder)
    if not file.is_file():
        return {}
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return {str(path): str(said) for path, said in known.items()}
    except (ValueError, AttributeError) as error:
        raise FormatError(
            f"The record of hashes '{file}' is damaged ({error}); remove it, and the next fetch "
            "writes a new one."
        ) from error
