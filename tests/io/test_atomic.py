import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from chondria.errors import DiskSpaceError, InputNotFoundError, OutputExistsError
from chondria.io.atomic import atomic_target, check_disk_space, write_text_atomically

Usage = namedtuple("Usage", "total used free")


def names(folder: Path) -> list[str]:
    return sorted(str(entry.relative_to(folder)) for entry in folder.rglob("*"))


def test_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "x.tif"
    with atomic_target(target, overwrite=False) as partial:
        partial.write_text("half")
        assert partial.parent == target.parent
        assert partial.name.startswith(".")
        assert partial.suffix == ".tif"
        assert not target.exists()
    assert names(tmp_path) == ["new", "new/deep", "new/deep/x.tif"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("kind", ["nothing", "file", "folder"])
def test_failed_block_leaves_nothing(tmp_path: Path, error, kind) -> None:
    def write(partial: Path) -> None:
        if kind == "file":
            partial.write_text("half")
        elif kind == "folder":
            (partial / "inside").mkdir(parents=True)
            (partial / "inside" / "a").write_text("half")
        raise error

    with pytest.raises(error), atomic_target(tmp_path / "new" / "x", False) as partial:
        write(partial)
    assert names(tmp_path) == []


@pytest.mark.parametrize("old", ["file", "folder"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_overwrite_replaces_and_failure_keeps_the_old(tmp_path: Path, old, new) -> None:
    def write(path: Path, kind: str, text: str) -> None:
        if kind == "folder":
            path.mkdir()
            path = path / f"{text}.png"
        path.write_text(text)

    target = tmp_path / "x"
    write(target, old, "old")
    before = names(tmp_path)
    with pytest.raises(OutputExistsError, match=r"x' exists already.*--overwrite"):
        atomic_target(target, overwrite=False).__enter__()

    def write_and_fail() -> None:
        with atomic_target(target, True, Path.exists) as partial:
            write(partial, new, "new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert names(tmp_path) == before
    with atomic_target(target, True, Path.exists) as partial:
        write(partial, new, "new")
    assert names(tmp_path) == (["x"] if new == "file" else ["x", "x/new.png"])


def test_folder_that_may_not_be_replaced_is_kept(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years")
    with pytest.raises(OutputExistsError, match="other things than one volume"):
        atomic_target(tmp_path / "home", overwrite=True).__enter__()
    assert names(tmp_path) == ["home", "home/thesis.txt"]


def test_empty_folder_is_free(tmp_path: Path) -> None:
    for name, make in (("a", Path.mkdir), ("b", lambda path: path.write_text("x"))):
        (tmp_path / name).mkdir()
        with atomic_target(tmp_path / name, overwrite=False) as partial:
            make(partial)
    assert (tmp_path / "a").is_dir()
    assert (tmp_path / "b").is_file()


def test_failed_rename_brings_the_old_folder_back(tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "x"
    target.mkdir()
    (target / "old").write_text("old")

    def fail(self: Path, other: Path) -> None:
        raise PermissionError(errno.EACCES, "no")

    def replace() -> None:
        with atomic_target(target, True, Path.exists) as partial:
            partial.mkdir()
            monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(PermissionError):
        replace()
    assert names(tmp_path) == ["x", "x/old"]


def test_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("file")
    with pytest.raises(InputNotFoundError, match="is a file"):
        atomic_target(tmp_path / "a" / "x.tif", overwrite=False).__enter__()


def test_too_little_room_says_needed_and_free(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 3 * 10**9))
    check_disk_space(tmp_path, 2 * 10**9)
    with pytest.raises(DiskSpaceError, match=r"need 8\.2 GB .* has 3\.0 GB free"):
        check_disk_space(tmp_path, 8 * 10**9)


def test_disk_that_fills_up_on_the_way(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_target(tmp_path / "x", overwrite=False) as partial:
            partial.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskSpaceError, match="filled up"):
        write()
    assert names(tmp_path) == []


def test_small_text_is_replaced_or_removed(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "t", "one")
    write_text_atomically(tmp_path / "t", "two")
    assert (tmp_path / "t").read_text() == "two"
    write_text_atomically(tmp_path / "t", "")
    assert names(tmp_path) == []
