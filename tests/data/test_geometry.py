"""Geometry of patches: one grid for flips, rotations, zoom and elastic deformation."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.geometry import Geometry, apply_geometry, sample_geometry, window_shape
from chondria.errors import SettingsError

NONE = AUGMENTATIONS["none"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(99))


# --- drawing ---


@pytest.mark.parametrize("zoom", [0.0, 0.25, 1.0])
def test_zoom_stays_in_bounds_and_fills_them(zoom) -> None:
    drawn = sample_geometry(replace(NONE, zoom=zoom), 400, (16, 16), generator()).matrix
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
    drawn = sample_geometry(replace(NONE, rotation="free"), 400, (16, 16), generator()).matrix
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
    field = sample_geometry(augmentation, 64, (patch_px, patch_px), generator()).displacement
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
    field = sample_geometry(augmentation, 2, (patch_px, patch_px), generator(3)).displacement
    g = generator(3)
    torch.rand(2, generator=g)  # zoom
    torch.rand(2, generator=g)  # which are deformed
    drawn = torch.rand(2, 2, patch_px, patch_px, generator=g).double() * 2 - 1
    smooth = gaussian_filter(drawn.numpy(), (0, 0, 4, 4), mode="mirror", truncate=3)
    expected = np.moveaxis(smooth * 1.5 * patch_px, 1, -1)
    np.testing.assert_allclose(field.numpy(), expected, atol=1e-4)


def test_the_share_of_deformed_patches() -> None:
    augmentation = Augmentation(elastic_probability=0.3)
    field = sample_geometry(augmentation, 500, (16, 16), generator()).displacement
    deformed = field.flatten(1).abs().amax(1) > 0
    assert deformed.float().mean().item() == pytest.approx(0.3, abs=0.06)
    assert sample_geometry(NONE, 5, (16, 16), generator()).displacement is None


# --- geometry ---


def test_nothing_drawn_changes_nothing() -> None:
    geometry = sample_geometry(NONE, 3, (24, 24), generator())
    windows = noise(3, 2, 24, 24)
    torch.testing.assert_close(
        apply_geometry(windows, geometry, (24, 24)), windows, atol=2e-5, rtol=0
    )


def test_a_larger_window_gives_its_centre() -> None:
    geometry = sample_geometry(NONE, 3, (16, 16), generator())
    windows = noise(3, 1, 32, 32)
    patches = apply_geometry(windows, geometry, (16, 16))
    torch.testing.assert_close(patches, windows[..., 8:24, 8:24], atol=2e-5, rtol=0)


@pytest.mark.parametrize("patch_px", [16, 31, 64])
def test_quarter_turns_and_flips_are_the_eight_symmetries(patch_px) -> None:
    augmentation = Augmentation(flips=True, rotation="quarter")
    assert window_shape((patch_px, patch_px), augmentation) == (patch_px, patch_px)
    image = noise(1, 1, patch_px, patch_px)
    symmetries = [
        torch.rot90(mirrored, turns, (2, 3))
        for mirrored, turns in product((image, image.flip(3)), range(4))
    ]
    geometry = sample_geometry(augmentation, 64, (patch_px, patch_px), generator())
    patches = apply_geometry(image.expand(64, -1, -1, -1), geometry, (patch_px, patch_px))
    distances = torch.stack([(patches - s).abs().flatten(1).amax(1) for s in symmetries])
    # Values of deviation 1; exact but for the rounding of pixel positions.
    assert distances.amin(0).max() < 1e-4
    assert {*distances.argmin(0).tolist()} == set(range(8))


def test_half_turns_of_oblongs_are_exact() -> None:
    augmentation = Augmentation(rotation="half")
    assert window_shape((16, 24), augmentation) == (16, 24)
    image = noise(1, 1, 16, 24)
    geometry = sample_geometry(augmentation, 32, (16, 24), generator())
    patches = apply_geometry(image.expand(32, -1, -1, -1), geometry, (16, 24))
    distances = torch.stack(
        [(patches - s).abs().flatten(1).amax(1) for s in (image, image.flip(2, 3))]
    )
    assert distances.amin(0).max() < 1e-4
    assert {*distances.argmin(0).tolist()} == {0, 1}


def test_quarter_turns_of_oblongs_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"16x24 pixels and quarter turns.*rotation=half"):
        window_shape((16, 24), Augmentation(rotation="quarter"))


@given(
    shape=st.tuples(st.integers(16, 50), st.integers(16, 50)),
    zoom=st.floats(0.0, 1.0),
    rotation=st.sampled_from(["none", "half", "free"]),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=30)
def test_a_transformed_pixel_is_where_the_matrix_says(shape, zoom, rotation, seed) -> None:
    """Ramps along y and x, read at the middle of an oblong patch and at its corner."""
    augmentation = Augmentation(flips=True, rotation=rotation, zoom=zoom)
    rows, columns = window_shape(shape, augmentation)
    y = torch.arange(rows) - (rows - 1) / 2
    x = torch.arange(columns) - (columns - 1) / 2
    ramps = torch.stack(torch.meshgrid(x, y, indexing="xy")).expand(4, -1, -1, -1)
    geometry = sample_geometry(augmentation, 4, shape, generator(seed))
    patches = apply_geometry(ramps, geometry, shape)
    corner = torch.tensor([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    torch.testing.assert_close(patches[..., -1, -1], geometry.matrix @ corner, atol=1e-2, rtol=0)
    torch.testing.assert_close(patches[..., 0, 0], geometry.matrix @ -corner, atol=1e-2, rtol=0)


def test_a_low_patch_is_deformed_as_smoothly_as_a_wide_one() -> None:
    """The kernel, of the width's size, is longer than the columns, and mirrored as SciPy does."""
    augmentation = Augmentation(elastic_probability=1.0, elastic_alpha=1.0, elastic_sigma=0.1)
    field = sample_geometry(augmentation, 1, (16, 120), generator(3)).displacement
    g = generator(3)
    torch.rand(1, generator=g)  # zoom
    torch.rand(1, generator=g)  # which are deformed
    drawn = torch.rand(1, 2, 16, 120, generator=g).double() * 2 - 1
    smooth = gaussian_filter(drawn.numpy(), (0, 0, 12, 12), mode="mirror", truncate=3)
    np.testing.assert_allclose(field.numpy(), np.moveaxis(smooth * 120, 1, -1), atol=1e-3)


def test_the_last_axis_of_the_geometry_is_x_y() -> None:
    ramp_x = torch.arange(16.0).expand(1, 1, 16, 16)
    move = torch.zeros(1, 8, 8, 2)
    move[..., 0] = 2.0
    patches = apply_geometry(ramp_x, Geometry(torch.eye(2)[None], move), (8, 8))
    torch.testing.assert_close(patches, ramp_x[..., 4:12, 6:14], atol=1e-5, rtol=0)
    still = apply_geometry(ramp_x.mT, Geometry(torch.eye(2)[None], move), (8, 8))
    torch.testing.assert_close(still, ramp_x.mT[..., 4:12, 4:12], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["keras", "custom", "em"])
def test_image_and_mask_move_together(name) -> None:
    """A distance map and the mask where it is positive still agree, away from the edge."""
    augmentation, patch_px = AUGMENTATIONS[name], 48
    side, _ = window_shape((patch_px, patch_px), augmentation)
    at = torch.arange(side) - (side - 1) / 2
    distance = 12 - torch.hypot(at[:, None] - 5, at[None, :] + 3)
    windows = torch.stack([distance, (distance > 0).float()]).expand(16, -1, -1, -1)
    geometry = sample_geometry(augmentation, 16, (patch_px, patch_px), generator())
    patches = apply_geometry(windows, geometry, (patch_px, patch_px))
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
    side, _ = window_shape((patch_px, patch_px), augmentation)
    windows = torch.ones(8, 1, side, side)
    windows[..., 1:-1, 1:-1] = 0
    geometry = sample_geometry(augmentation, 8, (patch_px, patch_px), generator(seed))
    assert apply_geometry(windows, geometry, (patch_px, patch_px)).max() == 0


@pytest.mark.parametrize("angle", [0.25, 0.75, 1.25])
def test_the_worst_rotation_and_zoom_fit_closely(angle) -> None:
    augmentation = Augmentation(rotation="free", zoom=0.25)
    side, _ = window_shape((64, 64), augmentation)
    turn = angle * math.pi
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = 1.25 * torch.tensor([[[cosine, -sine], [sine, cosine]]])
    rim = torch.ones(1, 1, side, side)
    rim[..., 1:-1, 1:-1] = 0
    assert apply_geometry(rim, Geometry(matrix, None), (64, 64)).max() == 0
    # Not wasteful either: four pixels further in, the corners do reach.
    rim[..., :4, :], rim[..., -4:, :] = 1, 1
    assert apply_geometry(rim, Geometry(matrix, None), (64, 64)).max() > 0


def test_elastic_deformation_hardly_ever_reaches_the_rim() -> None:
    augmentation = replace(AUGMENTATIONS["em"], elastic_probability=1.0)
    side, _ = window_shape((48, 48), augmentation)
    windows = torch.ones(64, 1, side, side)
    windows[..., 1:-1, 1:-1] = 0
    geometry = sample_geometry(augmentation, 64, (48, 48), generator())
    assert (apply_geometry(windows, geometry, (48, 48)) > 0).float().mean() < 1e-4
