"""The `chondria` command: every error of the user in one sentence, exit code 2."""

from __future__ import annotations

import sys

import typer

from chondria.cli import train as train_command
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
app.command("train")(train_command.train)


@app.callback()
def chondria() -> None:
    """Find, outline and measure every mitochondrion in electron microscopy."""


def main() -> None:
    """Run the command line; internal errors keep their traceback."""
    try:
        app()
    except ChondriaError as error:
        print(f"chondria: {error}", file=sys.stderr)
        sys.exit(2)
