"""Choose threshold and z median on a run's validation slices, and put its model in the package.

python recipes/bundle.py RUN_FOLDER [--data FOLDER] [--dry-run]
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from chondria.allocation import retain_freed_memory
from chondria.config import ImageSet, load_recipe
from chondria.data.splits import block_split
from chondria.evaluation.objects import as_mask
from chondria.inference.compute import choose_compute
from chondria.inference.predict import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import open_volume
from chondria.models import WEIGHTS, Model, load_model, save_model
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.volume import Volume

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
Z_MEDIANS_NM = (0.0, 15.0, 25.0, 35.0, 45.0, 65.0, 85.0)


def main() -> None:
    """Print the validation IoU of every choice, and bundle the model with the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args()
    retain_freed_memory()
    recipe = load_recipe(arguments.run / "recipe.yaml")
    model = load_model(arguments.run / "model.safetensors")
    root = arguments.data or Path(recipe.data.root)
    blocks = {s.name: predict_block(model, s, root) for s in recipe.data.sets}
    scores = {
        (p, nm): {name: iou(*block, p, nm) for name, block in blocks.items()}
        for p, nm in product(THRESHOLDS, Z_MEDIANS_NM)
    }
    for (p, nm), by_set in scores.items():
        sets = "  ".join(f"{name} {value:.4f}" for name, value in by_set.items())
        print(f"threshold {p:.2f}  z median {nm:4.0f} nm  {sets}  mean {mean(by_set):.4f}")
    best = max(scores, key=lambda choice: mean(scores[choice]))
    print(f"best: threshold {best[0]}, z median {best[1]} nm, mean IoU {mean(scores[best]):.4f}")
    if arguments.dry_run:
        return
    figures = {f"iou_{name}": round(value, 4) for name, value in scores[best].items()}
    plain = {f"iou_{n}_plain": round(v, 4) for n, v in scores[(0.5, 0.0)].items()}
    step = {"step": model.card.validation["step"]}
    card = {"threshold": best[0], "z_median_nm": best[1], "validation": figures | plain | step}
    WEIGHTS.mkdir(exist_ok=True)
    path = save_model(model.with_card(**card), WEIGHTS / f"{recipe.name}.safetensors")
    print(f"bundled {path}: {path.stat().st_size / 1e6:.1f} MB")


def predict_block(model: Model, settings: ImageSet, root: Path) -> tuple[Volume, np.ndarray]:
    """Predict the validation block of a set on its own grid."""
    image = open_volume(root / settings.images, settings.voxel_size_nm)
    block = block_split(image.shape[0], settings.validation_slices, settings.gap_slices).validation
    part = np.s_[block.start : block.stop]
    truth = as_mask(open_volume(root / settings.masks).data[part])
    image = image.with_data(image.data[part])
    probability = np.empty(image.shape, np.uint8)
    plan = PredictionSettings(choose_compute())
    predict_volume(model, image, probability, settings=plan, where=settings.name)
    return image.with_data(probability), truth


def iou(probability: Volume, truth: np.ndarray, p: float, median_nm: float) -> float:
    """One global IoU over the block."""
    mask = threshold(probability.numpy(), p)
    if median_nm and probability.voxel_size_nm:
        mask = z_median(mask, z_extent_slices(median_nm, probability.voxel_size_nm[0]))
    return float((mask & truth).sum() / (mask | truth).sum())


def mean(scores: dict[str, float]) -> float:
    """Plain mean over sets."""
    return sum(scores.values()) / len(scores)


if __name__ == "__main__":
    main()
