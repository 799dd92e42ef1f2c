"""Tiles: every pixel of every training slice once an epoch, in another order each time."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import Normalisation
from chondria.data.patches import PatchSampler
from chondria.data.splits import Split, block_split
from chondria.data.tiles import EpochPlaces, tile_places, whole_shape
from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError, ShapeError


def volume(images, masks=None, split=None, weight=1.0, name="v") -> TrainingVolume:
    images = np.asarray(images, np.uint8)
    masks = images > 127 if masks is None else masks
    split = split or block_split(len(images), 0, 0)
    normal = Normalisation(0.0, 1.0)
    return TrainingVolume.from_arrays(name, images, masks, normal, split, weight)


def noise(*shape: int, seed: int = 0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def unused() -> torch.Generator:
    return torch.Generator()


def epoch(places: EpochPlaces, number: int) -> list:
    """All places of an epoch."""
    first = number * places.batches
    return [p for i in range(first, first + places.batches) for p in places.draw(i, unused())]


def key(place) -> tuple:
    return place.volume.name, place.z, place.y, place.x, place.augmented


# --- the grid ---


@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    padding=st.sampled_from(["mirror", "zero"]),
)
@settings(max_examples=40)
def test_tiles_put_together_are_the_padded_slice(size, shape, padding) -> None:
    shape = (2 * shape[0], 2 * shape[1])
    image = noise(1, *size)
    given = [volume(image)]
    places = tile_places(given, shape, padding)
    sampler = PatchSampler(
        given,
        shape,
        4,
        AUGMENTATIONS["none"],
        places=EpochPlaces(places, len(places)),
        padding=padding,
    )
    images, masks = sampler.draw()
    order = sampler.places.draw(0, unused())
    missing = [(0, -n % side) for n, side in zip(size, shape, strict=True)]
    mode = {"mirror": "reflect", "zero": "constant"}[padding]
    expected = np.pad(image[0], missing, mode=mode)
    found = np.full(expected.shape, -1.0)
    labelled = np.full(expected.shape, -1.0)
    for place, tile, mask in zip(order, images, masks, strict=True):
        top, left = place.y - shape[0] // 2, place.x - shape[1] // 2
        box = slice(top, top + shape[0]), slice(left, left + shape[1])
        assert (found[box] == -1).all()
        found[box], labelled[box] = tile[0].numpy(), mask[0].numpy()
    np.testing.assert_allclose(found, expected, atol=0.02)
    np.testing.assert_array_equal(labelled, expected > 127)


def test_the_thesis_s_grid() -> None:
    """165 slices of 768x1024 pixels, 17 for validation: 148 x 12 tiles of 256 (6.3.4)."""
    images = np.zeros((165, 768, 1024), np.uint8)
    masks = np.zeros(images.shape, bool)
    places = tile_places([volume(images, masks, block_split(165, 17, 0))], (256, 256))
    assert len(places) == 1776
    assert EpochPlaces(places, 6).batches == 296


def test_only_training_slices_are_cut() -> None:
    split = Split([0, 3], [1, 2])
    places = tile_places([volume(noise(4, 20, 20), split=split)], (16, 16))
    assert Counter(place.z for place in places) == {0: 4, 3: 4}


# --- epochs ---


@pytest.mark.parametrize("batch", [1, 5, 7, 100])
def test_an_epoch_shows_each_tile_once_and_never_in_the_same_order(batch) -> None:
    given = [volume(noise(3, 30, 40)), volume(noise(2, 16, 16), name="w")]
    tiles = tile_places(given, (16, 16))
    places = EpochPlaces(tiles, batch, seed=1)
    assert places.batches == -(-len(tiles) // batch)
    orders = [[key(place) for place in epoch(places, number)] for number in range(4)]
    for order in orders:
        assert sorted(order) == sorted(map(key, tiles))
    assert all(a != b for a, b in pairwise(orders))
    assert orders[0] != [key(place) for place in epoch(EpochPlaces(tiles, batch, seed=2), 0)]


def test_any_batch_can_be_drawn_alone() -> None:
    """What a resumed run needs: the number of the batch says all."""
    tiles = tile_places([volume(noise(3, 30, 40))], (16, 16))
    going = EpochPlaces(tiles, 4, seed=3)
    drawn = [going.draw(number, unused()) for number in range(20)]
    for number in (19, 7, 0):
        assert EpochPlaces(tiles, 4, seed=3).draw(number, unused()) == drawn[number]


@pytest.mark.parametrize(("weight", "shown"), [(2.0, 24), (0.5, 6), (1.25, 15), (0.001, 1)])
def test_the_weight_is_how_often_an_epoch_shows_a_tile(weight, shown) -> None:
    heavy = volume(noise(2, 32, 48), weight=weight, name="heavy")
    places = EpochPlaces(tile_places([heavy, volume(noise(1, 16, 16))], (16, 16)), 4)
    counts = [Counter(key(place) for place in epoch(places, number)) for number in range(40)]
    for count in counts:
        assert sum(n for (name, *_), n in count.items() if name == "heavy") == shown
        assert max(count.values()) == -(-shown // 12)
    total = sum(counts, Counter())
    # Which tiles are the odd ones changes from epoch to epoch.
    assert len(total) == 13


def test_adding_shows_each_tile_as_it_is_and_transformed() -> None:
    given = [volume(noise(1, 40, 40))]
    tiles = tile_places(given, (16, 16))
    places = EpochPlaces(tiles, 4, add_originals=True)
    assert places.batches == -(-18 // 4)
    shown = Counter(map(key, epoch(places, 0)))
    assert len(shown) == 18
    assert set(shown.values()) == {1}
    sampler = PatchSampler(given, 16, 4, AUGMENTATIONS["em"], places=places)
    images, masks = sampler.draw()
    drawn = places.draw(0, unused())
    assert {place.augmented for place in drawn} == {True, False}
    padded = np.pad(given[0].images[0].numpy(), ((0, 8), (0, 8)), mode="reflect")
    for place, patch, mask in zip(drawn, images, masks, strict=True):
        box = slice(place.y - 8, place.y + 8), slice(place.x - 8, place.x + 8)
        assert np.array_equal(patch[0].numpy(), padded[box]) is not place.augmented
        assert np.array_equal(mask[0].numpy(), padded[box] > 127) is not place.augmented


# --- what is discarded ---


def shares(*values: float) -> TrainingVolume:
    """A slice for each value, of 16x32 pixels; the left tile has that share, the right none."""
    masks = np.zeros((len(values), 16, 32), bool)
    for z, value in enumerate(values):
        masks[z, :, :16].flat[: round(value * 256)] = True
    return volume(masks * np.uint8(200), masks)


def test_tiles_up_to_the_share_are_discarded() -> None:
    given = [shares(0.25, 0.5, 0.125, 1.0)]
    for share, kept in ((0.0, 8), (0.1, 4), (0.125, 3), (0.25, 2), (0.6, 1)):
        places = tile_places(given, (16, 16), discard_share=share)
        assert len(places) == kept, share
        assert kept == 8 or {place.x for place in places} == {8}


def test_padding_counts_in_the_share() -> None:
    masks = np.ones((1, 16, 24), bool)
    given = [volume(masks * np.uint8(200), masks)]
    assert len(tile_places(given, (16, 16), "mirror", 0.9)) == 2
    assert len(tile_places(given, (16, 16), "zero", 0.9)) == 1


def test_discarding_every_tile_says_how_many_and_the_largest_share() -> None:
    sentence = r"0\.6 drops every one of the 4 training tiles: .* in one is 0\.5; choose a smaller"
    with pytest.raises(SettingsError, match=sentence):
        tile_places([shares(0.25, 0.5)], (16, 16), discard_share=0.6)


# --- whole slices ---


@pytest.mark.parametrize(
    ("size", "stride", "shape"),
    [
        ((40, 48), 16, (48, 48)),
        ((40, 48), 8, (40, 48)),
        ((3, 50), 1, (16, 50)),
        ((3, 9), 6, (18, 18)),
    ],
)
def test_whole_slices_are_padded_to_the_stride(size, stride, shape) -> None:
    given = [volume(noise(2, *size))]
    assert whole_shape(given, stride) == shape
    assert len(tile_places(given, shape)) == 2


def test_slices_of_unequal_size_are_named() -> None:
    given = [volume(noise(1, *s), name=n) for n, s in (("a", (8, 9)), ("b", (8, 7)), ("c", (8, 9)))]
    sentence = "8x9 pixels in 'a', 'c' and 8x7 pixels in 'b'; .* choose training.patches=tiles"
    with pytest.raises(ShapeError, match=sentence):
        whole_shape(given, 8)
    validates = volume(noise(1, 5, 5), split=Split(range(0), range(1)))
    assert whole_shape([given[0], validates], 8) == (16, 16)


@pytest.mark.parametrize("name", ["keras", "em"])
def test_whole_slices_turn_freely(name) -> None:
    blocks = np.zeros((2, 40, 72), np.uint8)
    blocks[:, 8:30, 20:50] = 255
    given = [volume(blocks)]
    shape = whole_shape(given, 16)
    places = EpochPlaces(tile_places(given, shape), 2)
    sampler = PatchSampler(given, shape, 2, AUGMENTATIONS[name], places=places)
    for _ in range(4):
        images, masks = sampler.draw()
        assert images.shape == masks.shape == (2, 1, 48, 80)
        assert ((images > 127.5).float() == masks).float().mean() > 0.9
