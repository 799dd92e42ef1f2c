"""`chondria stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chondria.cli import options

__all__ = ["stats"]


def stats(
    tables: Annotated[list[Path], typer.Argument(help="Tables of objects, or run folders.")],
    design: Annotated[
        Path, typer.Option(help="CSV: table, condition, animal and, if wanted, cell, image.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder.")] = Path("stats"),
    measure: Annotated[
        list[str] | None, typer.Option(help="A column to compare; again for more [default: all].")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="student, welch, paired or mixed; auto: paired where animals have every "
            "condition, student where conditions have equal numbers of animals, else welch."
        ),
    ] = "auto",
    scale: Annotated[
        str, typer.Option(help="log or linear; auto: log for sizes, linear for all else.")
    ] = "auto",
    keep_border: Annotated[
        bool, typer.Option("--keep-border", help="Keep objects that the border cuts.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out objects without a value.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=options.DRY_RUN)] = False,
) -> None:
    """Compare conditions, with mitochondria nested in images, cells and animals."""
    from chondria.cli.progress import say
    from chondria.experiments.group_comparison import GroupSettings, compare_groups, write_groups
    from chondria.experiments.group_pages import notes_on
    from chondria.groups.sentences import sentences

    settings = GroupSettings(tuple(measure or ()), method, scale, keep_border, skip_missing)
    groups = compare_groups(tables, design, settings)
    if dry_run:
        names = ", ".join(one.measured.name for one in groups.found)
        conditions = ", ".join(groups.tables.design.conditions)
        paired = any(one.sample.paired for one in groups.found)
        same = " of the same animals" if paired else ""
        typer.echo(f"would compare {names} between {conditions}{same} into {output}")
        return
    folder = write_groups(groups, output)
    for note in notes_on(groups.found):
        say(note)
    for one in groups.found:
        for sentence in sentences(one):
            typer.echo(sentence)
    typer.echo(f"{folder / 'stats.html'}")
