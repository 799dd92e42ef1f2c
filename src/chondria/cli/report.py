"""`chondria report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of `chondria segment`, or one of `train` or `calibrate`."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page [default: RUN/report.html].")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="The image, where it is no longer where it was.")
    ] = None,
) -> None:
    """Write a run's page anew, or one that compares several runs; one file, works offline."""
    from chondria.cli.progress import console
    from chondria.experiments.reporting import report as run

    with console.status("drawing the page"):
        page = run(runs, output, image)
    typer.echo(f"{page}")
