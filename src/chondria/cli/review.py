"""`chondria review` and `chondria apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["apply", "review"]


def review(
    run: Annotated[Path, typer.Argument(help="A run folder of segment or apply.")],
    image: Annotated[
        Path | None, typer.Option(help="The run's image, if it is not where it was.")
    ] = None,
    entries: Annotated[
        int, typer.Option("-n", "--entries", min=1, help="List so many at most.")
    ] = 50,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
) -> None:
    """List what is most worth a look: doubtful objects, merges, splits, misses, odd slices."""
    from collections import Counter

    from chondria.cli.progress import console, say
    from chondria.experiments.review import review as job

    with console.status("looking for suspicions"):
        found = job(
            run,
            image=image,
            entries=entries,
            voxel_size_nm=options.parse_voxel_size(voxel_size),
        )
    kinds = Counter(entry.suspicion.kind for entry in found)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    say(f"{len(found)} entries ({said})" if found else "nothing is suspicious")
    typer.echo(f"{run / 'worklist.csv'}")


def apply(
    run: Annotated[Path, typer.Argument(help="The run folder that was reviewed.")],
    decisions: Annotated[Path, typer.Argument(help="worklist.csv with decisions filled in.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new run folder.")],
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
) -> None:
    """Turn decisions (keep, drop, merge, split, add) into corrected labels."""
    from chondria.cli.progress import console, say
    from chondria.experiments.corrections import apply_decisions

    with console.status("correcting"):
        counts = apply_decisions(
            run, decisions, output, voxel_size_nm=options.parse_voxel_size(voxel_size)
        )
    say(", ".join(f"{count} {action}" for action, count in counts.items()))
    typer.echo(f"{output}")
