"""Masks and label maps are read as what they are, or refused by name."""

import numpy as np
import pytest

from chondria.errors import PixelValueError, ShapeError
from chondria.evaluation.objects import (
    as_label_map,
    as_mask,
    connected_objects,
    connected_profiles,
    same_grid,
)


@pytest.mark.parametrize(
    ("values", "mask"),
    [
        ([0, 0], [False, False]),
        ([0, 1], [False, True]),
        ([0, 255], [False, True]),
        ([0, 7], [False, True]),
        ([1, 1], [True, True]),
        ([255, 255], [True, True]),
        ([0.0, 0.5], [False, True]),
        ([False, True], [False, True]),
        ([True, True], [True, True]),
    ],
)
def test_masks_are_read_by_zero_and_one_other_value(values: list[float], mask: list[bool]) -> None:
    found = as_mask(np.array(values))
    assert found.dtype == np.bool_
    assert found.tolist() == mask


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([0, 1, 2], "0, 1, 2"),
        ([1, 2], "1, 2"),
        ([7, 7], "7"),
        ([-1, 0], "-1, 0"),
        ([-1, -1], "-1"),
        ([0.0, np.nan], "0, nan"),
        (list(range(9)), r"0, 1, 2, 3, 4 \.\.\. 8 \(9 in all\)"),
    ],
)
def test_other_values_are_no_mask_and_are_named(values: list[float], named: str) -> None:
    with pytest.raises(PixelValueError, match=f"values {named} in truth.tif"):
        as_mask(np.array(values), "truth.tif")


def test_label_maps_are_whole_numbers() -> None:
    integers = np.array([0, 70000], np.uint32)
    assert as_label_map(integers) is integers
    floats = as_label_map(np.array([0.0, 3.0]))
    assert floats.dtype == np.int64
    assert floats.tolist() == [0, 3]
    assert as_label_map(np.array([False, True])).tolist() == [0, 1]


@pytest.mark.parametrize("values", [[-1, 0], [0.0, 0.5], [0.0, np.nan], [0.0, np.inf]])
def test_other_values_are_no_label_map(values: list[float]) -> None:
    with pytest.raises(PixelValueError, match="a label map holds whole numbers"):
        as_label_map(np.array(values))


def test_a_shape_mismatch_names_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\).*\(2, 3, 5\)"):
        same_grid(np.zeros((2, 3, 4)), np.zeros((2, 3, 5)))
    prediction, truth = same_grid(np.zeros((3, 4)), np.zeros((1, 3, 4)))
    assert prediction.shape == truth.shape == (1, 3, 4)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 9), (9, 1, 9), (9, 9, 1)])
def test_thin_volumes_full_of_dots(shape: tuple[int, ...]) -> None:
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    assert connected_objects(mask).max() == mask.sum()
    assert connected_profiles(mask[0]).max() == mask[0].sum()


def test_objects_touch_over_corners_but_not_over_values() -> None:
    corners = np.zeros((2, 2, 2), np.uint8)
    corners[0, 0, 0] = corners[1, 1, 1] = 1
    assert connected_objects(corners).max() == 1
    corners[1, 1, 1] = 2
    assert connected_objects(corners).max() == 2
    assert connected_profiles(np.eye(3, dtype=bool)).max() == 1
