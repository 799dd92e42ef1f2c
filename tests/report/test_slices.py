"""Which slices a page holds: as much as its room allows, labels exact whatever the room."""

import numpy as np
import pytest

from chondria.report.encoding import decode_runs, sampled
from chondria.report.slices import LabelLayer, encode_slices


def noise(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)


def boxes(shape: tuple[int, int, int]) -> np.ndarray:
    labels = np.zeros(shape, np.uint64)
    labels[:, 4:20, 4:30] = 2**60
    labels[: shape[0] // 2, 30:44, 10:50] = 5
    return labels


@pytest.mark.parametrize("room", [10**7, 200_000, 60_000, 9_000])
def test_a_page_has_room_for_it(room: int) -> None:
    shape = (12, 64, 80)
    layer = LabelLayer(boxes(shape))
    found = encode_slices(noise(shape), noise(shape), {"labels": layer}, room)
    assert found.nbytes <= room
    assert {len(texts) for texts in found.texts.values()} == {len(found.z)}
    assert found.z == sorted(set(found.z))
    for z, text in zip(found.z, found.texts["labels"], strict=True):
        places = decode_runs(text, found.shape_px).astype(int)
        ids = np.array([0, *layer.ids], np.uint64)[places]
        np.testing.assert_array_equal(ids, sampled(boxes(shape)[z], found.detail.step_px))


def test_quality_goes_before_slices() -> None:
    shape = (12, 64, 80)
    image, layers = noise(shape), {"labels": LabelLayer(boxes(shape))}
    best = encode_slices(image, None, layers, 10**7)
    less = encode_slices(image, None, layers, best.nbytes // 2)
    least = encode_slices(image, None, layers, best.nbytes // 12)
    assert best.detail.quality > less.detail.quality
    assert len(best.z) == len(less.z) == 12
    assert len(least.z) < 12


def test_no_room_still_shows_a_slice() -> None:
    found = encode_slices(noise((9, 40, 40)), None, {"a": LabelLayer(boxes((9, 40, 40)))}, 0)
    assert len(found.z) == 1


def test_large_planes_are_shown_in_squares() -> None:
    labels = np.zeros((1, 1500, 2300), np.uint8)
    labels[0, 700:800, 900:1000] = 1
    layer = LabelLayer(labels, [1])
    found = encode_slices(None, None, {"labels": layer}, 10**7)
    assert found.detail.step_px == 3
    assert found.shape_px == (500, 767)
    z, y, x = layer.anchors[0]
    assert labels[z, y, x] == 1


def test_objects_keep_their_places_and_new_ones_are_added() -> None:
    labels = boxes((4, 64, 80))
    layer = LabelLayer(labels, [99, 5])
    found = encode_slices(None, None, {"labels": layer}, 10**7)
    assert layer.ids == [99, 5, 2**60]
    assert set(layer.anchors) == {1, 2}
    for place, (z, y, x) in layer.anchors.items():
        assert labels[z, y, x] == layer.ids[place]
    assert set(np.unique(decode_runs(found.texts["labels"][0], (64, 80)))) == {0, 2, 3}


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.uint64])
def test_types_of_labels(dtype: type) -> None:
    labels = (boxes((2, 64, 80)) > 5).astype(dtype)
    found = encode_slices(None, None, {"labels": LabelLayer(labels)}, 10**7)
    np.testing.assert_array_equal(decode_runs(found.texts["labels"][1], (64, 80)), labels[1])


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_types_of_images(dtype: type) -> None:
    image = noise((2, 64, 80)).astype(dtype) * 3
    layer = {"labels": LabelLayer(boxes((2, 64, 80)))}
    assert len(encode_slices(image, None, layer, 10**7).texts["image"]) == 2
    flat = np.full((2, 64, 80), np.nan, np.float32)
    assert len(encode_slices(flat, None, layer, 10**7).texts["image"]) == 2
