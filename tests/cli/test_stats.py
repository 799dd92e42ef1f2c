"""`chondria stats` from its arguments to its output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chondria.cli.main import COMMANDS
from chondria.cli.stats import stats

HEAD = "id,volume_um3,touches_border\n"


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tables of two conditions, two animals each, and their design; the tables' names."""
    monkeypatch.chdir(tmp_path)
    lines, names = ["table,condition,animal"], []
    for i, condition in enumerate(("control", "treated")):
        for animal in range(2):
            name = f"{condition}-{animal}.csv"
            values = [(1 + i) * factor for factor in (1.0, 1.5, 2.0 + animal)]
            rows = [f"{n},{value},false\n" for n, value in enumerate(values, 1)]
            Path(name).write_text(HEAD + "".join(rows) + "9,100,true\n")
            lines.append(f"{name},{condition},{condition}-{animal}")
            names.append(name)
    Path("design.csv").write_text("\n".join(lines) + "\n")
    return names


def test_a_sentence_and_a_folder(run_cli, experiment: list[str]) -> None:
    code, out, err = run_cli("stats", *experiment, "--design", "design.csv", "-o", "out")
    assert code == 0, err
    sentence, page = out.splitlines()
    assert "ratio of geometric means 2," in sentence
    assert "2 animals, 2 images, 6 objects of treated" in sentence
    assert page == "out/stats.html"
    assert Path(page).is_file()
    assert "4 objects that touch a border" in err
    assert json.loads(Path("out/run.json").read_text())["settings"]["method"] == "auto"


def test_a_dry_run_writes_nothing(run_cli, experiment: list[str]) -> None:
    before = sorted(Path().iterdir())
    code, out, _ = run_cli("stats", *experiment, "--design", "design.csv", "--dry-run")
    assert code == 0
    assert out == "would compare volume_um3 between control, treated into stats\n"
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--measure", "length_um"), "There is no column 'length_um' in 'control-0.csv'"),
        (("--design", "none.csv"), "There is no design 'none.csv'"),
        (("extra.csv",), "There is no file or folder 'extra.csv'"),
        (("design.csv",), "The table 'design.csv' has no row in the design"),
        (("-o", "full"), "The output folder 'full' already holds files"),
    ],
)
def test_one_sentence_for_what_does_not_fit(
    run_cli, experiment: list[str], change: tuple[str, ...], sentence: str
) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    code, out, err = run_cli("stats", *experiment, "--design", "design.csv", *change)
    assert (code, out) == (2, "")
    assert err.startswith(f"chondria: {sentence}")
    assert err.count("\n") == 1
    assert not Path("stats").exists()


def test_it_is_registered() -> None:
    assert stats in COMMANDS


def test_animals_of_one_name_are_compared_within_themselves(run_cli, experiment: list[str]) -> None:
    design = Path("design.csv")
    for name in ("control-0", "treated-0"):
        design.write_text(design.read_text().replace(f",{name}\n", ",m0\n"))
    code, out, err = run_cli("stats", *experiment, "--design", "design.csv")
    assert code == 2
    assert "'m0' in the conditions 'control' and 'treated', but 'control-1' and" in err
    for name in ("control-1", "treated-1"):
        design.write_text(design.read_text().replace(f",{name}\n", ",m1\n"))
    code, out, err = run_cli("stats", *experiment, "--design", "design.csv", "--dry-run")
    assert out == (
        "would compare volume_um3 between control, treated of the same animals into stats\n"
    )
    code, out, err = run_cli("stats", *experiment, "--design", "design.csv", "--method", "welch")
    assert code == 2
    assert "take auto, paired or mixed" in err
