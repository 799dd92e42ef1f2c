"""Learning curves: losses and scores of a training against its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chondria.report.line_chart import LineChart

__all__ = ["counted_in", "learning_curves"]

NAMES = {"train": "training", "validation": "validation"}


def counted_in(network: str) -> str:
    """Name what the steps of a network are; a forest of supervoxels grows by trees."""
    return "tree" if network == "supervoxels" else "step"


def learning_curves(
    history: Sequence[Mapping[str, float]], along: str = "step", kept: float | None = None
) -> list[LineChart]:
    """Make the charts of a history.

    Parameters
    ----------
    history : sequence of mapping
        Rows as history.csv has them: ``step``; losses end in ``_loss``, scores in ``_iou``, but
        those of one validation volume begin with ``iou_``.
    along : str
        What is counted.
    kept : float, optional
        The step whose weights were kept.

    Returns
    -------
    list of LineChart
        Loss, and IoU where something was scored.
    """
    columns = list(dict.fromkeys(name for row in history for name in row))
    x = [float(row["step"]) for row in history]
    mark = None if kept is None else (kept, "kept")
    charts = []
    for name, lines in (("Loss", dict(_losses(columns))), ("IoU", dict(_scores(columns)))):
        if lines:
            values = {line: [row.get(column) for row in history] for line, column in lines.items()}
            charts.append(LineChart(name, along, x, values, mark))
    return charts


def _losses(columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give names of lines and their columns."""
    for column in columns:
        if column.endswith("_loss"):
            name = column.removesuffix("_loss")
            yield NAMES.get(name, name), column


def _scores(columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    volumes = [column for column in columns if column.startswith("iou_")]
    for column in volumes:
        name = column.removeprefix("iou_")
        yield name if len(volumes) > 1 else f"validation, {name}", column
    if len(volumes) > 1:
        yield "mean of validation", "validation_iou"
    for column in columns:
        if column.endswith("_iou") and column != "validation_iou":
            yield column.removesuffix("_iou"), column
