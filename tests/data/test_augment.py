"""Augmentation: what is drawn is drawn once, and what is applied is exact."""

import math

import pytest
import torch

from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.geometry import apply_geometry, sample_geometry, window_shape
from chondria.data.intensity import apply_intensity, sample_intensity
from chondria.errors import SettingsError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(99))


# --- drawing ---


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_one_seed_draws_the_same_twice(name) -> None:
    augmentation = AUGMENTATIONS[name]
    first, second, other = (
        (
            sample_geometry(augmentation, 5, (32, 32), g),
            sample_intensity(augmentation, 5, (32, 32), g),
        )
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
    geometry, intensity = sample_geometry(em, 4, (32, 32), g), sample_intensity(em, 4, (32, 32), g)
    windows = noise(4, 2, *window_shape((32, 32), em))
    kept = windows.clone()
    first, second = (apply_geometry(windows, geometry, (32, 32)) for _ in range(2))
    assert torch.equal(first, second)
    images = first[:, :1].clone()
    assert torch.equal(apply_intensity(images, intensity), apply_intensity(images, intensity))
    assert torch.equal(images, first[:, :1])
    assert torch.equal(windows, kept)


# --- settings ---


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("rotation", "any", "rotation 'any'; allowed are none, half, quarter and free"),
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
    geometry = sample_geometry(augmentation, 8, (16, 16), generator())
    assert geometry.displacement.isfinite().all()
    intensity = sample_intensity(augmentation, 8, (16, 16), generator())
    assert apply_intensity(noise(8, 1, 16, 16), intensity).isfinite().all()
