"""What insides and surroundings look like is learned from the volume, whatever its grey values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.errors import ShapeError
from chondria.review.appearance import clearness, learn_appearance
from chondria.review.crops import crop_object
from chondria.review.scene import make_scene

SIZE = (40.0, 10.0, 10.0)


def cell(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two grey rods with dark outlines in bright cytoplasm, 200 nm wide; (4, 100, 140) voxels."""
    labels = np.zeros((4, 100, 140), np.uint16)
    labels[:, 15:35, 20:120] = 1
    labels[:, 60:80, 20:120] = 2
    image = np.where(labels > 0, 110.0, 180.0)
    for y in (15, 60):
        image[:, y - 2 : y + 22, 18:122][labels[:, y - 2 : y + 22, 18:122] == 0] = 60
    noise = np.random.default_rng(seed).normal(0, 6, labels.shape)
    return labels, (image + noise).clip(0, 255)


def scene_of(labels, image):
    return make_scene(labels, np.where(labels > 0, 240, 5).astype(np.uint8), SIZE, image)


def odds_of(labels, image):
    """Of the first object, which reaches over its outline by 80 nm at its lower side."""
    wrong = labels.copy()
    wrong[:, 35:43, 20:120] = 1
    scene = scene_of(wrong, image)
    return learn_appearance(scene_of(labels, image)).odds(crop_object(scene, 1), image), scene


def test_membrane_and_cytoplasm_are_told_from_an_inside():
    odds, scene = odds_of(*cell())
    crop = crop_object(scene, 1)
    inside = np.moveaxis(odds[:, :, 40:60], 1, 0)  # the box begins 60 nm beside the object
    first = 15 - crop.box[1].start
    assert np.median(inside[first + 6 : first + 15]) < -1
    assert np.median(inside[first + 20 : first + 22]) > 2
    assert np.median(inside[first + 24 : first + 27]) > 2
    assert (odds[~crop.inside] == 0).all()


@settings(deadline=None, max_examples=10)
@given(st.floats(0.1, 50), st.floats(-500, 500), st.booleans())
def test_brightness_contrast_and_inversion_change_nothing(factor, offset, inverted):
    labels, image = cell()
    expected, _ = odds_of(labels, image)
    seen, _ = odds_of(labels, image * factor * (-1 if inverted else 1) + offset)
    np.testing.assert_allclose(seen, expected, rtol=0.02, atol=0.2)


@pytest.mark.parametrize("grey", [0.0, 128.0, np.nan])
def test_an_image_of_one_grey_value_says_nothing(grey):
    labels, image = cell()
    odds, _ = odds_of(labels, np.full_like(image, grey))
    assert abs(odds).max() < 0.1


def test_without_an_image_or_objects_nothing_is_learned():
    labels, image = cell()
    assert learn_appearance(scene_of(labels, None)) is None
    assert learn_appearance(scene_of(np.zeros_like(labels), image)) is None
    specks = np.zeros_like(labels)
    specks[1, 5, 5] = 1
    assert learn_appearance(scene_of(specks, image)) is None


def test_an_image_of_another_shape_is_refused():
    labels, image = cell()
    with pytest.raises(ShapeError, match="image of shape"):
        scene_of(labels, image[1:])


def test_a_place_is_clear_as_far_as_it_looks_like_the_rest_of_its_object():
    labels, image = cell()
    scene = scene_of(labels, image)
    crop = crop_object(scene, 1)
    odds = np.where(crop.inside, -4.0, 0).astype(np.float32)
    odds[:, :, 50:60][crop.inside[:, :, 50:60]] = 8
    clear = clearness(crop, odds)
    assert clear[:, :, 55][crop.inside[:, :, 55]].max() < 0.2
    np.testing.assert_allclose(clear[:, :, 20:40][crop.inside[:, :, 20:40]], 1, atol=1e-6)
    assert (clear[~crop.inside] == 0).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(0, 30))
def test_clearness_stays_within_its_bounds(seed, spread):
    labels, image = cell()
    crop = crop_object(scene_of(labels, image), 1)
    odds = np.random.default_rng(seed).normal(0, spread, crop.labels.shape).astype(np.float32)
    clear = clearness(crop, odds)[crop.inside]
    assert (clear <= 1).all()
    assert (clear >= np.exp(-2) - 1e-6).all()
