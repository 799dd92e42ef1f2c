"""Augmentation: what is drawn is drawn once, and what is applied is exact."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from chondria.data.augment import (
    AUGMENTATIONS,
    Augmentation,
    Geometry,
    apply_geometry,
    apply_intensity,
    sample_geometry,
    sample_intensity,
    window_px,
)
from chondria.errors import SettingsError

NONE = AUGMENTATIONS["none"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(99))


# --- drawing ---


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_one_seed_draws_the_same_twice(name) -> None:
    augmentation = AUGMENTATIONS[name]
    first, second, other = (
        (sample_geometry(augmentation, 5, 32, g), sample_intensity(augmentation, 5, 32, g))
        for g in (generator(1), generator(1), generator(2))
    )
    assert torch.equal(first[0].matrix, second[0].matrix)
    assert torch.equal(first[1].contrast, second[1].contrast)
    if augmentation.elastic_probability:
        assert torch.equal(first[0].displacement, second[0].displacement)
    if augmentation.noise:
        assert torch.equal(first[1].noise, second[1].noise)
    if name != "none":
        assert not torch.equal(first[0].matrix, other[0].matrix)


def test_applying_is_deterministic_and_leaves_its_input_alone() -> None:
    em = AUGMENTATIONS["em"]
    g = generator()
    geometry, intensity = sample_geometry(em, 4, 32, g), sample_intensity(em, 4, 32, g)
    windows = noise(4, 2, *[window_px(32, em)] * 2)
    kept = windows.clone()
    first, second = (apply_geometry(windows, geometry, 32) for _ in range(2))
    assert torch.equal(first, second)
    images = first[:, :1].clone()
    assert torch.equal(apply_intensity(images, intensity), apply_intensity(images, intensity))
    assert torch.equal(images, first[:, :1])
    assert torch.equal(windows, kept)


@pytest.mark.parametrize("zoom", [0.0, 0.25, 1.0])
def test_zoom_stays_in_bounds_and_fills_them(zoom) -> None:
    drawn = sample_geometry(replace(NONE, zoom=zoom), 400, 16, generator()).matrix
    scale = drawn.diagonal(dim1=1, dim2=2)
    assert torch.equal(scale[:, 0], scale[:, 1])
    low, high = 1 / (1 + zoom), 1 + zoom
    assert scale.min() >= low - 1e-6
    assert scale.max() <= high + 1e-6
    assert scale.min() < low * 1.02
    assert scale.max() > high / 1.02
    # Log-uniform: as often larger as smaller.
    assert abs(scale.log().mean()) < 0.1 * max(zoom, 1e-6)


def test_free_rotations_are_rotations_over_the_whole_circle() -> None:
    drawn = sample_geometry(replace(NONE, rotation="free"), 400, 16, generator()).matrix
    torch.testing.assert_close(
        drawn @ drawn.transpose(1, 2), torch.eye(2).expand(400, 2, 2), atol=1e-6, rtol=0
    )
    assert torch.linalg.det(drawn).min() > 0.999
    quadrants = torch.atan2(drawn[:, 1, 0], drawn[:, 0, 0]).div(math.pi / 2).floor()
    assert {*quadrants.int().tolist()} == {-2, -1, 0, 1}


@pytest.mark.parametrize(("alpha", "sigma"), [(2.0, 0.08), (1.0, 0.08), (1.0, 0.05)])
@pytest.mark.parametrize("patch_px", [64, 96])
def test_elastic_fields_have_simards_deviation(alpha, sigma, patch_px) -> None:
    """Uniform noise of variance 1/3, smoothed by s = sigma P: variance 1/3 / (4 pi s^2)."""
    augmentation = Augmentation(elastic_probability=1.0, elastic_alpha=alpha, elastic_sigma=sigma)
    field = sample_geometry(augmentation, 64, patch_px, generator()).displacement
    assert field.shape == (64, patch_px, patch_px, 2)
    deviation = math.sqrt(1 / 3 / (4 * math.pi)) / (sigma * patch_px) * alpha * patch_px
    # Mirroring makes the field larger at the border.
    margin = int(3 * sigma * patch_px)
    inner = field[:, margin : patch_px - margin, margin : patch_px - margin]
    assert inner.std().item() == pytest.approx(deviation, rel=0.05)
    assert abs(inner.mean()) < 0.1 * deviation
    if (alpha, sigma) == (2.0, 0.08):
        assert deviation == pytest.approx(4.07, abs=0.01)


def test_elastic_fields_are_smoothed_noise_of_the_generator() -> None:
    """The field is a mirrored Gaussian of the very numbers that the generator gives."""
    augmentation = Augmentation(elastic_probability=1.0, elastic_alpha=1.5, elastic_sigma=0.1)
    patch_px = 40
    field = sample_geometry(augmentation, 2, patch_px, generator(3)).displacement
    g = generator(3)
    torch.rand(2, generator=g)  # zoom
    torch.rand(2, generator=g)  # which are deformed
    drawn = torch.rand(2, 2, patch_px, patch_px, generator=g).double() * 2 - 1
    smooth = gaussian_filter(drawn.numpy(), (0, 0, 4, 4), mode="mirror", truncate=3)
    expected = np.moveaxis(smooth * 1.5 * patch_px, 1, -1)
    np.testing.assert_allclose(field.numpy(), expected, atol=1e-4)


def test_the_share_of_deformed_patches() -> None:
    augmentation = Augmentation(elastic_probability=0.3)
    field = sample_geometry(augmentation, 500, 16, generator()).displacement
    deformed = field.flatten(1).abs().amax(1) > 0
    assert deformed.float().mean().item() == pytest.approx(0.3, abs=0.06)
    assert sample_geometry(NONE, 5, 16, generator()).displacement is None


# --- geometry ---


def test_nothing_drawn_changes_nothing() -> None:
    geometry = sample_geometry(NONE, 3, 24, generator())
    windows = noise(3, 2, 24, 24)
    torch.testing.assert_close(apply_geometry(windows, geometry, 24), windows, atol=2e-5, rtol=0)


def test_a_larger_window_gives_its_centre() -> None:
    geometry = sample_geometry(NONE, 3, 16, generator())
    windows = noise(3, 1, 32, 32)
    patches = apply_geometry(windows, geometry, 16)
    torch.testing.assert_close(patches, windows[..., 8:24, 8:24], atol=2e-5, rtol=0)


@pytest.mark.parametrize("patch_px", [16, 31, 64])
def test_quarter_turns_and_flips_are_the_eight_symmetries(patch_px) -> None:
    augmentation = Augmentation(flips=True, rotation="quarter")
    assert window_px(patch_px, augmentation) == patch_px
    image = noise(1, 1, patch_px, patch_px)
    symmetries = [
        torch.rot90(mirrored, turns, (2, 3))
        for mirrored, turns in product((image, image.flip(3)), range(4))
    ]
    geometry = sample_geometry(augmentation, 64, patch_px, generator())
    patches = apply_geometry(image.expand(64, -1, -1, -1), geometry, patch_px)
    distances = torch.stack([(patches - s).abs().flatten(1).amax(1) for s in symmetries])
    # Values of deviation 1; exact but for the rounding of pixel positions.
    assert distances.amin(0).max() < 1e-4
    assert {*distances.argmin(0).tolist()} == set(range(8))


def test_the_last_axis_of_the_geometry_is_x_y() -> None:
    ramp_x = torch.arange(16.0).expand(1, 1, 16, 16)
    move = torch.zeros(1, 8, 8, 2)
    move[..., 0] = 2.0
    patches = apply_geometry(ramp_x, Geometry(torch.eye(2)[None], move), 8)
    torch.testing.assert_close(patches, ramp_x[..., 4:12, 6:14], atol=1e-5, rtol=0)
    still = apply_geometry(ramp_x.mT, Geometry(torch.eye(2)[None], move), 8)
    torch.testing.assert_close(still, ramp_x.mT[..., 4:12, 4:12], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["keras", "custom", "em"])
def test_image_and_mask_move_together(name) -> None:
    """A distance map and the mask where it is positive still agree, away from the edge."""
    augmentation, patch_px = AUGMENTATIONS[name], 48
    side = window_px(patch_px, augmentation)
    at = torch.arange(side) - (side - 1) / 2
    distance = 12 - torch.hypot(at[:, None] - 5, at[None, :] + 3)
    windows = torch.stack([distance, (distance > 0).float()]).expand(16, -1, -1, -1)
    geometry = sample_geometry(augmentation, 16, patch_px, generator())
    patches = apply_geometry(windows, geometry, patch_px)
    moved, mask = patches[:, 0], patches[:, 1] >= 0.5
    sure = moved.abs() > 1.0
    assert torch.equal(mask[sure], (moved > 0)[sure])
    assert sure.float().mean() > 0.8
    assert mask.any(dim=(1, 2)).all()


@given(
    patch_px=st.sampled_from([16, 32, 47, 48]),
    zoom=st.floats(0.01, 1.0),
    rotation=st.sampled_from(["none", "quarter", "free"]),
    flips=st.booleans(),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=40)
def test_rotated_and_zoomed_patches_never_reach_the_windows_rim(
    patch_px, zoom, rotation, flips, seed
) -> None:
    augmentation = Augmentation(flips=flips, rotation=rotation, zoom=zoom)
    side = window_px(patch_px, augmentation)
    windows = torch.ones(8, 1, side, side)
    windows[..., 1:-1, 1:-1] = 0
    geometry = sample_geometry(augmentation, 8, patch_px, generator(seed))
    assert apply_geometry(windows, geometry, patch_px).max() == 0


@pytest.mark.parametrize("angle", [0.25, 0.75, 1.25])
def test_the_worst_rotation_and_zoom_fit_closely(angle) -> None:
    augmentation = Augmentation(rotation="free", zoom=0.25)
    side = window_px(64, augmentation)
    turn = angle * math.pi
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = 1.25 * torch.tensor([[[cosine, -sine], [sine, cosine]]])
    rim = torch.ones(1, 1, side, side)
    rim[..., 1:-1, 1:-1] = 0
    assert apply_geometry(rim, Geometry(matrix, None), 64).max() == 0
    # Not wasteful either: four pixels further in, the corners do reach.
    rim[..., :4, :], rim[..., -4:, :] = 1, 1
    assert apply_geometry(rim, Geometry(matrix, None), 64).max() > 0


def test_elastic_deformation_hardly_ever_reaches_the_rim() -> None:
    augmentation = replace(AUGMENTATIONS["em"], elastic_probability=1.0)
    side = window_px(48, augmentation)
    windows = torch.ones(64, 1, side, side)
    windows[..., 1:-1, 1:-1] = 0
    geometry = sample_geometry(augmentation, 64, 48, generator())
    assert (apply_geometry(windows, geometry, 48) > 0).float().mean() < 1e-4


# --- intensity ---


def test_no_intensity_change_is_the_identity() -> None:
    images = noise(3, 1, 16, 16)
    assert torch.equal(apply_intensity(images, sample_intensity(NONE, 3, 16, generator())), images)


def test_contrast_and_brightness_in_their_ranges() -> None:
    augmentation = Augmentation(contrast=0.3, brightness=0.2)
    intensity = sample_intensity(augmentation, 300, 4, generator())
    images = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)]).repeat(150, 1, 1, 1)
    changed = apply_intensity(images, intensity)[:, 0, 0, 0]
    torch.testing.assert_close(changed[::2], intensity.brightness[::2])
    slope = changed[1::2] - intensity.brightness[1::2]
    assert 0.7 <= slope.min() < 0.72
    assert 1.28 < slope.max() <= 1.3
    assert -0.2 <= changed[::2].min() < -0.19
    assert 0.19 < changed[::2].max() <= 0.2


def test_gamma_bends_and_keeps_the_order_of_grey_levels() -> None:
    intensity = sample_intensity(Augmentation(gamma=0.2), 50, 8, generator())
    levels = torch.linspace(-3, 3, 64).view(1, 1, 8, 8).expand(50, -1, -1, -1)
    bent = apply_intensity(levels, intensity).flatten(1)
    assert (bent.diff(dim=1) > 0).all()
    assert not torch.allclose(bent, levels.flatten(1), atol=0.1)
    # One deviation from the mean stays where it was.
    ones = apply_intensity(torch.ones(50, 1, 8, 8), intensity)
    torch.testing.assert_close(ones, torch.ones(50, 1, 8, 8))


def test_noise_has_the_deviation_drawn() -> None:
    intensity = sample_intensity(Augmentation(noise=0.5), 6, 64, generator())
    changed = apply_intensity(torch.zeros(6, 1, 64, 64), intensity)
    torch.testing.assert_close(
        changed.flatten(1).std(1), intensity.noise_deviation, rtol=0.05, atol=0
    )
    assert intensity.noise_deviation.max() <= 0.5


def test_blur_keeps_constants_and_blurs_half_of_the_patches() -> None:
    intensity = sample_intensity(Augmentation(blur_px=2.0), 200, 16, generator())
    images = noise(200, 1, 16, 16)
    levels = torch.linspace(-2, 2, 200)[:, None, None, None].expand(-1, 1, 16, 16)
    torch.testing.assert_close(apply_intensity(levels, intensity), levels)
    changed = (apply_intensity(images, intensity) != images).flatten(1).any(1)
    assert 0.35 < changed.float().mean() < 0.6
    assert not changed[intensity.blur_px == 0].any()


def test_blur_is_a_mirrored_gaussian() -> None:
    sampled = sample_intensity(NONE, 2, 20, generator())
    images = noise(2, 1, 20, 20)
    blurred = apply_intensity(images, replace(sampled, blur_px=torch.tensor([0.0, 1.0])))
    expected = gaussian_filter(images[1, 0].double().numpy(), 1.0, mode="mirror", truncate=3)
    np.testing.assert_allclose(blurred[1, 0].numpy(), expected, atol=1e-5)
    assert torch.equal(blurred[0], images[0])


# --- settings ---


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("rotation", "any", "rotation 'any'; allowed are none, quarter and free"),
        ("flips", 2.0, "flips '2.0'; allowed are true and false"),
        ("zoom", -0.1, "zoom '-0.1'; give a number of at least 0"),
        ("zoom", "2e-1", "zoom '2e-1'; give a number"),
        ("noise", math.nan, "noise 'nan'"),
        ("contrast", True, "contrast 'True'"),
        ("elastic_probability", 1.5, "give a number from 0 to 1"),
        ("elastic_sigma", 0.0, "give a number from 0.01 to 0.3"),
        ("elastic_sigma", 0.5, "give a number from 0.01 to 0.3"),
        ("blur_px", 99.0, "give a number from 0 to 5"),
    ],
)
def test_settings_out_of_bounds_say_what_is_allowed(setting, value, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Augmentation(**{setting: value})


@pytest.mark.parametrize("setting", ["elastic_sigma", "blur_px"])
def test_the_widest_kernels_fit_the_smallest_patch(setting) -> None:
    widest = {"elastic_sigma": 0.3, "blur_px": 5.0}[setting]
    augmentation = Augmentation(elastic_probability=1.0, **{setting: widest})
    geometry = sample_geometry(augmentation, 8, 16, generator())
    assert geometry.displacement.isfinite().all()
    intensity = sample_intensity(augmentation, 8, 16, generator())
    assert apply_intensity(noise(8, 1, 16, 16), intensity).isfinite().all()
