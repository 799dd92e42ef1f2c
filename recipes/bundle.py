"""Choose a model's post-processing on validation blocks, and put the model in the package.

python recipes/bundle.py RUN_FOLDER [--chosen-on RUN_FOLDER] [--data FOLDER] [--dry-run]

A model that learned from everything has nothing left to choose on: its settings, and how far to
trust it, are those of another run of the same recipe that kept blocks back.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from chondria.allocation import retain_freed_memory
from chondria.config.recipe import ImageSet, Recipe, load_recipe
from chondria.data.splits import split_volume
from chondria.evaluation.objects import as_mask, connected_objects
from chondria.experiments.calibration import observe
from chondria.experiments.postprocessing_search import BlockScores, SearchGrid, score_block
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust_reports import object_settings
from chondria.inference.compute import choose_compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import open_volume
from chondria.models import WEIGHTS, Model, load_model, save_model
from chondria.trust.record import fit_trust
from chondria.volume import Volume

GRID = SearchGrid()
# Settings serve both ways to predict, so both have a say.
AVERAGING = ("none", "d4")
SHOWN = 12

Box = tuple[slice, slice, slice]
Scores = dict[str, BlockScores]
"""By set and averaging."""


def main() -> None:
    """Print the settings of which most is expected, and bundle the model with the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--chosen-on", type=Path, help="run with validation blocks; RUN by default")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args()
    retain_freed_memory()
    judged = arguments.chosen_on or arguments.run
    scores = score_run(judged, arguments.data)
    expected = np.mean([block.expected for block in scores.values()], axis=0)
    better = [np.unravel_index(flat, GRID.shape) for flat in expected.ravel().argsort()]
    for place in better[-SHOWN:]:
        print(f"expected {expected[place]:.4f}  {describe(place, scores)}")
    plain, best = (GRID.thresholds.index(0.5), 0, 0), better[-1]
    print(f"plain:  {describe(plain, scores)}\nchosen: {describe(best, scores)}")
    if arguments.dry_run:
        return
    name = load_recipe(arguments.run / "recipe.yaml").name
    model = load_model(arguments.run / "model.safetensors")
    figures = {f"iou_{key}": round(float(block.iou[best]), 4) for key, block in scores.items()}
    figures |= {
        f"iou_{key}_plain": round(float(block.iou[plain]), 4) for key, block in scores.items()
    }
    chosen = {
        "threshold": GRID.thresholds[best[0]],
        "z_median_nm": GRID.z_medians_nm[best[1]],
        "largest_doubt": finite(GRID.doubts[best[2]]),
    }
    judge = load_model(judged / "model.safetensors").with_card(**chosen)
    trust = learn_trust(judge, load_recipe(judged / "recipe.yaml"), arguments.data)
    figures |= {"step": judge.card.validation["step"]}
    bundled = model.with_card(**chosen, validation=figures, trust=trust)
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


def learn_trust(model: Model, recipe: Recipe, data: Path | None) -> dict[str, Any]:
    """Calibrate a model, and count its errors, on the validation block of every set."""
    settings = SegmentationSettings().of(model.card)
    evidence = []
    for one in recipe.data.sets:
        image, mask = validation_block(one, data or Path(recipe.data.root))
        truth = image.with_data(connected_objects(mask))
        evidence.append(observe(model, image, truth, settings, one.name)[-1])
    trust = fit_trust(evidence, object_settings(settings)).as_dict()
    print(f"pixels: {trust['pixels']}")
    return trust


def validation_block(settings: ImageSet, root: Path) -> tuple[Volume, NDArray[np.bool_]]:
    """Cut the validation block of a set out of its images and masks, on their own grid."""
    image = open_volume(root / settings.images, settings.voxel_size_nm)
    box = validation_box(settings, image.shape)
    mask = as_mask(open_volume(root / settings.masks).numpy())
    return cut(image, box), mask[box]


def validation_box(settings: ImageSet, shape: tuple[int, int, int]) -> Box:
    """Where the validation block of a set lies."""
    part = split_volume(
        shape, settings.validation_axis, settings.validation_slices, settings.gap_slices
    )[-1]
    slices = part.split.validation
    return slice(slices[0], slices[-1] + 1), part.box[1], part.box[2]


def cut(image: Volume, box: Box) -> Volume:
    """Take a box of an image."""
    return image.with_data(np.ascontiguousarray(image.numpy()[box]))


def predict(model: Model, image: Volume, tta: str, name: str) -> Volume:
    """Predict a block as `segment` would."""
    probability = np.empty(image.shape, np.uint8)
    plan = PredictionSettings(choose_compute(), tta=tta)
    predict_volume(model, image, probability, settings=plan, where=name)
    return image.with_data(probability)


def describe(place: tuple[int, ...], scores: Scores) -> str:
    """One line of settings with the IoU of every set."""
    i, j, k = place
    each = "  ".join(f"{key} {block.iou[place]:.4f}" for key, block in scores.items())
    mean = np.mean([block.iou[place] for block in scores.values()])
    return (
        f"threshold {GRID.thresholds[i]:.2f}  z median {GRID.z_medians_nm[j]:3.0f} nm  "
        f"doubt {finite(GRID.doubts[k]):.2f}  {each}  mean {mean:.4f}"
    )


def finite(doubt: float) -> float:
    """Largest doubt as a card says it: 0 keeps all."""
    return doubt if np.isfinite(doubt) else 0.0


if __name__ == "__main__":
    main()
