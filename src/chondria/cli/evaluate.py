"""`chondria evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chondria.cli import options

if TYPE_CHECKING:
    from chondria.evaluation.sheet import MetricSheet

__all__ = ["evaluate", "print_sheet"]


def evaluate(
    prediction: Annotated[Path, typer.Argument(help="A run folder, a mask or a label map.")],
    truth: Annotated[Path, typer.Argument(help="The true mask or label map.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures here.")
    ] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="The truth's values are identifiers of objects.")
    ] = False,
    voxel_size: Annotated[str | None, typer.Option(help=options.VOXEL_SIZE)] = None,
    report: Annotated[
        bool, typer.Option(help="Of a run folder: keep the scores there, and in its report.html.")
    ] = True,
) -> None:
    """Score a segmentation against the truth; says what each figure is averaged over."""
    from chondria.cli.progress import console
    from chondria.experiments.evaluation import evaluate as run
    from chondria.experiments.reporting import record_scores, write_report
    from chondria.experiments.run_folder import check_writable, write_json

    if json_file is not None:
        check_writable(json_file)
    with console.status("reading") as status:
        sheet = run(
            prediction,
            truth,
            truth_is_instances=instances,
            voxel_size_nm=options.parse_voxel_size(voxel_size),
            progress=lambda step: status.update(f"measuring {step}"),
        )
    print_sheet(sheet)
    if json_file is not None:
        write_json(json_file, sheet.as_dict())
    if report and (prediction / "run.json").is_file():
        record_scores(prediction, sheet, truth, truth_is_instances=instances)
        with console.status("drawing the report"):
            write_report(prediction)


def print_sheet(sheet: MetricSheet) -> None:
    """Print a metric sheet as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("metric", "value", "averaged over", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for row in sheet.rows():
        said = f"{row.value:.4f}" if isinstance(row.value, float) else str(row.value)
        table.add_row(row.name, "-" if row.value is None else said, row.averaged_over)
    Console(highlight=False).print(table)
