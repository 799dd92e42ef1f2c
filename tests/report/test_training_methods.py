"""The paragraph about a training says what its recipe and record say, and cites in order."""

import re
from copy import deepcopy

import pytest

from chondria.config.recipe import Recipe
from chondria.report.training_methods import TrainedModel, write_training_methods

SETS = [
    {
        "name": "a",
        "images": "i",
        "masks": "m",
        "validation_axis": "x",
        "validation_slices": 192,
        "gap_slices": 32,
    },
    {"name": "b", "images": "i", "masks": "m"},
]
RECORD = {
    "chondria": "9.9",
    "packages": {"torch": "2.0"},
    "steps": 100,
    "best_step": 80,
    "seed": 7,
    "threshold": 0.4,
    "validation": {"validation_iou": 0.8123, "validation_loss": 0.25},
    "data": [
        {
            "name": "a",
            "slices": "0-9 (10)",
            "voxel_size_nm": [50, 4.6, 4.6],
            "used_for": "training",
        },
        {"name": "a", "slices": "0-9 (10)", "used_for": "validation"},
        {"name": "phantom-0", "voxel_size_nm": [40, 10, 10]},
    ],
}
CURVES = [
    {"name": "voxels", "stage": stage, "expected_calibration_error": error}
    for stage, error in (("before", 0.05), ("after", 0.01))
]


def written(changes: dict, record: dict = RECORD, calibration: dict | None = None) -> str:
    tree = {
        "name": "x",
        "pixel_size_nm": [10, 10],
        "data": {"sets": SETS},
        "citations": ["Somebody 2020."],
        "training": {"steps": 100, "batch": 3, "patch_px": 64},
    }
    recipe = Recipe.model_validate(tree | changes).model_dump(mode="json")
    methods = write_training_methods(TrainedModel(recipe, record, 12345, calibration or {}))
    text = "\n".join(methods.paragraphs)
    cited = [int(n) for group in re.findall(r"\[([\d, ]+)\]", text) for n in group.split(",")]
    # Every reference is cited, and first in its order.
    assert list(dict.fromkeys(cited)) == list(range(1, len(methods.references) + 1))
    return text


def test_what_a_paper_would_say() -> None:
    text = written({}, calibration={"curves": CURVES})
    for said in (
        "A U-Net [1] of 12,345 parameters was trained with chondria 9.9 (PyTorch 2.0)",
        "It learned from a (slices 0-9 (10), voxels of 50 × 4.6 × 4.6 nm); phantom-0 (voxels of "
        "40 × 10 × 10 nm) [2].",
        "resampled to pixels of 10 × 10 nm",
        "the last 192 slices along x of a behind a gap of 32.",
        "100 steps of batches of 3 random patches of 64 × 64 px",
        "The learning rate followed one cycle",
        "The random seed was 7.",
        "The weights of step 80 were kept, which had the highest IoU on the validation slices "
        "(IoU 0.812, loss 0.250).",
        "Voxels of a probability above 0.4 were foreground.",
        "from 0.0500 to 0.0100",
    ):
        assert said in text


def test_other_settings() -> None:
    training = {
        "epochs": 3,
        "patches": "whole",
        "monitor": "loss",
        "loss": "bce",
        "optimizer": "sgd",
        "schedule": "constant",
        "ema_decay": 0.9,
        "search_threshold": True,
    }
    text = written(
        {
            "training": training,
            "start_from": "mito-em",
            "normalisation": "unit",
            "pixel_size_nm": None,
            "citations": [],
            "augmentation": {"set": "none"},
        }
    )
    assert "whole slices." in text
    assert "beginning with the weights of mito-em" in text
    assert "scaled to the range from 0 to 1" in text
    assert "lowest validation loss" in text
    assert "with a decay of 0.9" in text
    assert "with the highest IoU on the validation slices were foreground" in text
    assert "augmented" not in text
    assert "resampled" not in text


@pytest.mark.parametrize("held", [True, False])
def test_a_forest_and_what_is_not_held_out(held: bool) -> None:
    record = deepcopy(RECORD)
    if not held:
        record["validation"] = {}
    data = {"sets": SETS, "hold_out": held}
    text = written({"network": {"name": "supervoxels"}, "data": data}, record)
    assert text.startswith("A classifier of SLIC supervoxels [1]")
    assert "learning rate" not in text
    assert ("IoU on the validation slices was 0.812" in text) == held
    assert ("Nothing was held out" in text) != held
    assert ("For validation were held out" in text) == held
