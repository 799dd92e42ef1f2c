"""`chondria transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli.job_options import AtOnce, Change, Data, Device, DryRun, Only, Output, Runs, Smoke

__all__ = ["transfer"]


def transfer(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe of data sets.")],
    runs: Runs = None,
    only: Only = None,
    change: Change = None,
    output: Output = None,
    data: Data = None,
    device: Device = "auto",
    at_once: AtOnce = None,
    smoke: Smoke = False,
    dry_run: DryRun = False,
) -> None:
    """Train a model of every data set and test each on all of them: a matrix of scores.

    The same command again goes on with what was interrupted.
    """
    from chondria.config.names import chosen
    from chondria.config.transfer import load_transfer
    from chondria.experiments.transfer import run_transfer

    settings = load_transfer(recipe, change or [])
    if runs is not None:
        settings = settings.model_copy(update={"runs": runs})
    folder = output or Path("runs") / settings.name
    sets = chosen("set", settings.sets, only or [], settings.name)
    if dry_run:
        for matching in settings.matching:
            for one in sets:
                typer.echo(f"{one.name} {matching} matching: {settings.runs} runs")
        tests = ", ".join(one.name for one in sets)
        typer.echo(f"would be trained and tested on {tests} into {folder}; nothing was written")
        return
    from chondria.cli.progress import TrainingBars, print_table
    from chondria.report.matrix import matrix_table

    with TrainingBars() as bars:
        found = run_transfer(
            settings,
            folder,
            only=only or [],
            data_root=data,
            device=device,
            at_once=at_once,
            smoke=smoke,
            watch=bars.watch,
        )
    if smoke:
        typer.echo("SMOKE, NO RESULT: small networks on a phantom")
    for table in map(matrix_table, found.matrices):
        typer.echo(table.caption)
        print_table(table.headings, table.lines)
    typer.echo(f"matrices: {found.folder / 'matrix.html'} and matrix.png, slices-*.png beside it")
