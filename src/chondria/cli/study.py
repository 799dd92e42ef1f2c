"""`chondria study`: questions about trainings themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli.job_options import AtOnce, Change, Data, Device, DryRun, Output, Runs, Smoke

__all__ = ["app", "overfitting"]

app = typer.Typer(help="Ask something about trainings themselves.", no_args_is_help=True)


@app.callback()
def _describe() -> None:
    """Ask something about trainings themselves."""


@app.command()
def overfitting(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe of a study.")],
    runs: Runs = None,
    change: Change = None,
    output: Output = None,
    data: Data = None,
    device: Device = "auto",
    at_once: AtOnce = None,
    smoke: Smoke = False,
    dry_run: DryRun = False,
) -> None:
    """Train for fixed lengths without early stopping; losses and IoU of training, validation, test.

    The same command again goes on with what was interrupted.
    """
    from chondria.config.overfitting import load_overfitting_study

    settings = load_overfitting_study(recipe, change or [])
    if runs is not None:
        settings = settings.model_copy(update={"runs": runs})
    folder = output or Path("runs") / settings.name
    if dry_run:
        for steps in settings.steps:
            typer.echo(f"{steps} steps: {settings.runs} runs")
        typer.echo(f"would be trained and watched into {folder}; nothing was written")
        return
    from chondria.cli.progress import TrainingBars, print_table
    from chondria.experiments.overfitting import run_overfitting_study

    with TrainingBars() as bars:
        found = run_overfitting_study(
            settings,
            folder,
            data_root=data,
            device=device,
            at_once=at_once,
            smoke=smoke,
            watch=bars.watch,
        )
    if smoke:
        typer.echo("SMOKE, NO RESULT: small networks on a phantom")
    print_table(found.table.headings, found.table.lines)
    for role, correlation in found.correlations.items():
        typer.echo(f"test loss with {role} loss: {correlation}")
    typer.echo(f"table: {found.folder / 'table.html'}; pictures: curves.png, correlation.png")
