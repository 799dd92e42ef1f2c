"""`chondria measure`."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chondria.cli import options

if TYPE_CHECKING:
    from chondria.experiments.measuring import Measured
    from chondria.morphometrics.table import ObjectTable

__all__ = ["measure"]

# What the terminal shows; the file has every column.
SHOWN = (
    *("volume_um3", "area_um2", "surface_um2", "perimeter_um", "skeleton_length_um"),
    *("feret_max_um", "aspect_ratio", "sphericity", "circularity", "solidity"),
    *("grey_mean", "mean_probability", "nearest_surface_nm"),
)
BARS = " ▁▂▃▄▅▆▇█"
BINS = 12


def measure(
    labels: Annotated[Path, typer.Argument(help="A label map, or a run folder of segment.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The table: .csv, .parquet or .xlsx."),
    ] = None,
    image: Annotated[Path | None, typer.Option(help="Its image, for grey values.")] = None,
    probability: Annotated[
        Path | None, typer.Option(help="Its probability map [default: the run folder's].")
    ] = None,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    mask: Annotated[
        bool, typer.Option("--mask", help="LABELS is a mask: its connected parts are the objects.")
    ] = False,
    shell: Annotated[
        float, typer.Option(help="Thickness in nm of the shell around objects, for grey values.")
    ] = 50.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=options.DRY_RUN)] = False,
) -> None:
    """Measure every mitochondrion of a label map: size, shape, place, grey values, neighbours."""
    from chondria.cli.progress import say, tile_bar
    from chondria.experiments.measuring import measure as run
    from chondria.experiments.measuring import open_measured, summary_path

    inputs = open_measured(labels, image, probability, options.parse_voxel_size(voxel_size))
    size = "x".join(f"{edge:g}" for edge in inputs.labels.voxel_size_nm or ())
    say(f"label map {inputs.labels.shape} {inputs.labels.dtype}, voxels of {size} nm (Z, Y, X)")
    if dry_run:
        given = [name for name in ("image", "probability") if getattr(inputs, name) is not None]
        also = f", with {' and '.join(given)}" if given else ""
        typer.echo(f"would measure {labels}{also}, {_into(output)}")
        return
    with tile_bar("measuring") as progress:
        found = run(
            inputs,
            output,
            is_mask=mask,
            shell_nm=shell,
            overwrite=overwrite,
            progress=progress,
        )
    _print(found)
    if len(found.objects) == 1 and found.objects["parts"][0] > 1 and not mask:
        say(f"one object of {found.objects['parts'][0]} parts: if this is a mask, give --mask")
    if output is not None:
        typer.echo(f"{output}")
        say(f"the volume as a whole, and what each column means: {summary_path(output)}")


def _into(output: Path | None) -> str:
    return "and write no table (-o names one)" if output is None else f"into {output}"


def _print(found: Measured) -> None:
    """Say what a reader wants to know first: how many, how much, and how they are distributed."""
    from chondria.cli.progress import print_table

    said = found.summary
    unit = "µm²" if said.flat else "µm³"
    typer.echo(
        f"{said.objects} mitochondria, {said.whole_objects} of them whole, "
        f"in {said.extent:.4g} {unit}"
    )
    typer.echo(
        f"density   {said.density:.3g} per {unit} ({said.counted_objects} in the counting frame)"
    )
    error = "" if math.isnan(said.fraction_se) else f" ± {100 * said.fraction_se:.2g} (SE)"
    typer.echo(
        f"fraction  {100 * said.fraction:.3g}{error} % of the {'area' if said.flat else 'volume'}"
    )
    rows = list(_distributions(found.objects))
    if rows:
        print_table(("whole objects", "unit", "median", "middle half", "range", ""), rows)


def _distributions(table: ObjectTable) -> Any:
    """One row for each measure: quartiles over whole objects, and a small histogram."""
    import numpy as np

    from chondria.morphometrics.schema import describe

    whole = ~table["touches_border"]
    for name in SHOWN:
        if name not in table.columns:
            continue
        values = table[name][whole]
        values = values[np.isfinite(values)]
        if len(values) == 0:
            continue
        low, first, median, third, high = np.percentile(values, [0, 25, 50, 75, 100])
        column = describe(name)
        plain = name.removesuffix("_" + name.rsplit("_", 1)[-1]) if column.unit else name
        yield (
            plain.replace("_", " "),
            column.unit,
            f"{median:.3g}",
            f"{first:.3g} to {third:.3g}",
            f"{low:.3g} to {high:.3g}",
            _histogram(values),
        )


def _histogram(values: Any) -> str:
    """Draw the distribution from the smallest to the largest value in a line of blocks."""
    import numpy as np

    if len(values) < 3 or not (sys.stdout.encoding or "").lower().startswith("utf"):
        return ""
    counts, _ = np.histogram(values, bins=BINS)
    heights = np.ceil(counts / counts.max() * (len(BARS) - 1)).astype(int)
    return "".join(BARS[height] for height in heights)
