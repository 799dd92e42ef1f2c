"""Outlines are where another number is near: nothing else, whatever numbers and direction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from chondria.data.boundary import boundary_target
from chondria.errors import SettingsError

LABELS = arrays.arrays(
    np.uint16,
    st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(0, 3),
)
SIZES = st.tuples(st.sampled_from([4.0, 5.0, 10.0]), st.sampled_from([4.0, 5.0, 7.5]))
WIDTHS = st.sampled_from([10.0, 17.0, 20.0])


def discs(*centres_px: int, radius_px: int = 8) -> np.ndarray:
    """Discs on a line, numbered from 1 on, each pixel to the nearest."""
    y, x = np.mgrid[:40, :80]
    distances = np.stack([np.hypot(y - 20, x - centre) for centre in centres_px])
    labels = (distances.argmin(0) + 1) * (distances.min(0) <= radius_px)
    return labels.astype(np.uint16)[None]


@settings(max_examples=40)
@given(LABELS, SIZES, WIDTHS)
def test_it_is_its_definition(labels: np.ndarray, size: tuple, width_nm: float) -> None:
    found = boundary_target(labels, size, width_nm)
    _, rows, columns = labels.shape
    y, x = np.mgrid[:rows, :columns]
    for z, row, column in np.ndindex(labels.shape):
        near = np.hypot((y - row) * size[0], (x - column) * size[1]) <= width_nm + 1e-6
        other = labels[z][near] != labels[z, row, column]
        assert found[z, row, column] == other.any()


@settings(max_examples=40)
@given(LABELS, SIZES, WIDTHS, st.permutations([0, 1, 2, 3]))
def test_numbers_and_directions_do_not_matter(
    labels: np.ndarray, size: tuple, width_nm: float, names: list[int]
) -> None:
    found = boundary_target(labels, size, width_nm)
    for axis in (1, 2):
        flipped = boundary_target(np.flip(labels, axis), size, width_nm)
        np.testing.assert_array_equal(np.flip(flipped, axis), found)
    turned = boundary_target(labels.swapaxes(1, 2), size[::-1], width_nm)
    np.testing.assert_array_equal(turned.swapaxes(1, 2), found)
    np.testing.assert_array_equal(boundary_target(np.array(names)[labels], size, width_nm), found)


def test_contacts_and_gaps_are_marked_and_the_middle_of_objects_is_not() -> None:
    touching, size = discs(30, 44), (10.0, 10.0)
    found = boundary_target(touching, size, 20)[0]
    depth = ndimage.distance_transform_edt(touching[0] > 0)
    # Nothing tells the contact from the inside but that the objects are two.
    contact = found & (depth > 2)
    assert contact.any()
    assert not boundary_target(touching > 0, size, 20)[0][contact].any()
    assert not found[20, 30]
    assert boundary_target(discs(30, 50), size, 20)[0, 20, 39:42].all()
    assert not boundary_target(discs(30, 54), size, 20)[0, 20, 42]


def test_without_a_border_nothing_is_marked() -> None:
    for value in (0, 7, 2**40):
        assert not boundary_target(np.full((2, 8, 9), value), (5, 5), 20).any()


def test_widths_are_physical() -> None:
    step = np.zeros((1, 40, 40), bool)
    step[:, :20] = True
    assert boundary_target(step, (5, 50), 50).sum() == 2 * 10 * 40
    assert boundary_target(step.swapaxes(1, 2), (5, 50), 50).sum() == 2 * 1 * 40


def test_outlines_thinner_than_a_pixel_are_refused() -> None:
    with pytest.raises(SettingsError, match="5 nm for pixels of 4 x 10 nm"):
        boundary_target(np.zeros((1, 4, 4)), (4, 10), 5)
