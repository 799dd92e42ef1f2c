"""`chondria segment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["segment"]


def segment(
    images: Annotated[list[Path], typer.Argument(help="A file, a folder, or slices in order.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new run folder.")],
    model: Annotated[str, typer.Option(help="Name or .safetensors file.")] = options.MODEL,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    tta: Annotated[str, typer.Option(help=options.TTA)] = "none",
    blending: Annotated[str, typer.Option(help=options.BLENDING)] = "none",
    threshold: Annotated[
        float | None, typer.Option(help="Probability of foreground [default: the model's].")
    ] = None,
    spurious: Annotated[
        float, typer.Option(help="Drop detections in a slice of a smaller mean probability.")
    ] = 0.0,
    refine: Annotated[
        int, typer.Option(help="Move outlines onto the image's edges, so many pixels at most.")
    ] = 0,
    z_median: Annotated[
        float | None, typer.Option(help="Extent in nm of the median along z; 0 for none.")
    ] = None,
    zy_median: Annotated[
        int, typer.Option(help="Slices and rows of the median of (z, y) planes, odd; 0 for none.")
    ] = 0,
    separate: Annotated[
        bool, typer.Option(help="Cut objects that touch at their necks, and fill holes.")
    ] = False,
    neck_ratio: Annotated[
        float, typer.Option(help="Cut necks narrower than this share of the slimmer part.")
    ] = 0.55,
    smallest: Annotated[
        float | None, typer.Option(help="Drop objects smaller than this diameter in nm.")
    ] = None,
    doubt: Annotated[
        float | None,
        typer.Option(help="Drop objects so many times less sure than the average; 0 keeps all."),
    ] = None,
    dimensions: Annotated[
        int, typer.Option(min=2, max=3, help="3: objects run through slices; 2: they do not.")
    ] = 3,
    measures: Annotated[
        str, typer.Option(help="all, or size: no shapes, lengths and grey values; faster.")
    ] = "all",
    trust: Annotated[str, typer.Option(help=options.TRUST)] = "none",
    also: Annotated[list[str] | None, typer.Option(help=options.ALSO)] = None,
    device: Annotated[str, typer.Option(help=options.DEVICE)] = "auto",
    precision: Annotated[str, typer.Option(help=options.PRECISION)] = "auto",
    backend: Annotated[str, typer.Option(help=options.BACKEND)] = "auto",
    format: Annotated[
        str | None, typer.Option(help="Of the output [default: the input's].")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=options.DRY_RUN)] = False,
) -> None:
    """Find every mitochondrion: a label map, probabilities, a table, a picture and a report."""
    from chondria.cli.progress import say, tile_bar
    from chondria.inference.volumes import choose_compute_for
    from chondria.models import load_model

    settings = options.segmentation_settings(
        threshold=threshold,
        spurious_probability=spurious,
        refine_boundaries_px=refine,
        z_median_nm=z_median,
        zy_median_px=zy_median,
        separate=separate,
        neck_ratio=neck_ratio,
        smallest_diameter_nm=smallest,
        largest_doubt=doubt,
        dimensions=dimensions,
        measures=measures,
        tta=tta,
        blending=blending,
        trust=trust,
        also=tuple(also or ()),
        device=device,
        precision=precision,
        backend=backend,
    )
    volume = options.open_images(images, options.parse_voxel_size(voxel_size))
    key = format or options.format_of(images)
    loaded = load_model(model)
    compute = choose_compute_for(loaded, volume, device, precision, backend, tta, blending)
    options.announce(loaded, volume, compute)
    if dry_run:
        typer.echo(f"would segment {volume.shape} voxels into {output} as {key}")
        return
    from chondria.experiments.segmentation import segment as run

    with tile_bar("segmenting") as progress:
        found = run(
            loaded,
            volume,
            output,
            settings,
            format=key,
            progress=progress,
            where=images,
        )
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in found.seconds.items())
    say(f"{len(found.objects)} mitochondria ({stages})")
    typer.echo(f"{output / 'report.html'}")
