"""Training patches come from training slices only, where their masks say, as often as weighed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.normalize import Normalisation
from chondria.data.patches import PatchSampler, _mirrored
from chondria.data.places import PurePlaces
from chondria.data.splits import Split, block_split
from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError, ShapeError

PLAIN = Normalisation(0.0, 1.0)
NONE, CUSTOM, EM = (AUGMENTATIONS[name] for name in ("none", "custom", "em"))


def volume(images, masks=None, split=None, weight=1.0, normalisation=PLAIN, name="v"):
    images = np.asarray(images, np.uint8)
    masks = images > 127 if masks is None else masks
    split = split or block_split(len(images), 0, 0)
    return TrainingVolume.from_arrays(name, images, masks, normalisation, split, weight)


def noise(*shape: int, seed: int = 0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# --- where from ---


@pytest.mark.parametrize(
    "split", [block_split(20, 5, 3), block_split(20, 4, 0, every=2), Split(range(1), range(19, 20))]
)
def test_only_training_slices_are_drawn_and_all_of_them(split) -> None:
    slices = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None], (20, 24, 24)).copy()
    sampler = PatchSampler([volume(slices, split=split)], 16, 50, CUSTOM)
    drawn = torch.cat([sampler.draw()[0] for _ in range(4)])
    seen = {round(float(value), 3) for value in drawn.unique().tolist()}
    assert seen == {float(z) for z in split.train}
    assert not seen & {float(z) for z in split.validation}


def test_volumes_that_only_validate_are_never_drawn() -> None:
    given = [
        volume(np.full((2, 16, 16), 10)),
        volume(np.full((2, 16, 16), 20), split=Split(range(0), range(2)), weight=9.0),
    ]
    sampler = PatchSampler(given, 16, 100, NONE)
    assert sampler.draw()[0].unique().tolist() == [10]
    assert len(sampler.volumes) == 2
    with pytest.raises(SettingsError, match="nothing to learn from"):
        PatchSampler(given[1:], 16, 100, NONE)


def test_weights_are_respected() -> None:
    levels = {10: 1.0, 20: 3.0, 30: 0.5}
    volumes = [volume(np.full((2, 16, 16), level), weight=w) for level, w in levels.items()]
    sampler = PatchSampler(volumes, 16, 3000, NONE)
    drawn = sampler.draw()[0][:, 0, 0, 0]
    for level, weight in levels.items():
        share = (drawn == level).float().mean().item()
        assert share == pytest.approx(weight / 4.5, abs=0.03)


def test_every_place_is_drawn_and_patches_are_exact_crops() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    sampler = PatchSampler([volume(image)], 8, 600, NONE)
    images, masks = sampler.draw()
    corners = images[:, 0, 0, 0].round().int()
    tops, lefts = corners // 16, corners % 16
    assert {*tops.tolist()} == {*lefts.tolist()} == set(range(9))
    expected = torch.from_numpy(image[0])
    for patch, top, left in zip(images[:40], tops, lefts, strict=False):
        crop = expected[top : top + 8, left : left + 8].float()
        torch.testing.assert_close(patch[0], crop, atol=2e-3, rtol=0)
    assert torch.equal(masks, (images > 127.5).float())


def test_what_lies_near_the_border_is_seen_as_often_as_the_middle() -> None:
    columns = np.broadcast_to(np.arange(40, dtype=np.uint8), (1, 40, 40))
    images, _ = PatchSampler([volume(columns.copy())], 16, 3000, NONE).draw()
    lefts = images[:, 0, 0, 0]
    seen = [((lefts <= x) & (x < lefts + 16)).float().mean().item() for x in (0, 20, 39)]
    # Centres from 0 to 8 are moved to 8, so the first column is in 9 of 40 patches.
    assert seen == pytest.approx([9 / 40, 16 / 40, 8 / 40], abs=0.03)


@pytest.mark.parametrize("augmentation", ["none", "keras", "custom", "em"])
@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 9, 40), (1, 1, 1), (3, 100, 7)])
def test_images_smaller_than_a_patch_work(augmentation, shape) -> None:
    sampler = PatchSampler([volume(noise(*shape))], 16, 4, AUGMENTATIONS[augmentation])
    images, masks = sampler.draw()
    assert images.shape == masks.shape == (4, 1, 16, 16)
    assert images.isfinite().all()


def test_a_small_image_is_mirrored_around_its_middle() -> None:
    image = noise(1, 6, 16)
    patches, _ = PatchSampler([volume(image)], 16, 2, NONE).draw()
    mirrored = np.pad(image[0].astype(np.float32), ((5, 5), (0, 0)), mode="reflect")
    for patch in patches:
        np.testing.assert_allclose(patch[0].numpy(), mirrored, atol=2e-2)


@given(start=st.integers(-40, 40), length=st.integers(1, 50), n=st.integers(1, 20))
def test_mirror_fill_is_numpys_reflection(start, length, n) -> None:
    stop = start + length
    before, after = max(0, -start), max(0, stop - n)
    reflected = np.pad(np.arange(n), (before, after), mode="reflect")
    expected = reflected[start + before : stop + before]
    assert _mirrored(start, length, n, torch.device("cpu")).tolist() == expected.tolist()


# --- what ---


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_masks_are_binary_and_follow_their_images(name) -> None:
    blocks = np.zeros((2, 64, 64), np.uint8)
    blocks[:, 8:40, 20:50] = 255
    sampler = PatchSampler([volume(blocks)], 32, 16, AUGMENTATIONS[name])
    images, masks = sampler.draw()
    assert masks.dtype == images.dtype == torch.float32
    assert {*masks.unique().tolist()} == {0.0, 1.0}
    agree = ((images > 127.5).float() == masks).float().mean()
    # `em` bends and blurs unnormalised grey levels, but bright stays bright.
    assert agree > (0.9 if name == "em" else 0.999)


def test_each_volume_has_its_own_normalisation() -> None:
    low = volume(np.full((1, 16, 16), 10), normalisation=Normalisation(4.0, 2.0))
    high = volume(np.full((1, 16, 16), 200), normalisation=Normalisation(100.0, 20.0))
    images, _ = PatchSampler([low, high], 16, 40, NONE).draw()
    assert {*images.mul(1e4).round().div(1e4).unique().tolist()} == {3.0, 5.0}


def test_a_place_s_class_is_that_of_all_its_pixels() -> None:
    half = np.zeros((1, 32, 32), np.uint8)
    half[:, :, :26] = 255
    places = PurePlaces([volume(half), volume(255 - half)], 16, 12, 0.8)
    images, masks = PatchSampler([volume(half)], 16, 12, EM, places=places).draw()
    assert (images[:, 0] > 127.5).any(2).any(1).any()
    assert torch.equal(
        masks,
        torch.tensor([0.0, 1.0]).repeat_interleave(6).expand(1, 16, 16, 12).permute(3, 0, 1, 2),
    )


@pytest.mark.parametrize("rotation", ["none", "half", "free"])
def test_patches_may_be_higher_than_wide(rotation) -> None:
    augmentation = Augmentation(flips=True, rotation=rotation, elastic_probability=0.5)
    sampler = PatchSampler([volume(noise(2, 60, 50))], (48, 32), 3, augmentation)
    assert sampler.draw()[0].shape == (3, 1, 48, 32)


def test_beyond_the_image_is_its_mirror_or_zero() -> None:
    image = noise(1, 10, 40) | 1
    for padding, share in (("mirror", 1.0), ("zero", 10 / 16)):
        images, _ = PatchSampler([volume(image)], 16, 8, NONE, padding=padding).draw()
        assert (images > 0.5).float().mean().item() == pytest.approx(share)


# --- patches of several slices ---


def deep(volumes, patch_slices, augmentation=NONE, patch_px=16, batch=40, seed=0):
    return PatchSampler(volumes, patch_px, batch, augmentation, seed, patch_slices=patch_slices)


def test_a_deep_patch_is_neighbouring_slices_of_one_place() -> None:
    image = noise(9, 24, 30)
    images, masks = deep([volume(image, split=block_split(9, 2, 1))], 4, patch_px=8).draw()
    assert images.shape == masks.shape == (40, 1, 4, 8, 8)
    crops = np.lib.stride_tricks.sliding_window_view(image[:6], (4, 8, 8)).astype(np.float32)
    seen = set()
    for patch in images[:, 0].numpy():
        difference = np.abs(crops - patch).max((3, 4, 5))
        assert difference.min() < 0.02
        seen.add(int(np.unravel_index(difference.argmin(), difference.shape)[0]))
    assert seen == {0, 1, 2}
    assert torch.equal(masks, (images > 127.5).float())


def test_slices_of_a_patch_are_turned_bent_and_stretched_alike() -> None:
    # Noise aside, which every slice has of its own.
    same = replace(EM, noise=0.0)
    image = np.repeat(noise(1, 60, 60), 5, axis=0)
    images, masks = deep([volume(image)], 5, same).draw()
    for stack in (images, masks):
        assert torch.equal(stack, stack[:, :, :1].expand_as(stack))
    images, _ = deep([volume(image)], 5, EM).draw()
    assert not torch.equal(images[:, :, 0], images[:, :, 1])


def test_half_of_the_deep_patches_are_turned_upside_down() -> None:
    steps = np.broadcast_to(np.arange(4, dtype=np.uint8)[:, None, None] * 40, (4, 20, 20)).copy()
    images, masks = deep([volume(steps, steps > 60)], 4, CUSTOM, batch=400).draw()
    upwards = images[:, 0, 0, 0, 0] < images[:, 0, -1, 0, 0]
    assert upwards.float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert torch.equal(masks[:, 0, 0].amax((1, 2)), (~upwards).float())
    images, _ = deep([volume(steps)], 4).draw()
    assert (images[:, 0, 0] == 0).all()


def test_deep_patches_of_a_thin_volume_are_refused_by_name() -> None:
    thin = volume(noise(1, 20, 20), name="thin")
    with pytest.raises(SettingsError, match="single slice to learn from in 'thin' for patches of"):
        deep([volume(noise(9, 20, 20)), thin], 4)


def test_draws_of_flat_patches_are_those_of_earlier_versions() -> None:
    """Seeds in published runs name patches; their sums were noted before patches had depth."""
    source = volume(noise(4, 64, 64))
    for augmentation, expected in ((CUSTOM, (198393.0, 774.0)), (EM, (200657.98, 754.0))):
        images, masks = PatchSampler([source], 16, 6, augmentation, 1).draw()
        assert images.sum().item() == pytest.approx(expected[0], rel=1e-4)
        assert masks.sum().item() == pytest.approx(expected[1], abs=2)


# --- again ---


def test_one_seed_draws_the_same_patches_and_another_does_not() -> None:
    volumes = [volume(noise(4, 64, 64)), volume(noise(2, 30, 90, seed=1))]
    first, same, other = (PatchSampler(volumes, 16, 6, EM, seed) for seed in (1, 1, 2))
    for _ in range(3):
        batches = first.draw(), same.draw(), other.draw()
        assert torch.equal(batches[0][0], batches[1][0])
        assert torch.equal(batches[0][1], batches[1][1])
        assert not torch.equal(batches[0][0], batches[2][0])


def test_generator_and_number_are_the_whole_state() -> None:
    sampler = PatchSampler([volume(noise(4, 64, 64))], 16, 6, EM)
    sampler.draw()
    state = sampler.generator.get_state()
    expected = sampler.draw()
    torch.manual_seed(123)  # the global generator has no say
    again = PatchSampler([volume(noise(4, 64, 64))], 16, 6, EM, seed=77)
    again.generator.set_state(state)
    assert torch.equal(again.draw()[0], expected[0])


def test_drawing_leaves_the_volumes_alone() -> None:
    images = noise(2, 40, 40)
    kept = images.copy()
    sampler = PatchSampler([volume(images)], 32, 8, EM)
    sampler.draw()
    np.testing.assert_array_equal(images, kept)


def test_moving_to_a_device_keeps_everything() -> None:
    original = volume(noise(2, 8, 8), weight=2.0)
    moved = original.to(torch.device("cpu"))
    assert torch.equal(moved.images, original.images)
    assert (moved.name, moved.weight, moved.split) == ("v", 2.0, original.split)


# --- refusals ---


def test_masks_of_another_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 8, 8\) and masks of shape \(2, 8, 9\) in 'v'"):
        volume(noise(2, 8, 8), np.zeros((2, 8, 9), bool))


def test_no_volume_or_no_weight_is_refused() -> None:
    with pytest.raises(SettingsError, match="give at least one"):
        PatchSampler([], 16, 2, NONE)
    with pytest.raises(SettingsError, match=r"48x32 pixels and quarter turns.*rotation=half"):
        PatchSampler([volume(noise(1, 60, 60))], (48, 32), 2, CUSTOM)
    with pytest.raises(SettingsError, match="weight not above zero"):
        PatchSampler([volume(noise(1, 16, 16), weight=0.0)], 16, 2, NONE)
