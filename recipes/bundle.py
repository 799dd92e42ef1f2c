"""Choose a model's post-processing on validation blocks, and put the model in the package.

python recipes/bundle.py RUN_FOLDER [--chosen-on RUN_FOLDER] [--data FOLDER] [--dry-run]

A model that learned from everything has nothing left to choose on: its settings are chosen on
another run of the same recipe that kept blocks back.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from chondria.allocation import retain_freed_memory
from chondria.config import ImageSet, load_recipe
from chondria.data.splits import split_volume
from chondria.evaluation.objects import as_mask
from chondria.experiments.postprocessing_search import SearchGrid, score_block, sturdiest
from chondria.inference.compute import choose_compute
from chondria.inference.predict import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import open_volume
from chondria.models import WEIGHTS, Model, load_model, save_model
from chondria.volume import Volume

GRID = SearchGrid()
# Settings serve both ways to predict, so both have a say.
AVERAGING = ("none", "d4")
SHOWN = 12

Scores = dict[str, NDArray[np.float64]]
"""IoU over the grid, by set and averaging."""


def main() -> None:
    """Print the validation IoU of the better settings, and bundle the model with the sturdiest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--chosen-on", type=Path, help="run with validation blocks; RUN by default")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args()
    retain_freed_memory()
    judged = arguments.chosen_on or arguments.run
    scores = score_run(judged, arguments.data)
    mean = np.mean(list(scores.values()), axis=0)
    for flat in mean.ravel().argsort()[-SHOWN:]:
        print(describe(np.unravel_index(flat, GRID.shape), scores))
    plain, best = (GRID.thresholds.index(0.5), 0, 0), sturdiest(mean)
    print(f"plain:     {describe(plain, scores)}\nsturdiest: {describe(best, scores)}")
    if arguments.dry_run:
        return
    name = load_recipe(arguments.run / "recipe.yaml").name
    model = load_model(arguments.run / "model.safetensors")
    figures = {f"iou_{key}": round(float(grid[best]), 4) for key, grid in scores.items()}
    figures |= {f"iou_{key}_plain": round(float(grid[plain]), 4) for key, grid in scores.items()}
    steps = load_model(judged / "model.safetensors").card.validation["step"]
    bundled = model.with_card(
        threshold=GRID.thresholds[best[0]],
        z_median_nm=GRID.z_medians_nm[best[1]],
        largest_doubt=finite(GRID.doubts[best[2]]),
        validation=figures | {"step": steps},
    )
    WEIGHTS.mkdir(exist_ok=True)
    path = save_model(bundled, WEIGHTS / f"{name}.safetensors")
    print(f"bundled {path}: {path.stat().st_size / 1e6:.1f} MB")


def score_run(run: Path, data: Path | None) -> Scores:
    """Score the grid on the validation block of every set, with and without averaging."""
    recipe = load_recipe(run / "recipe.yaml")
    model = load_model(run / "model.safetensors")
    root = data or Path(recipe.data.root)
    sets = [settings for settings in recipe.data.sets if settings.validation_slices]
    scores: Scores = {}
    with Progress() as progress:
        steps = len(sets) * len(AVERAGING) * len(GRID.thresholds)
        task = progress.add_task("post-processing", total=steps)
        for settings in sets:
            image, truth = validation_block(settings, root)
            for tta in AVERAGING:
                probability = predict(model, image, tta, settings.name)
                scores[f"{settings.name}_{tta}"] = score_block(
                    probability, truth, GRID, lambda: progress.advance(task)
                )
    return scores


def validation_block(settings: ImageSet, root: Path) -> tuple[Volume, NDArray[np.bool_]]:
    """Cut the validation block of a set out of its images and masks, on their own grid."""
    image = open_volume(root / settings.images, settings.voxel_size_nm)
    part = split_volume(
        image.shape, settings.validation_axis, settings.validation_slices, settings.gap_slices
    )[-1]
    slices = part.split.validation
    box = (slice(slices[0], slices[-1] + 1), *part.box[1:])
    mask = as_mask(open_volume(root / settings.masks).numpy())
    return image.with_data(np.ascontiguousarray(image.numpy()[box])), mask[box]


def predict(model: Model, image: Volume, tta: str, name: str) -> Volume:
    """Predict a block as `segment` would."""
    probability = np.empty(image.shape, np.uint8)
    plan = PredictionSettings(choose_compute(), tta=tta)
    predict_volume(model, image, probability, settings=plan, where=name)
    return image.with_data(probability)


def describe(place: tuple[int, ...], scores: Scores) -> str:
    """One line of settings with the IoU of every set."""
    i, j, k = place
    each = "  ".join(f"{key} {grid[place]:.4f}" for key, grid in scores.items())
    mean = np.mean([grid[place] for grid in scores.values()])
    return (
        f"threshold {GRID.thresholds[i]:.2f}  z median {GRID.z_medians_nm[j]:3.0f} nm  "
        f"doubt {finite(GRID.doubts[k]):.2f}  {each}  mean {mean:.4f}"
    )


def finite(doubt: float) -> float:
    """Largest doubt as a card says it: 0 keeps all."""
    return doubt if np.isfinite(doubt) else 0.0


if __name__ == "__main__":
    main()
