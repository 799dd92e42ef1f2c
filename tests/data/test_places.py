"""Places of patches: pure ones hold what they promise, and a balance of classes is kept."""

import numpy as np
import pytest
import torch

from chondria.data.normalize import Normalisation
from chondria.data.places import PurePlaces, RandomPlaces
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError


def volume(mask, split=None, name="v") -> TrainingVolume:
    mask = np.asarray(mask, bool)
    images = np.zeros(mask.shape, np.uint8)
    split = split or Split(range(len(mask)), range(0))
    return TrainingVolume.from_arrays(name, images, mask, Normalisation(0.0, 1.0), split)


def disks(radius: float, n: int = 3, side: int = 96) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return np.stack([np.hypot(y - 40 - z, x - 50 + z) < radius for z in range(n)])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def share_of(place, side: int) -> float:
    top, left = place.y - side // 2, place.x - side // 2
    assert min(top, left) >= 0
    patch = place.volume.masks[place.z, top : top + side, left : left + side]
    assert patch.shape == (side, side)
    return patch.float().mean().item()


# --- pure ---


@pytest.mark.parametrize("share", [0.6, 0.8, 1.0])
def test_pure_patches_are_of_their_class_half_of_them_each(share) -> None:
    # A tenth of the image is foreground: without the balance there would be few.
    places = PurePlaces([volume(disks(18))], 16, 40, share).draw(0, generator())
    assert [place.label for place in places] == [0] * 20 + [1] * 20
    for place in places:
        own = share_of(place, 16) if place.label else 1 - share_of(place, 16)
        assert own >= share
    foreground = [share_of(place, 16) for place in places[20:]]
    # Not the very middle of disks only: patches down to the share are drawn.
    assert share == 1 or min(foreground) < 1


def test_every_pure_place_can_be_drawn() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, :17, :18] = True
    places = PurePlaces([volume(mask), volume(~mask)], 16, 200, 1.0).draw(0, generator())
    assert {(p.y, p.x) for p in places if p.label} == {(y, x) for y in (8, 9) for x in (8, 9, 10)}


def test_pure_places_keep_to_the_training_slices() -> None:
    split = Split(range(1), range(1, 3))
    places = PurePlaces([volume(disks(18), split)], 16, 50).draw(0, generator())
    assert {place.z for place in places} == {0}


def test_of_an_odd_batch_each_class_has_one_more_in_turn() -> None:
    chosen = PurePlaces([volume(disks(18))], 16, 1)
    labels = [chosen.draw(number, generator())[0].label for number in range(4)]
    assert labels == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("radius", "sentence"),
    [
        (4, r"are mitochondrion, the most being 17\.6%"),  # 45 of 256 pixels
        (200, r"are background, the most being 0\.0%"),
    ],
)
def test_a_class_without_pure_patches_says_the_largest_share(radius, sentence) -> None:
    with pytest.raises(SettingsError, match=f"no 16x16 pixels .* of which 80% {sentence}; lower"):
        PurePlaces([volume(disks(radius))], 16, 4, 0.8)


# --- random ---


def test_random_places_are_these_very_draws() -> None:
    """One draw for the volumes and one for slices and pixels: who trains again gets the same."""
    given = [volume(np.zeros((3, 40, 50))), volume(np.zeros((5, 64, 20)), Split([1, 4], [0]))]
    drawn = RandomPlaces(given, (16, 16), 30).draw(7, generator(5))
    g = generator(5)
    which = torch.multinomial(torch.ones(2), 30, True, generator=g).tolist()
    spots = torch.rand(30, 3, generator=g, dtype=torch.float64).tolist()
    for place, index, (u, v, w) in zip(drawn, which, spots, strict=True):
        _, height, width = given[index].images.shape
        slices = given[index].split.train
        assert place.volume is given[index]
        assert place.z == slices[int(u * len(slices))]
        assert place.y == min(max(int(v * height), 8), height - 8)
        assert place.x == min(max(int(w * width), 8), width - 8)


# --- balanced ---


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_share_of_random_patches_is_centred_on_foreground(share) -> None:
    mask = np.zeros((4, 64, 64), bool)
    mask[2, 30:33, 20:23] = True  # a patch by chance on it: 9 of 16384
    places = RandomPlaces([volume(mask)], (16, 16), 400, share).draw(0, generator())
    centred = [place for place in places if mask[place.z, place.y, place.x]]
    assert len(centred) / 400 == pytest.approx(share, abs=0.08)
    assert len({(place.y, place.x) for place in centred}) == 9


def test_patches_around_foreground_at_the_border_lie_within_the_image() -> None:
    mask = np.zeros((1, 40, 50), bool)
    mask[0, 0, 49] = True
    places = RandomPlaces([volume(mask)], (16, 32), 5, 1.0).draw(0, generator())
    assert {(place.y, place.x) for place in places} == {(8, 34)}


def test_no_foreground_to_be_centred_on_is_refused() -> None:
    mask = disks(10)
    mask[:2] = False
    given = [volume(mask, Split(range(2), range(2, 3)))]
    RandomPlaces(given, (16, 16), 4)
    with pytest.raises(SettingsError, match=r"no foreground .* foreground_share of 0\.5; leave"):
        RandomPlaces(given, (16, 16), 4, 0.5)
