"""`chondria predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["predict"]


def predict(
    images: Annotated[list[Path], typer.Argument(help="A file, a folder, or slices in order.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The probability map to write.")],
    model: Annotated[str, typer.Option(help="Name or .safetensors file.")] = options.MODEL,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    tta: Annotated[str, typer.Option(help=options.TTA)] = "none",
    blending: Annotated[str, typer.Option(help=options.BLENDING)] = "none",
    device: Annotated[str, typer.Option(help=options.DEVICE)] = "auto",
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "auto",
    backend: Annotated[str, typer.Option(help=options.BACKEND)] = "auto",
    format: Annotated[
        str | None, typer.Option(help="Of the output [default: by its name].")
    ] = None,
    bits: Annotated[int, typer.Option(help="8: 255 is certainty; 32: floats 0 to 1.")] = 8,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Write the probability map only, streamed: the volume may be larger than memory."""
    from chondria.cli.progress import tile_bar
    from chondria.errors import SettingsError
    from chondria.inference.volumes import choose_compute_for, predict_volume
    from chondria.io import create_volume
    from chondria.models import load_model

    if bits not in (8, 32):
        raise SettingsError(f"Found {bits} bits; allowed are 8 and 32.")
    volume = options.open_images(images, options.parse_voxel_size(voxel_size))
    loaded = load_model(model)
    compute = choose_compute_for(loaded, volume, device, precision, backend, tta, blending)
    settings = options.prediction_settings(tta, blending, compute)
    options.announce(loaded, volume, compute)
    where = ", ".join(map(str, images[:3]))
    dtype = "uint8" if bits == 8 else "float32"
    with (
        create_volume(
            output, volume.shape, dtype, volume.voxel_size_nm, format, overwrite=overwrite
        ) as sink,
        tile_bar("predicting") as progress,
    ):
        predict_volume(loaded, volume, sink, settings=settings, progress=progress, where=where)
    typer.echo(f"{output}")
