from __future__ import annotations

import re
from pathlib import Path

import pytest

from chondria.data.known_sets import KNOWN_SETS
from chondria.data.registry import advising_fetch, find_dataset
from chondria.errors import InputNotFoundError, SettingsError

ADDRESSES = [
    address
    for dataset in KNOWN_SETS.values()
    for download in dataset.downloads
    for address in download.addresses
]


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_every_part_comes_from_somewhere(name: str) -> None:
    dataset = KNOWN_SETS[name]
    files = {download.path for download in dataset.downloads}
    assert dataset.private or {part.source for part in dataset.parts} == files
    paths = [part.path for part in dataset.parts]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith(f"{name}/") for path in paths), "recipes name it so"
    assert all(split.parts for split in dataset.splits)


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_terms_are_known_of_every_set(name: str) -> None:
    dataset = KNOWN_SETS[name]
    assert dataset.terms.endswith(".")
    assert dataset.private or (dataset.citations and dataset.page)


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_images_and_masks_have_one_shape(name: str) -> None:
    for split in KNOWN_SETS[name].splits:
        if split.images is not None:
            assert split.masks is not None
            assert split.images.shape == split.masks.shape
            assert split.images.first_slice == split.masks.first_slice


def test_addresses_and_hashes_are_written_well() -> None:
    assert len(set(ADDRESSES)) == len(ADDRESSES)
    assert all(re.fullmatch(r"https?://\S+", address) for address in ADDRESSES)
    for dataset in KNOWN_SETS.values():
        for download in dataset.downloads:
            said = download.hash
            assert said is None or re.fullmatch("sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", said)


def test_the_size_of_all_downloads() -> None:
    assert find_dataset("epfl").download_bytes == 4 * 129_919_357
    assert find_dataset("cdeep3m").download_bytes is None
    assert find_dataset("achucarro").download_bytes is None


@pytest.mark.parametrize(
    ("name", "meant"), [("luchi++", "lucchi++"), ("EPFL", "epfl"), ("dogs", "dogs-vs-cats")]
)
def test_an_unknown_name_is_told_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"did you mean '{meant}'")):
        find_dataset(name)


def test_a_missing_path_of_a_known_set_says_how_to_fetch_it() -> None:
    command = "chondria datasets fetch vnc --data there"
    with (
        pytest.raises(InputNotFoundError, match=rf"^Gone; get the set 'vnc' with '{command}'\.$"),
        advising_fetch("vnc/train/images", Path("there")),
    ):
        raise InputNotFoundError("Gone.")


@pytest.mark.parametrize("path", ["mine/train/images", "", "/vnc/train"])
def test_a_missing_path_of_another_set_is_left_as_it_is(path: str) -> None:
    with (
        pytest.raises(InputNotFoundError, match=r"^Gone\.$"),
        advising_fetch(path, Path("there")),
    ):
        raise InputNotFoundError("Gone.")
