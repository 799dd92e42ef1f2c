"""Scores of validation slices, at one threshold and at all, from their counts by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, Final

import numpy as np

from chondria.evaluation.overlap import BinaryTable
from chondria.evaluation.semantic import SemanticScores, semantic_scores
from chondria.experiments.validation_slices import KeptSlices
from chondria.postprocessing.filters import threshold as above
from chondria.report.content import PlainTable
from chondria.report.line_chart import LineChart
from chondria.trust.level_counts import LEVELS, LevelCounts

__all__ = ["score_table", "scores_at", "threshold_chart"]

THRESHOLDS: Final = tuple(n / 50 for n in range(1, 50))
SCORES = ("iou", "dice", "precision", "recall")


def scores_at(counts: LevelCounts, threshold: float) -> SemanticScores:
    """Score the mask of the voxels above a threshold, as `postprocessing.filters` has it."""
    found = above(np.arange(LEVELS, dtype=np.uint8), threshold)
    background = counts.every - counts.foreground
    table = BinaryTable(
        true_positives=int(counts.foreground[found].sum()),
        false_positives=int(background[found].sum()),
        false_negatives=int(counts.foreground[~found].sum()),
        true_negatives=int(background[~found].sum()),
    )
    return semantic_scores(table)


def score_table(
    volumes: Sequence[KeptSlices], threshold: float, history: Mapping[str, float]
) -> PlainTable:
    """Give a row of scores for each volume, and their mean where there are several.

    Parameters
    ----------
    volumes : sequence of KeptSlices
        At least one.
    threshold : float
        The model's.
    history : mapping
        The row of the kept weights, for the IoU that was measured during training, at 0.5.

    Returns
    -------
    PlainTable
        Data set, slices, and scores.
    """
    rows: list[dict[str, Any]] = []
    for volume in volumes:
        scores = scores_at(volume.counts, threshold)
        row = {"data set": volume.name, "slices": len(volume.every_z)}
        row |= {"iou in training, at 0.5": history.get(f"iou_{volume.name}")}
        rows.append(row | {name: getattr(scores, name) for name in SCORES})
    if len(rows) > 1:
        means = {name: mean(row[name] for row in rows) for name in SCORES}
        at_half = {"iou in training, at 0.5": history.get("validation_iou")}
        rows.append({"data set": "mean", "slices": None} | at_half | means)
    return PlainTable.of(rows)


def threshold_chart(volumes: Sequence[KeptSlices], threshold: float) -> LineChart:
    """Draw the IoU of each volume against the threshold, and their mean where there are several."""
    x = sorted({*THRESHOLDS, threshold})
    lines: dict[str, list[float | None]] = {
        volume.name: [scores_at(volume.counts, t).iou for t in x] for volume in volumes
    }
    if len(lines) > 1:
        lines["mean"] = [mean(values) for values in zip(*lines.values(), strict=True)]
    return LineChart("IoU of the validation slices", "threshold", x, lines, (threshold, "chosen"))
