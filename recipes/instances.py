"""Score the objects of a run's validation blocks, with and without the step that separates.

python recipes/instances.py RUN_FOLDER [--data FOLDER] [--set NAME] [--threshold T]

Truth is the connected components of the masks. A model with a boundary channel uses it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

from bundle import validation_block

from chondria.allocation import retain_freed_memory
from chondria.config.recipe import load_recipe
from chondria.evaluation.instance import InstanceScores, instance_scores
from chondria.evaluation.overlap import contingency_table
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.volume_segmentation import label_objects, segment_volume
from chondria.models import load_model
from chondria.postprocessing.instances import connected_instances


def main() -> None:
    """Print one line for each set, in 3-D and slice by slice, with and without separation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--set", action="append", dest="sets", help="only these")
    parser.add_argument("--threshold", type=float)
    arguments = parser.parse_args()
    retain_freed_memory()
    recipe = load_recipe(arguments.run / "recipe.yaml")
    model = load_model(arguments.run / "model.safetensors").with_card(trust={})
    print("set, dimensions, separated: true, F1@0.5, PQ; matched, false, missed")
    for one in recipe.data.sets:
        if arguments.sets and one.name not in arguments.sets:
            continue
        image, mask = validation_block(one, arguments.data or Path(recipe.data.root))
        asked = SegmentationSettings(threshold=arguments.threshold, separate=True, measures="size")
        seen = segment_volume(model, image, asked.of(model.card))
        outlines = None if seen.boundary is None else seen.boundary.numpy()
        for dimensions, separate in product((3, 2), (False, True)):
            truth = connected_instances(mask, dimensions=dimensions)
            changed = replace(asked, dimensions=dimensions, separate=separate).of(model.card)
            labels, _ = label_objects(seen.probability.numpy(), image, changed, outlines)
            how = f"{one.name} {dimensions}-D {'with' if separate else 'without'}"
            print(f"{how}: {described(instance_scores(contingency_table(labels.numpy(), truth)))}")


def described(scores: InstanceScores) -> str:
    """One line of scores."""
    true = scores.true_positives + scores.false_negatives
    return (
        f"{true} true, F1 {scores.f1:.4f}, PQ {scores.panoptic_quality:.4f}; "
        f"{scores.true_positives}, {scores.false_positives}, {scores.false_negatives}"
    )


if __name__ == "__main__":
    main()
