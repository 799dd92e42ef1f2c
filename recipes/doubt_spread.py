"""Measure how differently two networks doubt the same objects (`DOUBT_SPREAD`).

python recipes/doubt_spread.py RUN_FOLDER RUN_FOLDER [--data FOLDER]

Only where the validation blocks of both runs overlap, which neither has learned from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from bundle import AVERAGING, Box, cut, predict, validation_box
from numpy.typing import NDArray

from chondria.config.recipe import load_recipe
from chondria.io import open_volume
from chondria.models import load_model
from chondria.postprocessing.confidence import object_confidence
from chondria.postprocessing.filters import threshold
from chondria.postprocessing.instances import connected_instances

THRESHOLD = 0.5
SMALLEST_VOXELS = 200


def main() -> None:
    """Print the ratios of doubt for each set, and their spread over all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs=2)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    recipes = [load_recipe(run / "recipe.yaml") for run in arguments.runs]
    models = [load_model(run / "model.safetensors") for run in arguments.runs]
    root = arguments.data or Path(recipes[0].data.root)
    found = []
    for first, second in zip(recipes[0].data.sets, recipes[1].data.sets, strict=True):
        image = open_volume(root / first.images, first.voxel_size_nm)
        boxes = [validation_box(settings, image.shape) for settings in (first, second)]
        block = cut(image, overlap(*boxes))
        seen = [
            {tta: predict(model, block, tta, first.name).numpy() for tta in AVERAGING}
            for model in models
        ]
        ratios = [log_ratios(a, b) for a in seen[0].values() for b in seen[1].values()]
        found.append(np.concatenate(ratios))
        report(first.name, found[-1])
    report("all", np.concatenate(found))


def overlap(a: Box, b: Box) -> Box:
    """Cut two boxes with each other."""
    z, y, x = (slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a, b, strict=True))
    return z, y, x


def log_ratios(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logarithm of doubt in b over doubt in a, of the objects that are mostly one in both."""
    labels = [connected_instances(threshold(values, THRESHOLD)) for values in (a, b)]
    doubts = [object_confidence(x, v).doubt for x, v in zip(labels, (a, b), strict=True)]
    sizes = [np.bincount(x.ravel()) for x in labels]
    both = (labels[0] > 0) & (labels[1] > 0)
    pairs, shared = np.unique(np.stack([x[both] for x in labels]), axis=1, return_counts=True)
    i, j = pairs.astype(np.intp)
    same = (shared > sizes[0][i] / 2) & (shared > sizes[1][j] / 2)
    same &= sizes[0][i] > SMALLEST_VOXELS
    ratio: NDArray[np.float64] = np.log(doubts[1][j[same]] / doubts[0][i[same]])
    return ratio


def report(name: str, ratios: NDArray[np.float64]) -> None:
    """Print one line."""
    spread = np.sqrt(np.mean(ratios**2))
    print(f"{name}: n {len(ratios)}  mean {ratios.mean():+.3f}  root mean square {spread:.3f}")


if __name__ == "__main__":
    main()
