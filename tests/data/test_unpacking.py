from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chondria.data.dataset import Part
from chondria.data.unpacking import unpack_part
from chondria.errors import FormatError, OutputExistsError
from chondria.io import open_volume


@pytest.fixture(params=["archive", "tar"])
def pack(request, served) -> Callable[[dict[str, bytes]], bytes]:
    return getattr(served, request.param)


@pytest.fixture
def images(served) -> Part:
    return served.small_set().parts[0]


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_order_of_the_names_not_of_the_archive(pack, served, images, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(pack(served.members()))
    unpack_part(file, images, tmp_path / "images")
    np.testing.assert_array_equal(open_volume(tmp_path / "images").numpy(), served.slices(1))
    assert contents(tmp_path) == {"file", "images", *(f"images/000{z}.png" for z in range(3))}


@pytest.mark.parametrize(
    "name", ["../evil.png", "/evil.png", "Set/In/../../../evil.png", r"..\evil.png", "C:/evil.png"]
)
def test_names_that_lead_out_of_the_archive(
    pack, served, images, name: str, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "file").write_bytes(pack(served.members() | {name: b"evil"}))
    with pytest.raises(FormatError, match="leads out of it"):
        unpack_part(inner / "file", images, inner / "new" / "images")
    assert contents(tmp_path) == {"inner", "inner/file"}


@pytest.mark.parametrize("share", [0.4, 0.9])
def test_truncated_archives_leave_nothing(
    pack, served, images, share: float, tmp_path: Path
) -> None:
    whole = pack(served.members())
    (tmp_path / "file").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError):
        unpack_part(tmp_path / "file", images, tmp_path / "images")
    assert contents(tmp_path) == {"file"}


def test_a_damaged_slice_leaves_nothing(served, images, tmp_path: Path) -> None:
    broken = served.members()
    broken["Set/In/im9.png"] = broken["Set/In/im9.png"][:60]
    (tmp_path / "file").write_bytes(served.archive(broken))
    with pytest.raises(FormatError, match="truncated, damaged"):
        unpack_part(tmp_path / "file", images, tmp_path / "images")
    assert contents(tmp_path) == {"file"}


def test_too_few_slices(served, tmp_path: Path) -> None:
    few, masks = served.members(), served.small_set().parts[1]
    del few["Set/Out/9.png"]
    (tmp_path / "file").write_bytes(served.archive(few))
    with pytest.raises(FormatError, match=r"Found 2 files 'Set/Out/\*\.png'"):
        unpack_part(tmp_path / "file", masks, tmp_path / "labels")


def test_nothing_is_written_over(served, images, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(served.archive(served.members()))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.txt").write_text("mine")
    with pytest.raises(OutputExistsError):
        unpack_part(tmp_path / "file", images, tmp_path / "images")
