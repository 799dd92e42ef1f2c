"""`chondria export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["export"]


def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="The .onnx file to write.")],
    model: Annotated[str, typer.Option(help="Name or .safetensors file.")] = options.MODEL,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Write a model as ONNX, compared with PyTorch, for other programs."""
    from chondria.cli.progress import console
    from chondria.export import export_onnx
    from chondria.models import load_model

    with console.status("translating and comparing"):
        difference = export_onnx(load_model(model), output, overwrite=overwrite)
    typer.echo(f"{output}: ONNX Runtime differs from PyTorch by at most {difference:.1e}")
