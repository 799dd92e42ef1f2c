"""`chondria check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chondria.cli import options

if TYPE_CHECKING:
    from chondria.data.inspection import Finding

__all__ = ["check", "print_findings"]

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "error": ("error", "red")}


def check(
    images: Annotated[list[Path], typer.Argument(help="A file, a folder, or slices.")],
    mask: Annotated[
        Path | None, typer.Option(help="The mask that belongs to them: a file or a folder.")
    ] = None,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the findings as JSON.")
    ] = None,
) -> None:
    """Look at images and masks before any work; exit code 2 if they cannot be used."""
    from chondria.cli.progress import tile_bar
    from chondria.data.inspection import inspect_volume
    from chondria.io import open_volume

    image = options.open_images(images, options.parse_voxel_size(voxel_size))
    truth = None if mask is None else open_volume(mask, image.voxel_size_nm)
    with tile_bar("looking") as progress:
        found = inspect_volume(image, truth, progress)
    print_findings(found)
    if json_file is not None:
        from dataclasses import asdict

        from chondria.experiments.run_folder import write_json

        write_json(json_file, {"findings": [asdict(finding) for finding in found]})
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(2)


def print_findings(found: list[Finding]) -> None:
    """Print findings as a table, with what to do about each below it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "looked at", "found", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[2].overflow = "fold"
    for finding in found:
        mark, colour = _MARKS[finding.level]
        said = Text(finding.found)
        if finding.advice:
            said.append(f"\n→ {finding.advice}", style=colour)
        table.add_row(Text(mark, style=colour), Text(finding.what), said)
    console = Console(highlight=False)
    console.print(table)
    counts = [sum(finding.level == level for finding in found) for level in ("error", "warning")]
    console.print(f"\n{_count(counts[0], 'error')}, {_count(counts[1], 'warning')}")


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
