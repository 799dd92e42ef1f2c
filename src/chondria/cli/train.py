"""`chondria train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe.")],
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting, e.g. training.steps=100; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder [default: runs/NAME].")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that the recipe's paths start in.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run folder's checkpoint.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the recipe and say what would be done.")
    ] = False,
) -> None:
    """Train a model as a recipe says; leaves it in a run folder with its history."""
    from chondria.config import load_recipe, recipe_yaml

    settings = load_recipe(recipe, change or [])
    folder = output or Path("runs") / settings.name
    if dry_run:
        typer.echo(recipe_yaml(settings))
        typer.echo(f"would be trained into {folder}; nothing was written")
        return
    from chondria.cli.progress import TrainingBar
    from chondria.experiments.training import train_recipe

    with TrainingBar(settings.training.steps) as bar:
        run = train_recipe(
            settings, folder, data_root=data, device=device, resume=resume, observer=bar
        )
    typer.echo(f"model: {run.folder / 'model.safetensors'}")
    typer.echo(f"curves: {run.folder / 'curves.png'}")
