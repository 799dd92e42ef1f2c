"""`chondria calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["calibrate"]


def calibrate(
    images: Annotated[Path, typer.Argument(help="A volume that the model has not learned from.")],
    truth: Annotated[Path, typer.Argument(help="Its true mask or label map.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new run folder.")],
    model: Annotated[str, typer.Option(help="Name or .safetensors file.")] = options.MODEL,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    slices: Annotated[
        str | None, typer.Option(help="First and last slice to use, e.g. 141,164.")
    ] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="The truth's values are identifiers of objects.")
    ] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Probability of foreground [default: the model's].")
    ] = None,
    z_median: Annotated[
        float | None, typer.Option(help="Extent in nm of the median along z; 0 for none.")
    ] = None,
    smallest: Annotated[
        float | None, typer.Option(help="Drop objects smaller than this diameter in nm.")
    ] = None,
    doubt: Annotated[
        float | None,
        typer.Option(help="Drop objects so many times less sure than the average; 0 keeps all."),
    ] = None,
    trust: Annotated[str, typer.Option(help=options.TRUST)] = "none",
    also: Annotated[list[str] | None, typer.Option(help=options.ALSO)] = None,
    device: Annotated[str, typer.Option(help=options.DEVICE)] = "auto",
) -> None:
    """Learn how far to trust a model; writes a model that corrects and warns."""
    from chondria.cli.progress import say, tile_bar
    from chondria.experiments.calibration import calibrate_model
    from chondria.experiments.stack_part import open_stack_part
    from chondria.models import load_model

    settings = options.segmentation_settings(
        threshold=threshold,
        z_median_nm=z_median,
        smallest_diameter_nm=smallest,
        largest_doubt=doubt,
        trust=trust,
        also=tuple(also or ()),
        device=device,
    )
    size, part = options.parse_voxel_size(voxel_size), options.parse_slices(slices)
    volume = open_stack_part(images, size, part)
    true = open_stack_part(truth, size or volume.voxel_size_nm, part)
    with tile_bar("segmenting") as progress:
        record = calibrate_model(
            load_model(model),
            volume,
            true,
            output,
            settings,
            truth_is_instances=instances,
            progress=progress,
        )
    before, after = (
        r.expected_calibration_error for r in (record.pixels_before, record.pixels_after)
    )
    say(f"calibration error of pixels {before:.4f}, now {after:.4f}")
    if record.tally is not None:
        say(record.tally.sentence())
    for objects in record.objects:
        say(f"probability_true is {objects.sentence()}")
    typer.echo(f"{output / 'model.safetensors'}")
