"""Grey levels of patches: each change in its range, each blur a mirrored Gaussian."""

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.intensity import apply_intensity, sample_intensity

NONE = AUGMENTATIONS["none"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(99))


def test_no_intensity_change_is_the_identity() -> None:
    images = noise(3, 1, 16, 16)
    assert torch.equal(
        apply_intensity(images, sample_intensity(NONE, 3, (16, 16), generator())), images
    )


def test_contrast_and_brightness_in_their_ranges() -> None:
    augmentation = Augmentation(contrast=0.3, brightness=0.2)
    intensity = sample_intensity(augmentation, 300, (4, 4), generator())
    images = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)]).repeat(150, 1, 1, 1)
    changed = apply_intensity(images, intensity)[:, 0, 0, 0]
    torch.testing.assert_close(changed[::2], intensity.brightness[::2])
    slope = changed[1::2] - intensity.brightness[1::2]
    assert 0.7 <= slope.min() < 0.72
    assert 1.28 < slope.max() <= 1.3
    assert -0.2 <= changed[::2].min() < -0.19
    assert 0.19 < changed[::2].max() <= 0.2


def test_gamma_bends_and_keeps_the_order_of_grey_levels() -> None:
    intensity = sample_intensity(Augmentation(gamma=0.2), 50, (8, 8), generator())
    levels = torch.linspace(-3, 3, 64).view(1, 1, 8, 8).expand(50, -1, -1, -1)
    bent = apply_intensity(levels, intensity).flatten(1)
    assert (bent.diff(dim=1) > 0).all()
    assert not torch.allclose(bent, levels.flatten(1), atol=0.1)
    # One deviation from the mean stays where it was.
    ones = apply_intensity(torch.ones(50, 1, 8, 8), intensity)
    torch.testing.assert_close(ones, torch.ones(50, 1, 8, 8))


def test_noise_has_the_deviation_drawn() -> None:
    intensity = sample_intensity(Augmentation(noise=0.5), 6, (64, 64), generator())
    changed = apply_intensity(torch.zeros(6, 1, 64, 64), intensity)
    torch.testing.assert_close(
        changed.flatten(1).std(1), intensity.noise_deviation, rtol=0.05, atol=0
    )
    assert intensity.noise_deviation.max() <= 0.5


def test_blur_keeps_constants_and_blurs_half_of_the_patches() -> None:
    intensity = sample_intensity(Augmentation(blur_px=2.0), 200, (16, 16), generator())
    images = noise(200, 1, 16, 16)
    levels = torch.linspace(-2, 2, 200)[:, None, None, None].expand(-1, 1, 16, 16)
    torch.testing.assert_close(apply_intensity(levels, intensity), levels)
    changed = (apply_intensity(images, intensity) != images).flatten(1).any(1)
    assert 0.35 < changed.float().mean() < 0.6
    assert not changed[intensity.blur_px == 0].any()


def test_blur_is_a_mirrored_gaussian() -> None:
    sampled = sample_intensity(NONE, 2, (20, 20), generator())
    images = noise(2, 1, 20, 20)
    blurred = apply_intensity(images, replace(sampled, blur_px=torch.tensor([0.0, 1.0])))
    expected = gaussian_filter(images[1, 0].double().numpy(), 1.0, mode="mirror", truncate=3)
    np.testing.assert_allclose(blurred[1, 0].numpy(), expected, atol=1e-5)
    assert torch.equal(blurred[0], images[0])
