"""`chondria experiment` and `chondria compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chondria.cli.job_options import AtOnce, Change, Data, Device, DryRun, Only, Output, Runs, Smoke

if TYPE_CHECKING:
    from chondria.config.classification import ClassificationExperiment
    from chondria.config.experiment import Experiment
    from chondria.report.result_table import ResultRow

__all__ = ["compare", "experiment"]


def experiment(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe of an experiment.")],
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
    """Train every row of a recipe with several seeds; mean and deviation beside the published.

    The same command again goes on with what was interrupted.
    """
    from chondria.config.experiment import kind_of, load_experiment
    from chondria.config.names import chosen

    classifies = kind_of(recipe) == "classification"
    if classifies:
        from chondria.config.classification import load_classification

        settings: Any = load_classification(recipe, change or [])
    else:
        settings = load_experiment(recipe, change or [])
    if runs is not None:
        settings = settings.model_copy(update={"runs": runs})
    folder = output or Path("runs") / settings.name
    rows = chosen("row", settings.rows, only or [], settings.name)
    if dry_run:
        for row in rows:
            typer.echo(f"{row.name}: {settings.runs if row.trained else 'no'} runs")
        typer.echo(f"would be trained and scored into {folder}; nothing was written")
        return
    asked: dict[str, Any] = {"only": only or [], "data_root": data, "at_once": at_once}
    asked |= {"smoke": smoke} if classifies else {"smoke": smoke, "device": device}
    _show((_classify if classifies else _run)(settings, folder, asked), folder, smoke)


def _run(settings: Experiment, folder: Path, asked: dict[str, Any]) -> list[ResultRow]:
    from chondria.cli.progress import TrainingBars
    from chondria.experiments.experiment import run_experiment

    with TrainingBars() as bars:
        return run_experiment(settings, folder, watch=bars.watch, **asked).table


def _classify(
    settings: ClassificationExperiment, folder: Path, asked: dict[str, Any]
) -> list[ResultRow]:
    from chondria.cli.progress import TrainingBars
    from chondria.experiments.classification import run_classification

    with TrainingBars() as bars:
        return run_classification(settings, folder, watch=bars.watch, **asked).table


def _show(table: list[ResultRow], folder: Path, smoke: bool) -> None:
    from chondria.cli.progress import print_table
    from chondria.report.result_table import HEADINGS, cells

    if smoke:
        typer.echo("SMOKE, NO RESULT: small networks on made-up images")
    print_table(HEADINGS, [cells(line) for line in table])
    typer.echo(f"table: {folder / 'table.html'}")


def compare(
    a: Annotated[str, typer.Argument(help="FOLDER of a row, or FOLDER@STEP.")],
    b: Annotated[str, typer.Argument(help="What to compare it with.")],
) -> None:
    """Say whether one row of an experiment is better than another, and how sure that is."""
    from chondria.experiments.compare import compare_rows

    typer.echo(compare_rows(a, b).sentence(a, b))
