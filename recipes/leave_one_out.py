"""Train a recipe without each of its data sets in turn, and score each model on the one left out.

python recipes/leave_one_out.py RECIPE -o FOLDER [--data FOLDER] [--without NAME] [--set KEY=VALUE]

What a model does on tissue, microscope and voxel size that it never saw is what a user meets first.
Changes of a recipe are compared here, not on a test set: the last row of each history is printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from chondria.config.recipe import DataSettings, ImageSet, Recipe, load_recipe
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.experiments.training import train_recipe
from chondria.experiments.training_data import TrainingData, load_training_data

# Neighbouring slices of thin sections say the same.
SLICES_SCORED = 20


def main() -> None:
    """Train and print one line for each set that was left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--without", action="append", help="only these; every set by default")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe, arguments.changes)
    for left_out in recipe.data.sets:
        if arguments.without and left_out.name not in arguments.without:
            continue
        folder = arguments.output / left_out.name
        iou, loss = score_without(left_out, recipe, folder, arguments.data, arguments.device)
        print(f"{folder}: without {left_out.name}, on it: IoU {iou:.4f}, loss {loss:.4f}")


def score_without(
    left_out: ImageSet, recipe: Recipe, folder: Path, data: Path | None, device: str
) -> tuple[float, float]:
    """Train without a set; IoU and loss on it after the last step, at threshold 0.5."""
    kept = tuple(one for one in recipe.data.sets if one is not left_out)
    changed = recipe.data.model_copy(update={"sets": kept, "hold_out": False})

    def watch(_: Recipe, __: TrainingData, root: Path) -> Sequence[TrainingVolume]:
        alone = DataSettings(sets=(left_out,), hold_out=False)
        [(volume, _card)] = load_training_data(recipe.model_copy(update={"data": alone}), root)
        slices = volume.split.train
        every = max(1, len(slices) // SLICES_SCORED)
        return [replace(volume, name="unseen", split=Split((), slices[::every]))]

    asked = recipe.model_copy(update={"data": changed})
    run = train_recipe(asked, folder, data_root=data, device=device, watch=watch)
    return run.history[-1]["unseen_iou"], run.history[-1]["unseen_loss"]


if __name__ == "__main__":
    main()
