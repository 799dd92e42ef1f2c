"""Every example of README and guides runs, and every command has one.

In README.md and docs/*.md, blocks of ``bash`` and ``python`` are executed from top to bottom, each
document in an empty folder of its own. The comment before a block changes that:

- ``<!-- file: NAME -->``: the block is written to NAME
- ``<!-- not run: REASON -->``: the block is only shown

Where no weights are shipped with the package, a tiny model stands in for them.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chondria.cli.main import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^>]+) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


@dataclass(frozen=True)
class Example:
    """A block of a document."""

    language: str
    code: str
    mark: str

    @property
    def runs(self) -> bool:
        return self.language in ("bash", "python") and not self.mark.startswith("not run: ")

    def commands(self) -> Iterator[list[str]]:
        """Arguments of each `chondria` command of a bash block."""
        lines = self.code.replace("\\\n", " ").splitlines()
        for words in (shlex.split(line, comments=True) for line in lines):
            if words:
                assert words[0] == "chondria", f"only chondria is run, not: {words}"
                yield words[1:]


def examples(document: str) -> list[Example]:
    text = (ROOT / document).read_text()
    return [Example(m["language"], m["code"], m["mark"] or "") for m in BLOCK.finditer(text)]


@pytest.fixture
def weights(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> None:
    """Give the package a model where none is shipped: what it finds is not judged here."""
    import chondria.models

    if chondria.models.DEFAULT_MODEL not in chondria.models.bundled_models():
        folder = tmp_path_factory.mktemp("weights")
        shutil.copy(tiny_model, folder / f"{chondria.models.DEFAULT_MODEL}.safetensors")
        monkeypatch.setattr(chondria.models, "WEIGHTS", folder)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_examples_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("chondria.experiments.demo.SHAPE", (4, 128, 128))
    for example in examples(document):
        if example.mark.startswith("file: "):
            Path(example.mark.removeprefix("file: ")).write_text(example.code)
        elif example.runs and example.language == "python":
            exec(compile(example.code, document, "exec"), {"__name__": "__main__"})
        elif example.runs:
            for arguments in example.commands():
                result = CliRunner().invoke(app, arguments, catch_exceptions=False)
                assert result.exit_code == 0, f"chondria {shlex.join(arguments)}: {result.output}"


def test_every_command_has_an_executed_example():
    shown = {
        name
        for document in DOCUMENTS
        for example in examples(document)
        if example.runs and example.language == "bash"
        for arguments in example.commands()
        for name in (arguments[0], " ".join(arguments[:2]))
    }
    registered = {str(command.name) for command in app.registered_commands}
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands
        names = (command.name or command.callback.__name__ for command in inside)
        registered |= {f"{group.name} {name}" for name in names}
    assert registered
    assert registered <= shown


def test_every_mark_is_known():
    marks = [example.mark for document in DOCUMENTS for example in examples(document)]
    assert all(mark.startswith(("file: ", "not run: ")) for mark in marks if mark)


@pytest.mark.parametrize(
    "document", sorted(path.name for path in ROOT.glob("*.md")) + DOCUMENTS[1:]
)
def test_links_between_files_lead_somewhere(document):
    path = ROOT / document
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_the_readme_names_the_two_set_up_commands():
    text = (ROOT / "README.md").read_text()
    assert "python -m venv .venv && .venv/bin/pip install . && .venv/bin/chondria demo" in text
    assert "python -m venv .venv && .venv/bin/pip install '.[dev]' && .venv/bin/pytest" in text
