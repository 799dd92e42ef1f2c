"""What a training leaves: the model with its card, the history, the record of the run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chondria.config.recipe import Recipe
from chondria.experiments.run_folder import write_json
from chondria.experiments.training_data import TrainingData
from chondria.experiments.training_report import write_training_report
from chondria.experiments.validation_slices import ValidationSlices, keep_validation
from chondria.models import Model, ModelCard, save_model
from chondria.report.drawing import save_drawings
from chondria.report.learning_curves import counted_in, learning_curves
from chondria.report.line_chart import line_chart
from chondria.training.checkpoint import Progress

__all__ = ["model_card", "with_best_threshold", "write_results"]


def model_card(recipe: Recipe, data: TrainingData, progress: Progress) -> ModelCard:
    """Say of a model what its recipe says, what it learned from, and its best figures."""
    at_best = next((row for row in progress.history if row["step"] == progress.best_step), {})
    figures = {key: value for key, value in at_best.items() if "iou" in key or "loss" in key}
    post = recipe.postprocessing
    return ModelCard(
        name=recipe.name,
        description=recipe.description,
        network=recipe.network.name,
        options=recipe.network.all_options,
        pixel_size_nm=recipe.pixel_size_nm,
        normalisation=recipe.normalisation,
        patch_slices=recipe.training.patch_slices,
        boundary_nm=recipe.network.boundary_nm,
        threshold=post.threshold,
        z_median_nm=post.z_median_nm,
        smallest_diameter_nm=post.smallest_diameter_nm,
        largest_doubt=post.largest_doubt,
        data=[card for _, card in data],
        terms=recipe.terms,
        citations=list(recipe.citations),
        validation=figures | {"step": float(progress.best_step)},
    )


def with_best_threshold(card: ModelCard, found: dict[float, float]) -> ModelCard:
    """Put the threshold of the highest IoU into a card; of equal ones, that nearest to 0.5."""
    best = max(found, key=lambda threshold: (found[threshold], -abs(threshold - 0.5)))
    validation = card.validation | {"threshold_iou": found[best]}
    return replace(card, threshold=best, validation=validation)


def write_results(
    folder: Path,
    model: Model,
    progress: Progress,
    record: dict[str, Any],
    seen: Sequence[ValidationSlices],
) -> None:
    """Write the model, its history as a table and a picture, validation slices, and the report."""
    save_model(model, folder / "model.safetensors")
    with (folder / "history.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(progress.history[-1]))
        writer.writeheader()
        writer.writerows(progress.history)
    record |= {"steps": progress.step, "best_step": progress.best_step}
    record |= {"best_score": progress.best_score, "validation": model.card.validation}
    record |= {"threshold": model.card.threshold}
    write_json(folder / "run.json", record)
    keep_validation(folder, seen)
    charts = learning_curves(progress.history, counted_in(model.card.network), progress.best_step)
    save_drawings({chart.name: line_chart(chart) for chart in charts}, folder / "curves.svg")
    write_training_report(folder)
