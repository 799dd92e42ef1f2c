"""What is known of a data set: where it comes from, what it holds, on which terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DataSet", "Download", "Part", "Split"]


@dataclass(frozen=True, slots=True)
class Download:
    """One file that is downloaded.

    Parameters
    ----------
    path : str
        Where it is put, relative to the data folder.
    addresses : tuple of str
        Tried in this order; empty where it must be fetched by hand.
    hash : str or None
        ``sha256:...`` or ``md5:...``; None where nobody published one. Then the hash of the first
        download is written down and compared from then on.
    size_bytes : int or None
        For the list and the room on the disk; None where nobody published it.
    """

    path: str
    addresses: tuple[str, ...] = ()
    hash: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Images, masks or labels of a split, as recipes name them.

    Parameters
    ----------
    path : str
        File or folder, relative to the data folder.
    shape : tuple of int
        (Z, Y, X) of images and masks, (N, Y, X) of digits, (N,) of labels and of photographs.
    kind : {"images", "masks", "digits", "labels", "photographs"}
        Images and masks are folders of slices; digits and labels IDX files; photographs a folder of
        JPEG files of one class.
    source : str or None
        `Download.path` of the file that it is unpacked from; None where it is put there by hand.
    members : str
        Pattern of the archive's files that are its slices, matched from the right; empty where the
        file itself is the volume.
    foreground : int or None
        The only value of a mask that is foreground; None where all above zero is.
    first_slice : int
        Number of the first slice's file.
    """

    path: str
    shape: tuple[int, ...]
    kind: Literal["images", "masks", "digits", "labels", "photographs"]
    source: str | None = None
    members: str = ""
    foreground: int | None = None
    first_slice: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """What one learns from (train), or is judged on (test)."""

    name: str
    parts: tuple[Part, ...]

    @property
    def images(self) -> Part | None:
        """The slices, or None for a set that is no volume."""
        return next((part for part in self.parts if part.kind == "images"), None)

    @property
    def masks(self) -> Part | None:
        """The masks of the slices, or None for a set that is no volume."""
        return next((part for part in self.parts if part.kind == "masks"), None)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of the registry.

    Parameters
    ----------
    name : str
        As recipes and the command line call it.
    what : str
        Specimen and microscope, in a few words.
    page : str
        Where people find it described; empty for a private set.
    licence : str
        In a few words.
    terms : str
        What may be done with it, in one sentence.
    citations : tuple of str
        What to cite.
    splits : tuple of Split
        Train first.
    downloads : tuple of Download
        Files that the splits are made of; empty for a private set.
    voxel_size_nm : tuple of (float or None), or None
        (z, y, x) in nanometres; z is None for single images, all is None for photographs.
    private : bool
        Whether only its owners can give it.
    notes : tuple of str
        What one should know before one uses it, one sentence each.
    """

    name: str
    what: str
    page: str
    licence: str
    terms: str
    citations: tuple[str, ...]
    splits: tuple[Split, ...]
    downloads: tuple[Download, ...] = ()
    voxel_size_nm: tuple[float | None, float, float] | None = None
    private: bool = False
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Parts of all splits."""
        return tuple(part for split in self.splits for part in split.parts)

    @property
    def download_bytes(self) -> int | None:
        """Bytes of all downloads; None where one is not known, or there is none."""
        sizes = [download.size_bytes for download in self.downloads]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None
