"""Downloads from a local server: whole, broken off, refused, with another hash, by hand."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tifffile

from chondria.data.dataset import DataSet, Download, Part, Split
from chondria.data.fetching import fetch_dataset
from chondria.data.hash_record import hash_record
from chondria.data.known_sets import KNOWN_SETS
from chondria.data.presence import inspect_dataset
from chondria.errors import (
    DiskSpaceError,
    DownloadError,
    FormatError,
    InputNotFoundError,
    OutputExistsError,
    ShapeError,
)
from chondria.io import open_volume

CHUNK_BYTES = 100


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chondria.data.downloading.CHUNK_BYTES", CHUNK_BYTES)


@pytest.fixture
def server(served: ModuleType) -> Iterator[Any]:
    with served.serve(**{"tiny.zip": served.ARCHIVE}) as running:
        yield running


def fetch(dataset: DataSet, folder: Path) -> list[str]:
    return fetch_dataset(dataset, folder, pause_s=0.0)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_downloads_and_unpacks_what_recipes_read(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/tiny.zip", known=served.HASH)
    made = fetch(dataset, tmp_path / "data")
    assert made == ["tiny/train/images", "tiny/train/labels"]
    images = open_volume(tmp_path / "data/tiny/train/images")
    np.testing.assert_array_equal(images.numpy(), served.slices(1))
    assert images.voxel_size_nm == (30.0, 4.0, 4.0)
    masks = open_volume(tmp_path / "data/tiny/train/labels").numpy()
    np.testing.assert_array_equal(masks, np.where(served.labels() == 255, 255, 0))
    assert files(tmp_path / "data/downloads") == ["tiny.zip"]
    assert not [one for one in inspect_dataset(dataset, tmp_path / "data") if one.level == "error"]
    assert fetch(dataset, tmp_path / "data") == []
    assert len(server.requests) == 1


def test_a_broken_connection_goes_on_where_it_broke_off(server, served, tmp_path: Path) -> None:
    server.breaks = 2
    fetch(served.small_set(f"{server.root}/tiny.zip", known=served.HASH), tmp_path)
    half = len(served.ARCHIVE) // 2
    starts = [
        int(wanted.removeprefix("bytes=").removesuffix("-")) for wanted in server.requests[1:]
    ]
    # What is lost of each try is less than a chunk.
    assert half - CHUNK_BYTES < starts[0] <= half < starts[1] < len(served.ARCHIVE)
    assert len(starts) == 2
    assert (tmp_path / "downloads/tiny.zip").read_bytes() == served.ARCHIVE


def test_what_arrived_is_kept_for_the_next_command(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/tiny.zip", known=served.HASH)
    server.breaks = 4
    with pytest.raises(DownloadError, match=r"broke off 4 times \(\d+ bytes are kept\)"):
        fetch(dataset, tmp_path)
    assert files(tmp_path) == ["downloads/tiny.zip.part"]
    fetch(dataset, tmp_path)
    assert server.requests[-1].startswith("bytes=")
    assert "downloads/tiny.zip.part" not in files(tmp_path)


@pytest.mark.parametrize("more", [0, 7], ids=["whole", "longer"])
def test_a_part_that_is_no_part(server, served, tmp_path: Path, more: int) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads/tiny.zip.part").write_bytes(served.ARCHIVE + bytes(more))
    fetch(served.small_set(f"{server.root}/tiny.zip", known=served.HASH), tmp_path)
    assert (tmp_path / "downloads/tiny.zip").read_bytes() == served.ARCHIVE


def test_a_server_without_ranges_sends_all_again(server, served, tmp_path: Path) -> None:
    server.ranges, server.breaks = False, 1
    fetch(served.small_set(f"{server.root}/tiny.zip", known=served.HASH), tmp_path)
    assert (tmp_path / "downloads/tiny.zip").read_bytes() == served.ARCHIVE


def test_another_hash_leaves_nothing(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/tiny.zip", known=served.sha256(b"other"))
    with pytest.raises(FormatError, match="another hash than expected"):
        fetch(dataset, tmp_path)
    assert files(tmp_path) == []


def test_refused_says_where_to_put_the_file(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/gone.zip")
    with pytest.raises(DownloadError) as caught:
        fetch(dataset, tmp_path)
    said = str(caught.value)
    assert "404 Not Found" in said
    assert f"download {server.root}/gone.zip to '{tmp_path / 'downloads/tiny.zip'}'" in said
    assert said.endswith(f"run 'chondria datasets fetch tiny --data {tmp_path}' again.")
    assert len(server.requests) == 1, "a refusal is final"
    assert files(tmp_path) == []


def test_offline_tries_every_mirror_and_names_each_file(served, tmp_path: Path) -> None:
    root = f"http://127.0.0.1:{closed_port()}"
    dataset = served.small_set(f"{root}/a.zip", f"{root}/b.zip")
    with pytest.raises(DownloadError, match=r"a\.zip' cannot be reached.*b\.zip' cannot be") as one:
        fetch(dataset, tmp_path)
    assert "\n" not in str(one.value)
    assert files(tmp_path) == []


def test_the_second_mirror_serves(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/gone.zip", f"{server.root}/tiny.zip")
    assert fetch(dataset, tmp_path)


def test_a_first_hash_is_trusted_and_then_compared(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/tiny.zip")
    fetch(dataset, tmp_path)
    record = json.loads(hash_record(tmp_path).read_text())
    assert record == {"downloads/tiny.zip": served.HASH}
    (tmp_path / "downloads/tiny.zip").unlink()
    (tmp_path / "tiny").rename(tmp_path / "away")
    server.files["tiny.zip"] = served.archive(served.members() | {"new.txt": b"new"})
    with pytest.raises(FormatError, match="another hash"):
        fetch(dataset, tmp_path)
    assert "downloads/tiny.zip" not in files(tmp_path)
    hash_record(tmp_path).write_text("[")
    with pytest.raises(FormatError, match="record of hashes"):
        fetch(dataset, tmp_path)


def test_a_page_instead_of_the_file_is_not_trusted(server, served, tmp_path: Path) -> None:
    server.files["tiny.zip"] = b"<html>Please log in</html>"
    with pytest.raises(FormatError, match="no ZIP or tar archive"):
        fetch(served.small_set(f"{server.root}/tiny.zip"), tmp_path)
    assert files(tmp_path) == []


def test_a_file_put_by_hand_is_unpacked(served, tmp_path: Path) -> None:
    dataset = served.small_set("http://127.0.0.1:9/tiny.zip", known=served.HASH)
    (tmp_path / "downloads").mkdir()
    file = tmp_path / "downloads/tiny.zip"
    file.write_bytes(served.ARCHIVE[:-1])
    with pytest.raises(FormatError, match="damaged or another one"):
        fetch(dataset, tmp_path)
    assert file.read_bytes() == served.ARCHIVE[:-1], "what people put there is theirs"
    file.write_bytes(served.ARCHIVE)
    assert fetch(dataset, tmp_path) == ["tiny/train/images", "tiny/train/labels"]


def test_a_set_behind_a_login_says_where_to_put_it(served, tmp_path: Path) -> None:
    dogs = KNOWN_SETS["dogs-vs-cats"]
    with pytest.raises(InputNotFoundError, match=r"login.*kaggle.*to '.*dogs-vs-cats/train\.zip'"):
        fetch(dogs, tmp_path)
    few = tuple(replace(part, shape=(2,)) for part in dogs.parts)
    few_dogs = replace(dogs, splits=(Split("train", few),))
    file = tmp_path / dogs.downloads[0].path
    file.parent.mkdir(parents=True)
    names = [f"train/{animal}.{n}.jpg" for animal in ("cat", "dog") for n in (0, 10)]
    file.write_bytes(served.archive({name: name.encode() for name in names}))
    fetch(few_dogs, tmp_path)
    assert (tmp_path / "dogs-vs-cats/train/dog/dog.10.jpg").read_bytes() == b"train/dog.10.jpg"


def test_a_private_set_goes_into_a_folder(served, tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError) as caught:
        fetch(KNOWN_SETS["achucarro"], tmp_path)
    said = str(caught.value)
    assert "private" in said
    assert f"7 images of 2048 x 2048 px into '{tmp_path}/achucarro/train/images'" in said
    assert files(tmp_path) == []


def test_slices_that_are_there_are_not_written_over(server, served, tmp_path: Path) -> None:
    folder = tmp_path / "tiny/train/images"
    folder.mkdir(parents=True)
    (folder / "0000.png").write_bytes(served.png(served.slices(2)[0]))
    with pytest.raises(OutputExistsError, match="holds 1 of 3"):
        fetch(served.small_set(f"{server.root}/tiny.zip"), tmp_path)
    assert server.requests == []


def test_no_room_on_the_disk(
    server, served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chondria.io import atomic

    usage = atomic.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(atomic.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DiskSpaceError):
        fetch(served.small_set(f"{server.root}/tiny.zip"), tmp_path)
    assert files(tmp_path) == []


def test_volumes_in_files_become_slices(served, tmp_path: Path) -> None:
    image, mask = tmp_path / "image.tif", tmp_path / "mask.tif"
    tifffile.imwrite(image, served.slices(3), photometric="minisblack")
    tifffile.imwrite(mask, served.labels(), photometric="minisblack")
    with served.serve(image=image.read_bytes(), mask=mask.read_bytes()) as running:
        downloads = tuple(
            Download(f"downloads/{name}.tif", (f"{running.root}/{name}",))
            for name in ("image", "mask")
        )
        parts = (
            Part("t/images", served.SHAPE, "images", "downloads/image.tif", first_slice=10),
            Part("t/labels", served.SHAPE, "masks", "downloads/mask.tif", first_slice=10),
        )
        dataset = replace(served.small_set(), splits=(Split("train", parts),), downloads=downloads)
        fetch(dataset, tmp_path)
    assert sorted(file.name for file in (tmp_path / "t/labels").glob("*.png"))[0] == "0010.png"
    np.testing.assert_array_equal(open_volume(tmp_path / "t/images").numpy(), served.slices(3))
    np.testing.assert_array_equal(
        open_volume(tmp_path / "t/labels").numpy(), np.where(served.labels() > 0, 255, 0)
    )


def test_an_archive_of_another_shape(server, served, tmp_path: Path) -> None:
    dataset = served.small_set(f"{server.root}/tiny.zip")
    parts = tuple(replace(part, shape=(3, 20, 25)) for part in dataset.parts)
    with pytest.raises(ShapeError, match="is this the right file"):
        fetch(replace(dataset, splits=(Split("train", parts),)), tmp_path)
    assert files(tmp_path) == []
