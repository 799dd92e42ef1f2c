from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from chondria.data.alignment import measure_alignment
from chondria.data.finding import Finding, name_slices
from chondria.data.inspection import inspect_volume
from chondria.io import open_volume
from chondria.volume import Volume

VOXEL_NM = (40.0, 5.0, 5.0)


def _tissue(depth: int = 10, edge: int = 192) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Dark blobs that run through slices, on a grey texture; and their mask."""
    rng = np.random.default_rng(3)
    coarse = ndimage.gaussian_filter(rng.standard_normal((depth, edge, edge)), (1.5, 7, 7))
    inside = coarse > np.quantile(coarse, 0.88)
    texture = ndimage.gaussian_filter(rng.standard_normal(inside.shape), (1.5, 3, 3))
    grey = 140 + 12 * texture / texture.std() - 45 * inside + rng.normal(0, 6, inside.shape)
    return np.clip(grey, 1, 254).astype(np.uint8), (255 * inside).astype(np.uint8)


@pytest.fixture(scope="module")
def tissue() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return _tissue()


def _look(image: NDArray[Any], mask: NDArray[Any] | None = None) -> list[Finding]:
    given = None if mask is None else Volume(mask, VOXEL_NM)
    return inspect_volume(Volume(image, VOXEL_NM), given)


def _unusual(image: NDArray[Any], mask: NDArray[Any] | None = None) -> dict[str, Finding]:
    return {found.what: found for found in _look(image, mask) if found.level != "ok"}


def test_sound_data_gives_no_warning(tissue: Any) -> None:
    found = _look(*tissue)
    assert [f.what for f in found if f.level != "ok"] == []
    assert {"shape", "grey levels", "slice order", "mask values", "alignment"} <= {
        f.what for f in found
    }


def test_everything_that_is_wrong_has_advice(tissue: Any) -> None:
    image, mask = tissue[0].copy(), tissue[1][::-1, ::-1].copy()
    image[4] = 0
    mask[2] = 0
    unusual = _unusual(image, mask)
    assert {"blank slices", "empty mask slices", "alignment"} <= set(unusual)
    assert all(found.advice for found in unusual.values())


def test_grey_figures_are_those_of_the_whole_volume(tissue: Any) -> None:
    image = tissue[0]
    said = next(f.found for f in _look(image) if f.what == "grey levels")
    assert f"{image.min()} to {image.max()}" in said
    assert f"mean {image.mean():.4g} ± {image.std():.3g}" in said


def test_constant_image_is_an_error() -> None:
    unusual = _unusual(np.full((3, 80, 80), 7, np.uint8))
    assert unusual["contrast"].level == "error"


def test_blank_slices_are_named_and_not_called_repeated(tissue: Any) -> None:
    image = tissue[0].copy()
    image[3:5] = 0
    unusual = _unusual(image)
    assert "z=3-4" in unusual["blank slices"].found
    assert "repeated slices" not in unusual


def test_invalid_pixels_are_an_error_that_names_the_slices(tissue: Any) -> None:
    image = tissue[0].astype(np.float32)
    image[2, 5, 5], image[7, 0] = np.nan, np.inf
    found = _unusual(image)["invalid pixels"]
    assert found.level == "error"
    assert "193 NaN or infinite" in found.found
    assert "z=2, 7" in found.found


def test_an_image_of_nan_only_is_an_error() -> None:
    unusual = _unusual(np.full((2, 70, 70), np.nan))
    assert unusual["invalid pixels"].level == "error"


def test_low_contrast_saturation_and_brightness(tissue: Any) -> None:
    image = tissue[0]
    assert "contrast" in _unusual((image // 16).astype(np.uint8))
    assert "saturation" in _unusual(np.clip(image, 130, 254))
    brighter = image.astype(np.uint16)
    brighter[5:] += 60
    assert "z=4/5" in _unusual(brighter)["brightness"].found


def test_repeated_slice(tissue: Any) -> None:
    image = tissue[0].copy()
    image[6] = image[5]
    assert "z=6" in _unusual(image)["repeated slices"].found


@pytest.mark.parametrize("z", [1, 4, 7])
def test_exchanged_slices_are_found(tissue: Any, z: int) -> None:
    image = tissue[0].copy()
    image[[z, z + 1]] = image[[z + 1, z]]
    assert f"z={z} and {z + 1}" in _unusual(image)["slice order"].found


def test_a_blank_slice_does_not_hide_exchanged_ones(tissue: Any) -> None:
    image = tissue[0].copy()
    image[1] = 0
    image[[6, 7]] = image[[7, 6]]
    assert "z=6 and 7" in _unusual(image)["slice order"].found


def test_a_foreign_slice_and_a_gap_are_found(tissue: Any) -> None:
    image = tissue[0]
    foreign = image.copy()
    foreign[4] = image[4].T
    assert "unlike both neighbours: z=4" in _unusual(foreign)["slice order"].found
    gap = np.concatenate([image[:4], _tissue()[0][4:, ::-1]])
    assert "z=3/4" in _unusual(gap)["slice order"].found


def test_separate_images_are_no_stack() -> None:
    image = np.random.default_rng(0).integers(1, 255, (5, 128, 128), dtype=np.uint8)
    assert "hardly at all" in _unusual(image)["slice order"].found


def test_voxel_size_and_shape(tissue: Any) -> None:
    image = tissue[0]
    missing = inspect_volume(Volume(image))
    assert "pixels" in next(f.advice for f in missing if f.what == "voxel size")
    turned = inspect_volume(Volume(image, (5.0, 5.0, 50.0)))
    assert next(f.level for f in turned if f.what == "voxel size") == "warning"
    assert "colour" in _unusual(np.zeros((70, 70, 3), np.uint8))["shape"].advice


@pytest.mark.parametrize(
    ("spoil", "what", "level"),
    [
        (lambda m: m * 0, "mask values", "error"),
        (lambda m: m | 255, "mask values", "error"),
        (lambda m: m - (m > 0) * (np.arange(192) % 5).astype(np.uint8), "mask values", "error"),
        (lambda m: (m > 0) * (1 + np.arange(192) % 5).astype(np.uint16), "mask values", "warning"),
        (lambda m: 255 - m, "mask foreground", "warning"),
        (lambda m: m[:, 1:], "mask shape", "error"),
    ],
)
def test_unusable_masks(
    tissue: Any, spoil: Callable[[NDArray[Any]], NDArray[Any]], what: str, level: str
) -> None:
    assert _unusual(tissue[0], spoil(tissue[1]))[what].level == level


def test_a_gap_in_the_annotation_is_told_from_an_empty_end(tissue: Any) -> None:
    mask = tissue[1].copy()
    mask[[3, 8, 9]] = 0
    found = _unusual(tissue[0], mask)["empty mask slices"].found
    assert "3 of 10: z=3, 8-9; with annotated neighbours: z=3" in found


@pytest.mark.parametrize("shift", [(6, 0), (-4, 5), (20, -31)])
def test_shifted_mask(tissue: Any, shift: tuple[int, int]) -> None:
    image, mask = tissue
    peak = measure_alignment(image, np.roll(mask, shift, (1, 2)), [(z, z) for z in range(10)])
    assert peak is not None
    assert peak.shift_px == pytest.approx(shift, abs=1)
    found = _unusual(image, np.roll(mask, shift, (1, 2)))["alignment"]
    assert "lies off the image" in found.found


@pytest.mark.parametrize(
    ("turn", "name"),
    [
        (lambda m: m[:, ::-1], "upside down"),
        (lambda m: m[:, :, ::-1], "left to right"),
        (lambda m: np.rot90(m, 1, (1, 2)), "270 degrees"),
        (lambda m: m.transpose(0, 2, 1), "x and y exchanged"),
        (lambda m: m[::-1], "last to first"),
    ],
)
def test_turned_mask_is_told_how(tissue: Any, turn: Any, name: str) -> None:
    assert name in _unusual(tissue[0], turn(tissue[1]))["alignment"].found


def test_a_mask_of_another_image_fits_nowhere(tissue: Any) -> None:
    rng = np.random.default_rng(8)
    foreign = ndimage.gaussian_filter(rng.standard_normal(tissue[1].shape), (1.5, 7, 7))
    mask = (foreign > np.quantile(foreign, 0.88)).astype(np.uint8)
    assert "do not fit" in _unusual(tissue[0], mask)["alignment"].found


def test_progress_counts_the_slices_of_both(tissue: Any) -> None:
    told: list[tuple[int, int]] = []
    image, mask = (Volume(values) for values in tissue)
    inspect_volume(image, mask, lambda done, total: told.append((done, total)))
    assert told == [(done, 20) for done in range(1, 21)]


@given(st.sets(st.integers(0, 40), min_size=1))
def test_named_slices_are_all_there(slices: set[int]) -> None:
    text = name_slices(sorted(slices), at_most=50).removeprefix("z=")
    named: set[int] = set()
    for run in text.split(", "):
        first, _, last = run.partition("-")
        named |= set(range(int(first), int(last or first) + 1))
    assert named == slices


@pytest.mark.parametrize("folder", ["cdeep3m/train"])
def test_real_masks_fit_and_shifted_ones_do_not(data_folder: Path, folder: str) -> None:
    image, mask = (open_volume(data_folder / folder / part) for part in ("images", "labels"))
    near = Volume(image.data[2:5, :384, :384], VOXEL_NM)
    truth = np.asarray(mask.data[2:5, :384, :384])
    levels = []
    for given_mask in (truth, np.roll(truth, 6, 1), truth[:, ::-1]):
        found = inspect_volume(near, Volume(given_mask))
        levels += [f.level for f in found if f.what == "alignment"]
    assert levels == ["ok", "warning", "warning"]
