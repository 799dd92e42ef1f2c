"""`chondria datasets list`, `fetch` and `check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from chondria.data.dataset import DataSet

__all__ = ["check_set", "datasets", "fetch_set", "list_sets"]

datasets = typer.Typer(
    help="Public data sets: what there is, fetch one, check whether it is whole.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Data = Annotated[
    Path, typer.Option("--data", envvar="CHONDRIA_DATA", help="Folder of the data sets.")
]
_Name = Annotated[str, typer.Argument(help="As `chondria datasets list` names it.")]
_DEFAULT = Path("data")
_HEADINGS = ("name", "what", "voxel nm (z, y, x)", "shape (z, y, x)", "download", "licence", "here")


@datasets.command("list")
def list_sets(
    data: _Data = _DEFAULT,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write all that is known as JSON.")
    ] = None,
) -> None:
    """List the data sets: what they are, on which terms, and whether they are here."""
    from chondria.cli.progress import print_table
    from chondria.data.known_sets import KNOWN_SETS, SAME_IMAGES
    from chondria.data.presence import say_presence

    here = {name: say_presence(dataset, data) for name, dataset in KNOWN_SETS.items()}
    print_table(_HEADINGS, [_row(one, here[one.name]) for one in KNOWN_SETS.values()])
    typer.echo(SAME_IMAGES)
    typer.echo(f"here: in the data folder {data}")
    if json_file is not None:
        from dataclasses import asdict

        from chondria.experiments.run_folder import write_json

        sets = [asdict(one) | {"here": here[one.name]} for one in KNOWN_SETS.values()]
        write_json(json_file, {"data": str(data), "datasets": sets})


@datasets.command("fetch")
def fetch_set(name: _Name, data: _Data = _DEFAULT) -> None:
    """Download and unpack a data set; an interrupted download goes on where it broke off.

    Where there is no network, says what to download by hand and where to put it.
    """
    from chondria.cli.progress import download_bars
    from chondria.data.fetching import fetch_dataset
    from chondria.data.registry import find_dataset

    dataset = find_dataset(name)
    with download_bars() as watch:
        made = fetch_dataset(dataset, data, watch)
    typer.echo(f"{name} is here already" if not made else f"{name} is here now:")
    for path in made:
        typer.echo(f"  {data / path}")
    _print_terms(dataset)


@datasets.command("check")
def check_set(
    name: _Name,
    data: _Data = _DEFAULT,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the findings as JSON.")
    ] = None,
) -> None:
    """Check whether a data set is here and whole; exit code 2 if anything is missing."""
    from chondria.cli.check import print_findings
    from chondria.cli.progress import tile_bar
    from chondria.data.presence import inspect_dataset
    from chondria.data.registry import find_dataset

    dataset = find_dataset(name)
    with tile_bar("looking") as progress:
        found = inspect_dataset(dataset, data, progress)
    print_findings(found)
    for note in dataset.notes:
        typer.echo(note)
    _print_terms(dataset)
    if json_file is not None:
        from dataclasses import asdict

        from chondria.experiments.run_folder import write_json

        write_json(json_file, {"findings": [asdict(finding) for finding in found]})
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(2)


def _row(dataset: DataSet, here: str) -> list[str]:
    return [
        dataset.name,
        dataset.what,
        _said(dataset.voxel_size_nm, ", "),
        "\n".join(f"{split.name} {_said(split.parts[0].shape, 'x')}" for split in dataset.splits),
        _download(dataset),
        dataset.licence,
        here,
    ]


def _said(values: tuple[Any, ...] | None, between: str) -> str:
    return between.join("-" if value is None else f"{value:g}" for value in values or ())


def _download(dataset: DataSet) -> str:
    if not dataset.downloads:
        return "private"
    if not any(download.addresses for download in dataset.downloads):
        return "by hand"
    size = dataset.download_bytes
    return "size unknown" if size is None else f"{size / 1e6:.0f} MB"


def _print_terms(dataset: DataSet) -> None:
    typer.echo(f"Terms: {dataset.terms}")
    for citation in dataset.citations:
        typer.echo(f"Cite: {citation}")
