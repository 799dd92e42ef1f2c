"""Experiments: rows change a recipe, and every row is checked before anything begins."""

from pathlib import Path

import pytest
import yaml

from chondria.config.experiment import Row, load_experiment, recipe_of, steps_of
from chondria.errors import SettingsError

TREE = {
    "name": "table",
    "runs": 3,
    "recipe": {
        "data": {"sets": [{"name": "a", "images": "i", "masks": "m"}]},
        "network": {"options": {"filters": 16}},
    },
    "test": {"images": "ti", "masks": "tm", "voxel_size_nm": [5, 5, 5]},
    "steps": [{"name": "plain"}, {"name": "d4", "tta": "d4"}],
    "rows": [
        {"name": "sixteen"},
        {
            "name": "residual",
            "set": {"network.name": "resunet", "data.sets.0.weight": 2},
            "published": {"plain": {"iou": [0.87, 0.002], "voc": 0.93}},
        },
    ],
}


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes: object) -> Path:
        path = tmp_path / "e.yaml"
        path.write_text(yaml.safe_dump(TREE | changes))
        return path

    return write


def test_a_row_changes_the_recipe_and_no_other_row(write) -> None:
    found = load_experiment(write(), ["training.steps=7"])
    plain, residual = (recipe_of(found, row) for row in found.rows)
    assert (plain.network.name, residual.network.name) == ("unet", "resunet")
    assert residual.network.options == {"filters": 16}
    assert (plain.data.sets[0].weight, residual.data.sets[0].weight) == (1, 2)
    assert plain.training.steps == residual.training.steps == 7
    assert plain.name == "table"
    assert found.rows[1].published["plain"] == {"iou": (0.87, 0.002), "voc": 0.93}


def test_post_processing_is_named_in_steps(write) -> None:
    oztel = {
        "name": "oztel",
        "spurious_probability": 0.8,
        "refine_boundaries_px": 3,
        "z_median_nm": 45,
    }
    blended = {"name": "blended", "blending": "spline", "window_px": 128, "zy_median_px": 5}
    plain, first, second = load_experiment(write(steps=[{"name": "plain"}, oztel, blended])).steps
    assert (plain.blending, plain.window_px, plain.zy_median_px) == ("none", 256, 0)
    assert (plain.spurious_probability, plain.refine_boundaries_px) == (0, 0)
    assert oztel.items() <= first.model_dump().items()
    assert blended.items() <= second.model_dump().items()


def test_a_row_names_its_folder() -> None:
    assert Row(name="U-Net 32, tiles | `keras` 0.4").folder == "u-net-32-tiles-keras-0-4"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": []}, "The setting 'rows' cannot be used"),
        ({"runs": 0}, "The setting 'runs' cannot be used"),
        ({"row": 1}, "no setting 'row'; did you mean 'rows'"),
        ({"rows": [{"name": "a"}, {"name": "a"}]}, "two rows of one name"),
        ({"rows": [{"name": "a-1"}, {"name": "A 1"}]}, "two rows of one name"),
        ({"rows": [{"name": "--"}]}, "without letters or digits"),
        ({"steps": [{"name": "a"}, {"name": "a"}]}, "two steps of one name"),
        ({"rows": [{"name": "a", "set": {"training.stepps": 1}}]}, "mean 'steps'.*the row 'a'"),
        ({"rows": [{"name": "a", "set": {"name.x": 1}}]}, "no settings at 'name'"),
        ({"steps": [{"name": "a", "tta": "d8"}]}, "'steps.0.tta' cannot be used"),
        ({"rows": [{"name": "a", "steps": ["d8"]}]}, "no step 'd8' for the row 'a'.*plain, d4"),
        ({"rows": [{"name": "a", "published": {"x": {"iou": 1}}}]}, "no step 'x' for the row 'a'"),
        ({"steps": [{"name": "a", "blending": "linear"}]}, "'steps.0.blending' cannot be used"),
        ({"steps": [{"name": "a", "window_px": 250}]}, "'steps.0.window_px' cannot be used"),
        ({"steps": [{"name": "a", "zy_median_px": 4}]}, "'steps.0.zy_median_px' cannot be used"),
        ({"steps": [{"name": "a", "neck_ratio": 0}]}, "'steps.0.neck_ratio' cannot be used"),
        ({"steps": [{"name": "a", "spurious_probability": 1}]}, "'steps.0.spurious_prob"),
        ({"steps": [{"name": "a", "refine_boundaries_px": -1}]}, "'steps.0.refine_bound"),
    ],
)
def test_mistakes_are_found_before_anything_begins(write, changes, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_experiment(write(**changes))


def test_a_row_may_be_scored_after_some_of_the_steps(write) -> None:
    found = load_experiment(write(rows=[{"name": "all"}, {"name": "one", "steps": ["d4"]}]))
    names = [[step.name for step in steps_of(found, row)] for row in found.rows]
    assert names == [["plain", "d4"], ["d4"]]
