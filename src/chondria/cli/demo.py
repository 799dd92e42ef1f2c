"""`chondria demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["demo"]


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder.")] = Path(
        "chondria-demo"
    ),
    model: Annotated[str, typer.Option(help="Name or .safetensors file.")] = options.MODEL,
    seed: Annotated[int, typer.Option(min=0, help="Of the phantom.")] = 7,
    device: Annotated[str, typer.Option(help=options.DEVICE)] = "auto",
) -> None:
    """Make a phantom, segment it, score it and leave a report: the whole job without any data."""
    from chondria.cli.evaluate import print_sheet
    from chondria.cli.progress import console, say, tile_bar
    from chondria.experiments.demo import demo as run
    from chondria.models import load_model

    loaded = load_model(model)
    with console.status("growing a phantom"), tile_bar("segmenting") as progress:
        found = run(loaded, output, seed=seed, device=device, progress=progress)
    print_sheet(found.sheet)
    say(f"IoU {found.sheet.as_dict()['iou']:.3f} on the phantom; look at the report:")
    typer.echo(f"{found.page}")
