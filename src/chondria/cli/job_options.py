"""Options that the commands of many runs share: experiment, transfer, study and train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli.options import DEVICE

__all__ = ["AtOnce", "Change", "Data", "Device", "DryRun", "Only", "Output", "Runs", "Smoke"]

AtOnce = Annotated[
    int | None,
    typer.Option(min=1, help="Runs at the same time [default: all on a GPU, else per core]."),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a setting, e.g. training.steps=100; repeatable."),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder that the recipe's paths start in.")
]
Device = Annotated[str, typer.Option(help=DEVICE)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check the recipe and say what would be done.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="A row, or a data set, by its name; repeatable [default: all]."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder [default: runs/NAME].")]
Runs = Annotated[int | None, typer.Option(min=1, help="Seeds of each [default: the recipe's].")]
Smoke = Annotated[
    bool, typer.Option("--smoke", help="Try it out: small networks on made-up images, no result.")
]
