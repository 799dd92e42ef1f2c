"""Surfaces and perimeters: laws that hold for every shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from chondria.morphometrics.boundary import measure_boundary

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5))
EDGES = st.lists(st.floats(1, 60), min_size=3, max_size=3)


def faces(mask: np.ndarray, edges: np.ndarray) -> list[tuple[float, ...]]:
    """Centres of the faces, one by one."""
    found = []
    padded = np.pad(mask, 1)
    for index in np.argwhere(padded):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                there = index.copy()
                there[axis] += step
                if not padded[tuple(there)]:
                    found.append(tuple((index - 1 + there - 1) / 2 * edges))
    return sorted(found)


@settings(max_examples=40)
@given(mask=MASKS, edges=EDGES)
def test_every_face_is_found_once_and_counts_no_more_than_its_area(mask, edges) -> None:
    edges = np.array(edges[: mask.ndim])
    found = measure_boundary(mask, edges)
    expected = faces(mask, edges)
    np.testing.assert_allclose(
        np.array(sorted(map(tuple, found.positions_nm.round(2)))).reshape(-1, mask.ndim),
        np.array(sorted(map(tuple, np.round(expected, 2)))).reshape(-1, mask.ndim),
        atol=0.02,
    )
    areas = sum(
        np.prod(np.delete(edges, axis))
        * np.count_nonzero(np.diff(np.pad(mask, 1).astype(int), axis=axis))
        for axis in range(mask.ndim)
    )
    assert 0 <= found.extent_nm <= areas * (1 + 1e-9)
    assert (found.extent_nm > 0) == mask.any()


@settings(max_examples=30)
@given(mask=MASKS, edges=EDGES, order=st.permutations([0, 1, 2]))
def test_axes_may_change_places(mask, edges, order) -> None:
    order = [axis for axis in order if axis < mask.ndim]
    turned = measure_boundary(mask.transpose(order), [edges[axis] for axis in order]).extent_nm
    straight = measure_boundary(mask, edges[: mask.ndim]).extent_nm
    assert turned == pytest.approx(straight, rel=1e-3)


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 9)])
def test_the_unit_of_length_scales_it(shape) -> None:
    mask = np.random.default_rng(0).random(shape) > 0.5
    edges = np.array([7.0, 3.0, 2.0])[: len(shape)]
    once, twice = (measure_boundary(mask, edges * scale).extent_nm for scale in (1, 2))
    assert twice == pytest.approx(once * 2 ** (len(shape) - 1), rel=1e-4)


@pytest.mark.parametrize("edges", [(5.0, 5.0, 5.0), (50.0, 4.6, 4.6)])
def test_a_single_voxel_has_the_surface_of_its_box(edges) -> None:
    z, y, x = edges
    found = measure_boundary(np.ones((1, 1, 1), bool), edges)
    assert found.extent_nm == pytest.approx(2 * (z * y + y * x + x * z))


def test_a_wide_plane_has_its_area_in_any_direction() -> None:
    # Half a volume below a tilted plane: the share of the surface that lies on the plane.
    z, y, x = np.mgrid[:40, :40, :40]
    for normal in ([1, 0, 0], [1, 1, 0], [1, 1, 1], [0.9, 0.3, 0.1]):
        unit = np.array(normal) / np.linalg.norm(normal)
        height = unit[0] * (z - 20.3) + unit[1] * (y - 19.8) + unit[2] * (x - 20.1)
        aside = np.sqrt((z - 20.3) ** 2 + (y - 19.8) ** 2 + (x - 20.1) ** 2 - height**2)
        found = measure_boundary((height <= 6) & (height >= -6) & (aside <= 16), (5.0, 5.0, 5.0))
        drum = 2 * np.pi * 16**2 + 2 * np.pi * 16 * 12
        assert found.extent_nm == pytest.approx(drum * 25, rel=0.05)
