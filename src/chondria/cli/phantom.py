"""`chondria phantom`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["phantom"]


def phantom(
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder.")],
    shape: Annotated[str, typer.Option(help="Voxels Z,Y,X.")] = "24,512,512",
    voxel_size: Annotated[str, typer.Option(help=options.VOXEL_SIZE)] = "20,5,5",
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same bytes.")] = 0,
    style: Annotated[
        str, typer.Option(help="fib (smooth), serial (contrasty sections) or random.")
    ] = "fib",
    format: Annotated[str, typer.Option(help="Of image and labels.")] = "tiff",
) -> None:
    """Make synthetic EM with exact truth: image, instance labels and a picture."""
    import math

    import numpy as np

    from chondria.cli.progress import console
    from chondria.data.phantom import make_phantom
    from chondria.experiments.run_folder import new_run_folder
    from chondria.io import format_suffix, save_volume
    from chondria.io.atomic import check_disk_space
    from chondria.io.formats import check_holds
    from chondria.io.header import Grid
    from chondria.report.overview import draw_overview

    size = options.parse_voxel_size(voxel_size) or (20.0, 5.0, 5.0)
    chosen = options.phantom_style(style, seed)
    suffix = format_suffix(format)
    voxels = options.parse_shape(shape)
    for dtype in (np.uint8, np.uint16):
        check_holds(format, Grid(voxels, np.dtype(dtype), size))
    with new_run_folder(output) as folder:
        check_disk_space(folder, 5 * math.prod(voxels))
        with console.status("growing tissue"):
            made = make_phantom(voxels, size, seed=seed, style=chosen)
        save_volume(made.image, folder / f"image{suffix}", format)
        save_volume(made.labels, folder / f"labels{suffix}", format)
        draw_overview(
            made.image, made.labels.data, folder / "overview.png", title=f"phantom {seed}"
        )
        typer.echo(f"{folder}: {int(made.labels.numpy().max())} mitochondria in {made.image.shape}")
