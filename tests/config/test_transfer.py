"""Transfer matrices: one recipe, many sets, and what matching means for each."""

from pathlib import Path

import pytest
import yaml

from chondria.config.transfer import load_transfer, transfer_recipe
from chondria.errors import SettingsError


def one(name: str, **changes: object) -> dict:
    stack = {"images": f"{name}/i", "masks": f"{name}/m"}
    return {"name": name, "voxel_size_nm": [40, 6, 5], "train": stack, "test": stack} | changes


TREE = {
    "name": "matrix",
    "runs": 3,
    "recipe": {"network": {"options": {"filters": 16}}, "augmentation": {"set": "keras"}},
    "sets": [
        one("a++", train={"images": "a/i", "masks": "a/m", "slices": [0, 9]}),
        one("b", set={"training.batch": 1, "network.options": {"filters": 8}}),
    ],
    "published": {"iou": {"a++": {"b": 0.5}}},
}


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes: object) -> Path:
        path = tmp_path / "t.yaml"
        path.write_text(yaml.safe_dump(TREE | changes))
        return path

    return write


def test_every_set_has_a_recipe_of_its_own(write) -> None:
    found = load_transfer(write(), ["training.steps=7"])
    first, second = (transfer_recipe(found, each, "with") for each in found.sets)
    assert [each.folder for each in found.sets] == ["a", "b"]
    assert first.data.sets[0].slices == (0, 9)
    assert first.data.sets[0].voxel_size_nm == (40, 6, 5)
    assert (first.training.batch, second.training.batch) == (6, 1)
    assert (first.network.options, second.network.options) == ({"filters": 16}, {"filters": 8})
    assert first.training.steps == second.training.steps == 7
    assert len(first.data.sets) == len(second.data.sets) == 1
    assert found.sets[1].test_set.voxel_size_nm == (40, 6, 5)


def test_matching_is_pixel_size_grey_levels_and_zoom(write) -> None:
    found = load_transfer(write())
    matched, plain = (transfer_recipe(found, found.sets[0], how) for how in ("with", "without"))
    assert (matched.pixel_size_nm, plain.pixel_size_nm) == ((6, 5), None)
    assert (matched.normalisation, plain.normalisation) == ("volume", "unit")
    assert (matched.augmentation.change["zoom"], plain.augmentation.change["zoom"]) == (0.25, 0)
    aside = {"name", "pixel_size_nm", "normalisation", "augmentation"}
    assert matched.model_dump(exclude=aside) == plain.model_dump(exclude=aside)


def test_pixel_size_and_zoom_of_the_recipe_are_kept_where_they_match(write) -> None:
    base = {"pixel_size_nm": [10, 10], "augmentation": {"change": {"zoom": 0.1}}}
    found = load_transfer(write(recipe=base))
    matched, plain = (transfer_recipe(found, found.sets[0], how) for how in ("with", "without"))
    assert (matched.pixel_size_nm, plain.pixel_size_nm) == ((10, 10), None)
    assert (matched.augmentation.change["zoom"], plain.augmentation.change["zoom"]) == (0.1, 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sets": [one("a")]}, "The setting 'sets' cannot be used"),
        ({"sets": [one("a"), one("a++")]}, "two sets of one name"),
        ({"sets": [one("a"), one("++")]}, "without letters or digits"),
        (
            {"sets": [one("a++"), one("b", train={"image": "x"})]},
            "'data.sets.0.images'.*the set 'b'",
        ),
        ({"sets": [one("a"), one("b", test={"images": "x"})]}, "'sets.1.test.masks'"),
        ({"sets": [one("a"), one("b", voxel_size_nm=None)]}, "'sets.1.voxel_size_nm'"),
        ({"matching": ["with", "both"]}, "'matching.1' cannot be used"),
        ({"matching": ["with", "with"]}, "one matching twice"),
        ({"recipe": {"data": {"sets": []}}}, r"data\.sets in the recipe"),
        ({"recipe": {"trainning": {}}}, "did you mean 'training'"),
        ({"published": {"dice": {"b": {"b": 1}}}}, "published figures of 'dice'"),
        ({"published": {"iou": {"b": {"c": 1}}}}, "of the set 'c'.*there are: a\\+\\+, b"),
    ],
)
def test_mistakes_are_found_before_anything_begins(write, changes, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_transfer(write(**changes))
