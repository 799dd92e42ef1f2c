"""Recipes: what is allowed is read, and what is not names its place and the nearest key."""

import pytest
import yaml

from chondria.config.recipe import load_recipe, recipe_yaml
from chondria.errors import InputNotFoundError, SettingsError

SET = {"name": "a", "images": "a/images", "masks": "a/masks"}
TREE = {
    "name": "test",
    "data": {"sets": [SET, SET | {"name": "b"}], "phantoms": [{"count": 2}]},
    "network": {"name": "unet", "options": {"filters": 8}},
    "augmentation": {"set": "em", "change": {"flips": False, "zoom": 0.5, "rotation": "quarter"}},
}


@pytest.fixture
def recipe_file(tmp_path):
    """Write a tree as YAML, or text as it is."""

    def write(tree) -> str:
        path = tmp_path / "recipe.yaml"
        path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree), encoding="utf-8")
        return str(path)

    return write


def test_defaults_and_values(recipe_file) -> None:
    recipe = load_recipe(recipe_file(TREE))
    assert recipe.data.sets[1].name == "b"
    assert recipe.data.phantoms[0].count == 2
    assert recipe.training.steps == 4000
    assert recipe.augmentation.change == {"flips": False, "zoom": 0.5, "rotation": "quarter"}
    assert recipe.augmentation.change["flips"] is False


def test_what_is_written_reads_back_equal(recipe_file, tmp_path) -> None:
    recipe = load_recipe(recipe_file(TREE))
    copy = tmp_path / "copy.yaml"
    copy.write_text(recipe_yaml(recipe))
    assert load_recipe(copy) == recipe
    assert "validate_every: 200" in recipe_yaml(recipe)


def test_a_recipe_is_frozen(recipe_file) -> None:
    recipe = load_recipe(recipe_file(TREE))
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 3


@pytest.mark.parametrize(
    ("change", "place", "nearest"),
    [
        ("seeed=1", "seeed", "seed"),
        ("training.step=1", "training.step", "steps"),
        ("network.nmae=unet", "network.nmae", "name"),
        ("data.roots=x", "data.roots", "root"),
        ("data.sets.0.wieght=2", "data.sets.0.wieght", "weight"),
        ("data.sets.1.gap_slice=2", "data.sets.1.gap_slice", "gap_slices"),
        ("data.phantoms.0.cuont=2", "data.phantoms.0.cuont", "count"),
        ("augmentation.chnage={}", "augmentation.chnage", "change"),
        ("postprocessing.treshold=0.5", "postprocessing.treshold", "threshold"),
    ],
)
def test_an_unknown_key_names_its_place_and_the_nearest(
    recipe_file, change, place, nearest
) -> None:
    with pytest.raises(SettingsError, match=f"no setting '{place}'; did you mean '{nearest}'"):
        load_recipe(recipe_file(TREE), [change])


def test_a_key_like_no_other_lists_what_is_allowed(recipe_file) -> None:
    said = r"'network.qqqqq'; allowed here: name, options, boundary_nm, boundary_weight \(in "
    with pytest.raises(SettingsError, match=said):
        load_recipe(recipe_file(TREE), ["network.qqqqq=1"])


@pytest.mark.parametrize(
    "change",
    [
        "training.steps=0",
        "training.patch_px=100",
        "training.patch_px=0",
        "training.batch=1.5",
        "training.rate=0",
        "training.rate=.inf",
        "training.rate=.nan",
        "training.momentum=1",
        "training.loss=focal",
        "training.precision=fp16",
        "data.sets.0.weight=0",
        "data.sets.0.voxel_size_nm=[5, 5]",
        "data.sets.0.voxel_size_nm=[5, 5, -5]",
        "data.sets.0.validation_slices=-1",
        "postprocessing.threshold=1",
        "augmentation.set=strong",
        "normalisation=zscore",
        "seed=-1",
        "network=unet",
    ],
)
def test_a_value_out_of_bounds_names_its_setting(recipe_file, change) -> None:
    place = change.partition("=")[0]
    with pytest.raises(SettingsError, match=f"The setting '{place}"):
        load_recipe(recipe_file(TREE), [change])


def test_epochs_stand_in_for_steps(recipe_file, tmp_path) -> None:
    changes = ["training.epochs=3", "training.patches=tiles", "training.patience=3"]
    training = load_recipe(recipe_file(TREE), changes).training
    assert (training.steps, training.epochs, training.validate_every) == (None, 3, None)
    copy = tmp_path / "copy.yaml"
    copy.write_text(recipe_yaml(load_recipe(recipe_file(TREE), changes)))
    assert load_recipe(copy).training == training
    later = load_recipe(recipe_file(TREE), [*changes, "training.validate_every=7"]).training
    assert (later.steps, later.validate_every) == (None, 7)
    plain = load_recipe(recipe_file(TREE), ["training.steps=null"]).training
    assert (plain.steps, plain.epochs, plain.validate_every) == (4000, None, 200)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["epochs=3"], "found epochs 3 with patches 'random'.* choose patches: tiles or whole"),
        (["epochs=3", "patches=pure"], "found epochs 3 with patches 'pure'"),
        (["discard_share=0.05"], "found discard_share 0.05 with patches 'random'"),
        (["augmented=add"], "found augmented add with patches 'random'"),
        (["padding=zero"], "found padding zero with patches 'random'"),
        (["foreground_share=0.5", "patches=tiles"], "share 0.5 .* choose patches: random"),
        (["pure_share=0.9", "patches=whole"], "found pure_share 0.9 .* choose patches: pure"),
        (["epochs=3", "steps=9", "patches=tiles"], "both 9 steps and 3 epochs; give one"),
        (
            ["epochs=20", "patience=50", "patches=tiles"],
            "a patience of 50 validations but only 20 of them in 20 epochs, .* lower patience",
        ),
        (
            ["steps=900", "patience=6"],
            "a patience of 6 validations but only 5 of them in 900 steps",
        ),
    ],
)
def test_settings_that_do_not_fit_together_say_so(recipe_file, changes, sentence) -> None:
    given = [f"training.{change}" for change in changes]
    with pytest.raises(SettingsError, match=f"'training' cannot be used: .*{sentence}"):
        load_recipe(recipe_file(TREE), given)


def test_a_missing_setting_is_named(recipe_file) -> None:
    with pytest.raises(SettingsError, match="'data' cannot be used: Field required"):
        load_recipe(recipe_file({"name": "x"}))


def test_changes_reach_every_level(recipe_file) -> None:
    changes = [
        "seed=7",
        "training.rate=2e-4",
        "data.sets.1.weight=3",
        "data.sets.0.voxel_size_nm=[5, 4, 4]",
        "network.options.levels=3",
        "postprocessing.threshold=0.4",
    ]
    recipe = load_recipe(recipe_file(TREE), changes)
    assert recipe.seed == 7
    assert recipe.training.rate == 2e-4
    assert [s.weight for s in recipe.data.sets] == [1, 3]
    assert recipe.data.sets[0].voxel_size_nm == (5, 4, 4)
    assert recipe.network.options == {"filters": 8, "levels": 3}
    assert recipe.postprocessing.threshold == 0.4


@pytest.mark.parametrize(
    "change",
    ["seed", "=3", "data.sets.7.weight=1", "data.sets.first.weight=1", "name.x.y=1", "seed=[1"],
)
def test_a_change_that_cannot_be_applied_is_quoted(recipe_file, change) -> None:
    with pytest.raises(SettingsError, match="change '"):
        load_recipe(recipe_file(TREE), [change])


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputNotFoundError, match=r"no recipe '.*none\.yaml'"):
        load_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["a: [1", "\t- x: {", "a: b: c"])
def test_what_is_not_yaml_says_so(recipe_file, text) -> None:
    with pytest.raises(SettingsError, match="as YAML"):
        load_recipe(recipe_file(text))


@pytest.mark.parametrize("text", ["", "- 1\n- 2", "just words"])
def test_yaml_without_settings_says_so(recipe_file, text) -> None:
    with pytest.raises(SettingsError, match="a recipe is a YAML mapping"):
        load_recipe(recipe_file(text))


def test_binary_files_are_refused(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(SettingsError, match="as YAML"):
        load_recipe(path)


def test_a_part_of_a_stack_is_named_by_its_first_and_last_slice(recipe_file) -> None:
    tree = TREE | {"data": {"sets": [SET | {"slices": [2, 2]}]}}
    assert load_recipe(recipe_file(tree)).data.sets[0].slices == (2, 2)


@pytest.mark.parametrize("slices", ["[3, 2]", "[-1, 2]", "[1]", "5"])
def test_slices_that_are_no_part_are_refused(recipe_file, slices) -> None:
    with pytest.raises(SettingsError, match=r"'data\.sets\.0\.slices.*cannot be used"):
        load_recipe(recipe_file(TREE), [f"data.sets.0.slices={slices}"])
