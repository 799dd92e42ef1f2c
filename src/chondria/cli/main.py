"""The `chondria` command: every error of the user in one sentence, exit code 2."""

from __future__ import annotations

import gc
import sys

import typer

from chondria.cli.calibrate import calibrate
from chondria.cli.check import check
from chondria.cli.datasets import datasets
from chondria.cli.demo import demo
from chondria.cli.evaluate import evaluate
from chondria.cli.experiment import compare, experiment
from chondria.cli.export import export
from chondria.cli.info import info
from chondria.cli.measure import measure
from chondria.cli.phantom import phantom
from chondria.cli.predict import predict
from chondria.cli.report import report
from chondria.cli.review import apply, review
from chondria.cli.segment import segment
from chondria.cli.stats import stats
from chondria.cli.study import app as study
from chondria.cli.train import train
from chondria.cli.transfer import transfer
from chondria.errors import ChondriaError

__all__ = ["app", "main"]

app = typer.Typer(
    name="chondria",
    help="Find, outline and measure every mitochondrion in electron microscopy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    *(demo, check, segment, measure, evaluate, report, predict, review, apply, stats),
    *(train, calibrate, experiment, compare, transfer, export, phantom, info),
)
for command in COMMANDS:
    app.command(command.__name__)(command)
app.add_typer(study, name="study")
app.add_typer(datasets, name="datasets")


@app.callback()
def _describe() -> None:
    """Find, outline and measure every mitochondrion in electron microscopy."""


def main() -> None:
    """Run the command line; internal errors keep their traceback."""
    try:
        app()
    except ChondriaError as error:
        # What a library said inside may run over several lines.
        print(f"chondria: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    finally:
        # The process ends: looking for garbage in what was imported would take half a second.
        gc.freeze()
