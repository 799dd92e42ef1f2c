"""A block of slices is read, and no other slice of its stack."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.config.experiment import TestSet
from chondria.config.recipe import DataSettings, ImageSet, Recipe
from chondria.errors import SettingsError
from chondria.experiments.scoring import open_test_set
from chondria.experiments.stack_part import open_stack_part
from chondria.experiments.training_data import load_training_data
from chondria.io import save_volume
from chondria.volume import Volume

SIZE = (30.0, 10.0, 10.0)
N = 8


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slices whose grey level is their number, and masks."""
    folder = tmp_path_factory.mktemp("stack")
    values = np.arange(N, dtype=np.uint8)[:, None, None] + np.zeros((1, 6, 7), np.uint8)
    values[:, 0, 0] = 200
    save_volume(Volume(values), folder / "images", "png-slices")
    masks = np.zeros(values.shape, np.uint8)
    masks[:, 2:4] = 255
    save_volume(Volume(masks), folder / "masks", "png-slices")
    return folder


@given(st.data())
def test_first_and_last_are_both_read(stack: Path, data) -> None:
    first = data.draw(st.integers(0, N - 1))
    last = data.draw(st.integers(first, N - 1))
    part = open_stack_part(stack / "images", SIZE, (first, last))
    assert part.voxel_size_nm == SIZE
    assert part.numpy()[:, 1, 1].tolist() == list(range(first, last + 1))


@given(every=st.integers(1, N), first=st.integers(0, N - 1))
def test_every_nth_slice_is_so_many_times_thicker(stack: Path, every: int, first: int) -> None:
    part = open_stack_part(stack / "images", SIZE, (first, N - 1), every)
    assert part.numpy()[:, 1, 1].tolist() == list(range(first, N, every))
    assert part.voxel_size_nm == (every * SIZE[0], *SIZE[1:])
    whole = open_stack_part(stack / "images", None, None, every)
    assert whole.numpy()[:, 1, 1].tolist() == list(range(0, N, every))
    assert whole.voxel_size_nm is None


def test_other_slices_are_not_read(stack: Path, tmp_path: Path) -> None:
    for file in (stack / "images").glob("*.png"):
        whole = file.stem.endswith(("3", "4"))
        content = file.read_bytes()
        # The first is looked into for its size; of the others only those asked for.
        (tmp_path / file.name).write_bytes(content if whole else content[:60])
    with pytest.raises(SettingsError, match="0 to 7; give a first and a last slice"):
        open_stack_part(stack / "images", SIZE, (3, N))
    part = open_stack_part(tmp_path, SIZE, (3, 4))
    assert part.numpy()[:, 1, 1].tolist() == [3, 4]


def test_training_and_test_take_their_parts(stack: Path) -> None:
    files = {"images": "images", "masks": "masks", "voxel_size_nm": SIZE}
    block = ImageSet(name="a", **files, slices=(2, 6), validation_slices=2, gap_slices=1)
    recipe = Recipe(name="r", data=DataSettings(sets=(block,)))
    [(volume, card)] = load_training_data(recipe, stack)
    assert volume.images[:, 1, 1].tolist() == [2, 3, 4, 5, 6]
    assert list(volume.split.train) == [0, 1]
    assert list(volume.split.validation) == [3, 4]
    assert card["slices"] == "2-3 (2)"
    assert card["box_zyx"][0] == [2, 7]
    test = open_test_set(
        TestSet(images="images", masks="masks", voxel_size_nm=SIZE, slices=(5, 7)), stack
    )
    assert test.images.shape == test.masks.shape == (3, 6, 7)
    assert test.images.numpy()[:, 1, 1].tolist() == [5, 6, 7]
