"""What `chondria datasets check` finds."""

from __future__ import annotations

import gzip
import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from chondria.data.dataset import DataSet, Part, Split
from chondria.data.finding import Finding
from chondria.data.known_sets import KNOWN_SETS
from chondria.data.presence import inspect_dataset, say_presence
from chondria.data.unpacking import unpack_part


@pytest.fixture
def dataset(served, tmp_path: Path) -> DataSet:
    """A small set, unpacked in `tmp_path`."""
    found: DataSet = served.small_set(known=served.HASH)
    file = tmp_path / "downloads/tiny.zip"
    file.parent.mkdir()
    file.write_bytes(served.ARCHIVE)
    for part in found.parts:
        unpack_part(file, part, tmp_path / part.path, (30.0, 4.0, 4.0))
    return found


def errors(dataset: DataSet, folder: Path) -> dict[str, Finding]:
    found = inspect_dataset(dataset, folder)
    return {finding.what: finding for finding in found if finding.level == "error"}


def test_a_whole_set(dataset: DataSet, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = inspect_dataset(dataset, tmp_path, lambda done, total: told.append((done, total)))
    assert {finding.level for finding in found} == {"ok"}
    said = {finding.what: finding.found for finding in found}
    assert said["train: images"] == said["train: masks"] == "3 x 20 x 24"
    assert said["train: voxel size"] == "30 x 4 x 4 nm (z, y, x)"
    assert said["train: mask values"] == "0, 255"
    assert said["tiny.zip"].endswith("as published")
    assert told[-1] == (3, 3)
    assert say_presence(dataset, tmp_path) == "here"


def test_nothing_at_all(dataset: DataSet, tmp_path: Path) -> None:
    assert errors(dataset, tmp_path / "elsewhere").keys() == {"train: images", "train: masks"}
    assert say_presence(dataset, tmp_path / "elsewhere") == "not here"


def test_a_set_in_part(dataset: DataSet, tmp_path: Path) -> None:
    for part in dataset.parts:
        (tmp_path / part.path / "0002.png").unlink()
    found = errors(dataset, tmp_path)
    assert found.keys() == {"train: images", "train: masks"}
    assert found["train: images"].found == "2 of 3, incomplete: 2 x 20 x 24"
    assert say_presence(dataset, tmp_path) == "in part (2 of 3)"


def test_an_image_without_a_mask(dataset: DataSet, tmp_path: Path) -> None:
    labels = tmp_path / dataset.parts[1].path
    (labels / "0002.png").rename(labels / "0003.png")
    assert errors(dataset, tmp_path)["train: pairs"].found == "2 without image or mask: 0002, 0003"


def test_slices_of_another_size(dataset: DataSet, tmp_path: Path) -> None:
    parts = tuple(replace(part, shape=(3, 20, 25)) for part in dataset.parts)
    other = replace(dataset, splits=(Split("train", parts),))
    assert "expected 3 x 20 x 25" in errors(other, tmp_path)["train: images"].found


def test_masks_that_are_none(served, dataset: DataSet, tmp_path: Path) -> None:
    labels = tmp_path / dataset.parts[1].path
    (labels / "0001.png").write_bytes(served.png(served.slices(5)[1]))
    assert errors(dataset, tmp_path).keys() == {"train: mask values"}
    (labels / "0001.png").write_bytes((labels / "0000.png").read_bytes()[:-30])
    assert "damaged" in errors(dataset, tmp_path)["train: mask values"].found


def test_another_voxel_size(dataset: DataSet, tmp_path: Path) -> None:
    sidecar = tmp_path / dataset.parts[0].path / "voxel_size.json"
    sidecar.write_text(json.dumps({"voxel_size_nm": [30, 6, 6]}))
    assert "the registry says 30 x 4 x 4" in errors(dataset, tmp_path)["train: voxel size"].found
    sidecar.unlink()
    assert not errors(dataset, tmp_path)


def test_another_hash_of_the_download(dataset: DataSet, tmp_path: Path) -> None:
    (tmp_path / "downloads/tiny.zip").write_bytes(b"other")
    assert errors(dataset, tmp_path).keys() == {"tiny.zip"}
    (tmp_path / "downloads/tiny.zip").unlink()
    assert not errors(dataset, tmp_path)


def test_digits_in_part_are_counted_and_their_hash_differs(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    with gzip.open(tmp_path / "mnist/t10k-images-idx3-ubyte.gz", "wb") as stream:
        stream.write(struct.pack(">IIII", 0x803, 5, 28, 28) + bytes(5 * 28 * 28))
    (tmp_path / "mnist/t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    found = errors(KNOWN_SETS["mnist"], tmp_path)
    assert found["test: digits"].found == "5 of 10000, incomplete: 5 x 28 x 28"
    assert {"test: labels", "train: digits", "train: labels"} < found.keys()
    assert "expected md5:9fb629c4" in found["t10k-images-idx3-ubyte.gz"].found


def test_photographs_are_counted(tmp_path: Path) -> None:
    part = Part("pets/cat", (2,), "photographs")
    pets = replace(KNOWN_SETS["dogs-vs-cats"], splits=(Split("train", (part,)),), downloads=())
    (tmp_path / "pets/cat").mkdir(parents=True)
    (tmp_path / "pets/cat/cat.0.jpg").write_bytes(b"")
    assert errors(pets, tmp_path)["train: cat"].found.startswith("1 of 2")
    (tmp_path / "pets/cat/cat.1.jpg").write_bytes(b"")
    assert not errors(pets, tmp_path)


@pytest.mark.slow
def test_the_real_sets_are_told_as_they_are(data_folder: Path) -> None:
    for name in ("lucchi++", "cdeep3m"):
        assert not errors(KNOWN_SETS[name], data_folder)
    found = errors(KNOWN_SETS["vnc"], data_folder)
    assert found["train: images"].found.startswith("16 of 20, incomplete")
