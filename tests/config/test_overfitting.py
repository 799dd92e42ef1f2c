"""Studies of overfitting: one recipe, several lengths, no early stopping."""

from pathlib import Path

import pytest
import yaml

from chondria.config.overfitting import load_overfitting_study, study_recipe
from chondria.errors import SettingsError

SET = {"name": "a", "images": "i", "masks": "m", "validation_slices": 2}
TREE = {
    "name": "study",
    "recipe": {"data": {"sets": [SET]}, "training": {"patience": 5, "steps": 9}},
    "test": {"images": "ti", "masks": "tm", "slices": [0, 3]},
    "steps": [10, 20],
}


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes: object) -> Path:
        path = tmp_path / "s.yaml"
        path.write_text(yaml.safe_dump(TREE | changes))
        return path

    return write


def test_a_length_is_a_recipe_without_early_stopping(write) -> None:
    study = load_overfitting_study(write(), ["training.batch=3"])
    recipes = [study_recipe(study, steps) for steps in study.steps]
    assert [recipe.training.steps for recipe in recipes] == [10, 20]
    assert {recipe.training.patience for recipe in recipes} == {0}
    assert {recipe.training.batch for recipe in recipes} == {3}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": []}, "'steps' cannot be used"),
        ({"steps": [20, 10]}, "the steps 20, 10.*ascending"),
        ({"steps": [10, 10]}, "give each once"),
        ({"recipe": {"data": {"sets": []}}}, "Found 0 data sets"),
        ({"recipe": {"data": {"sets": [SET | {"validation_slices": 0}]}}}, "validation_slices"),
        ({"recipe": {"data": {"sets": [SET, SET]}}}, "Found 2 data sets"),
        ({"test": {"images": "a", "masks": "b", "slices": [4, 1]}}, r"'test\.slices' cannot"),
        ({"published": [[0.1, 0.2]]}, r"'published\.0"),
    ],
)
def test_mistakes_are_found_before_anything_begins(write, changes, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_overfitting_study(write(**changes))
