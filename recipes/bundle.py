"""Choose a model's post-processing on validation slices, and put it in the package.

python recipes/bundle.py RUN_FOLDER [--data FOLDER] [--dry-run]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
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
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold, z_extent_slices, z_median
from chondria.postprocessing.instances import connected_instances
from chondria.volume import Volume

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
Z_MEDIANS_NM = (0.0, 15.0, 25.0, 35.0, 45.0, 65.0, 85.0)
DOUBTS = (0.0, 6.0, 5.0, 4.5, 4.0, 3.75, 3.5, 3.25, 3.0, 2.75, 2.5, 2.25, 2.0, 1.75, 1.5)

SHOWN = 20


@dataclass(frozen=True)
class Choice:
    """A post-processing with its validation IoU for each set."""

    threshold: float
    z_median_nm: float
    doubt: float
    iou: dict[str, float]

    @property
    def mean(self) -> float:
        """Plain mean over sets."""
        return sum(self.iou.values()) / len(self.iou)

    def __str__(self) -> str:
        sets = "  ".join(f"{name} {value:.4f}" for name, value in self.iou.items())
        return (
            f"threshold {self.threshold:.2f}  z median {self.z_median_nm:4.0f} nm  "
            f"doubt {self.doubt:.2f}  {sets}  mean {self.mean:.4f}"
        )


def main() -> None:
    """Print the validation IoU of the better choices, and bundle the model with the best."""
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
    choices = [c for p, nm in product(THRESHOLDS, Z_MEDIANS_NM) for c in judge(blocks, p, nm)]
    for choice in sorted(choices, key=lambda choice: choice.mean)[-SHOWN:]:
        print(choice)
    best = max(choices, key=lambda choice: choice.mean)
    plain = next(c for c in choices if (c.threshold, c.z_median_nm, c.doubt) == (0.5, 0, 0))
    print(f"plain: {plain}\nbest:  {best}")
    if arguments.dry_run:
        return
    figures = {f"iou_{name}": round(value, 4) for name, value in best.iou.items()}
    figures |= {f"iou_{name}_plain": round(value, 4) for name, value in plain.iou.items()}
    bundled = model.with_card(
        threshold=best.threshold,
        z_median_nm=best.z_median_nm,
        largest_doubt=best.doubt,
        validation=figures | {"step": model.card.validation["step"]},
    )
    WEIGHTS.mkdir(exist_ok=True)
    path = save_model(bundled, WEIGHTS / f"{recipe.name}.safetensors")
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


def judge(blocks: dict[str, tuple[Volume, np.ndarray]], p: float, median_nm: float) -> list[Choice]:
    """IoU of one threshold and one median, for every doubt."""
    by_set = {name: ious(*block, p, median_nm) for name, block in blocks.items()}
    return [
        Choice(p, median_nm, doubt, {name: found[i] for name, found in by_set.items()})
        for i, doubt in enumerate(DOUBTS)
    ]


def ious(probability: Volume, truth: np.ndarray, p: float, median_nm: float) -> list[float]:
    """One global IoU over the block for each doubt, from the counts of every object."""
    values = probability.numpy()
    mask = threshold(values, p)
    if median_nm and probability.voxel_size_nm:
        mask = z_median(mask, z_extent_slices(median_nm, probability.voxel_size_nm[0]))
    labels = connected_instances(mask)
    confidence = object_confidence(labels, values)
    voxels = np.bincount(labels.ravel(), minlength=len(confidence.doubt))
    true = np.bincount(labels[truth], minlength=len(confidence.doubt))
    found = []
    for largest in DOUBTS:
        kept = confidence.doubt <= (largest or np.inf)
        kept[0] = False
        false = (voxels - true)[kept].sum()
        found.append(float(true[kept].sum() / (truth.sum() + false)))
    return found


if __name__ == "__main__":
    main()
