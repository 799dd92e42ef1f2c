from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chondria.data.known_sets import KNOWN_SETS


@pytest.fixture
def server(served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serves the small set, which the registry knows as 'tiny'."""
    with served.serve(**{"tiny.zip": served.ARCHIVE}) as running:
        dataset = served.small_set(f"{running.root}/tiny.zip", known=served.HASH)
        monkeypatch.setitem(KNOWN_SETS, "tiny", dataset)
        yield running


def test_list_says_terms_and_what_is_here(run_cli, tmp_path: Path) -> None:
    report = tmp_path / "sets.json"
    code, out, _ = run_cli("datasets", "list", "--data", tmp_path, "--json", report)
    assert code == 0
    assert all(name in out for name in KNOWN_SETS)
    assert "CC BY-NC-SA 3.0" in out
    assert "not their labels" in out
    assert "520 MB" in out
    listed = {one["name"]: one for one in json.loads(report.read_text())["datasets"]}
    assert listed.keys() == KNOWN_SETS.keys()
    assert listed["vnc"]["here"] == "not here"
    assert listed["vnc"]["splits"][0]["parts"][1]["path"] == "vnc/train/labels"


def test_fetch_then_check_in_the_folder_of_the_environment(
    server, run_cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHONDRIA_DATA", str(tmp_path / "data"))
    code, out, err = run_cli("datasets", "fetch", "tiny")
    assert code == 0, err
    assert str(tmp_path / "data/tiny/train/images") in out
    assert "Terms: For tests." in out
    assert "Cite: Nobody, 2000." in out
    code, out, _ = run_cli("datasets", "fetch", "tiny")
    assert (code, "here already" in out) == (0, True)
    report = tmp_path / "found.json"
    code, out, _ = run_cli("datasets", "check", "tiny", "--json", report)
    assert code == 0
    assert "no errors" in out
    assert {one["level"] for one in json.loads(report.read_text())["findings"]} == {"ok"}


def test_check_of_what_is_not_there_ends_with_two(run_cli, tmp_path: Path) -> None:
    code, out, _ = run_cli("datasets", "check", "lucchi++", "--data", tmp_path)
    assert code == 2
    assert "4 errors" in out
    assert "fetch the set" in out


def test_offline_is_one_sentence(
    server, run_cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/tiny.zip"
    tiny = KNOWN_SETS["tiny"]
    download = replace(tiny.downloads[0], addresses=(address,))
    monkeypatch.setitem(KNOWN_SETS, "tiny", replace(tiny, downloads=(download,)))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    code, _, err = run_cli("datasets", "fetch", "tiny", "--data", tmp_path)
    assert code == 2
    *_, sentence = err.splitlines()
    assert sentence.startswith(f"chondria: '{address}' cannot be reached")
    assert str(tmp_path / "downloads/tiny.zip") in sentence
    assert sentence.endswith(f"then run 'chondria datasets fetch tiny --data {tmp_path}' again.")


@pytest.mark.parametrize("verb", ["fetch", "check"])
def test_an_unknown_set_is_told_the_nearest(run_cli, verb: str) -> None:
    code, _, err = run_cli("datasets", verb, "lucchi+")
    assert code == 2
    assert "did you mean 'lucchi++'?" in err


def test_a_data_folder_that_is_a_file(server, run_cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run_cli("datasets", "fetch", "tiny", "--data", tmp_path / "file")
    assert code == 2
    assert "cannot be made" in err


def test_a_recipe_without_its_set_says_how_to_fetch_it(run_cli, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "name: r\ndata: {sets: [{name: a, images: vnc/train/images, masks: vnc/train/labels}]}\n"
    )
    run = tmp_path / "run"
    code, _, err = run_cli("train", recipe, "--data", tmp_path, "-o", run, "--device", "cpu")
    assert code == 2
    assert f"get the set 'vnc' with 'chondria datasets fetch vnc --data {tmp_path}'" in err
    assert not run.exists()
