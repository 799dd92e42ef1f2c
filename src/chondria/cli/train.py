"""`chondria train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli.job_options import AtOnce, Change, Data, Device, DryRun, Output, Smoke

__all__ = ["train"]


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe.")],
    change: Change = None,
    output: Output = None,
    data: Data = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run folder's checkpoint.")
    ] = False,
    device: Device = "auto",
    runs: Annotated[
        int, typer.Option(min=1, help="Repeat with this many seeds, each in a folder of its own.")
    ] = 1,
    at_once: AtOnce = None,
    smoke: Smoke = False,
    dry_run: DryRun = False,
) -> None:
    """Train a model as a recipe says; leaves it in a run folder with its history."""
    from chondria.config.recipe import load_recipe, recipe_yaml

    settings = load_recipe(recipe, change or [])
    folder = output or Path("runs") / (f"{settings.name}-smoke" if smoke else settings.name)
    if dry_run:
        typer.echo(recipe_yaml(settings))
        times = f"{runs} times " if runs > 1 else ""
        typer.echo(f"would be trained {times}into {folder}; nothing was written")
        return
    from chondria.cli.progress import TrainingBars

    if smoke:
        from chondria.experiments.smoke import smoke_training

        settings, folder = smoke_training(settings, folder)
        typer.echo("SMOKE, NO RESULT: a small network on a phantom")
    bars = TrainingBars()
    if runs > 1:
        from chondria.experiments.repeats import train_repeats

        with bars:
            repeats = train_repeats(
                settings,
                folder,
                runs,
                at_once=at_once,
                data_root=data,
                device=device,
                resume=resume,
                watch=bars.watch,
            )
        typer.echo(repeats.summary())
        typer.echo(f"runs: {repeats.folder / 'runs.csv'}")
        return
    from chondria.experiments.training import train_recipe

    with bars:
        run = train_recipe(
            settings, folder, data_root=data, device=device, resume=resume, observer=bars.watch()
        )
    typer.echo(f"model: {run.folder / 'model.safetensors'}")
    typer.echo(f"report: {run.folder / 'report.html'}")
