"""Splines, noise and tubes: the geometry under the phantoms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.data.phantom_fields import Field, Lattice, NoiseTile, SectionGrid, Spline
from chondria.data.phantom_tubes import tube_field

LATTICE = Lattice((-50.0, -50.0, -50.0), 20.0, (16, 18, 20))
BOX = (slice(0, 16), slice(0, 18), slice(0, 20))


@given(st.lists(st.floats(1, 30), min_size=1, max_size=20), st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_the_spline_reproduces_every_linear_function(
    at: list[float], slope: float, level: float
) -> None:
    values = (slope * np.arange(33) + level).astype(np.float32)
    got = Spline.at(np.array(at)).apply(values)
    np.testing.assert_allclose(got, slope * np.array(at) + level, atol=1e-4)


def test_a_section_samples_a_linear_field_at_its_own_pixels() -> None:
    z, y, x = LATTICE.axes_nm(BOX)
    field = Field(BOX, (2 * z - y + 0.5 * x).astype(np.float32))
    grid = SectionGrid(LATTICE, 41.0, np.arange(0.0, 90, 7), np.arange(3.0, 120, 11))
    (rows, columns), values = grid.sample(field)
    assert (rows, columns) == (slice(0, 13), slice(0, 11))
    want = 2 * 41.0 - grid.y_nm[:, None] + 0.5 * grid.x_nm
    np.testing.assert_allclose(values, want, atol=1e-2)


def test_a_section_beyond_a_field_samples_nothing() -> None:
    field = Field(BOX, np.zeros(LATTICE.shape, np.float32))
    far = np.arange(5000.0, 5100, 10)
    assert SectionGrid(LATTICE, 41.0, far, np.arange(0.0, 90, 7)).sample(field)[1].size == 0
    assert SectionGrid(LATTICE, 9000.0, far - 5000, far - 5000).sample(field)[1].size == 0


def test_a_window_of_noise_is_that_part_of_the_section() -> None:
    tile = NoiseTile(np.random.default_rng(0), 12.0, 32)
    grid = SectionGrid(LATTICE, 41.0, np.arange(0.0, 200, 5), np.arange(0.0, 300, 5))
    window = slice(3, 17), slice(20, 50)
    np.testing.assert_array_equal(grid.noise(tile, window), grid.noise(tile)[window])


def test_noise_has_unit_deviation_and_repeats_in_every_direction() -> None:
    tile = NoiseTile(np.random.default_rng(1), 10.0, 40)
    at = np.arange(0.0, 400, 5)
    plane = SectionGrid(LATTICE, 33.0, at, at).noise(tile)
    assert abs(plane.mean()) < 0.1
    assert 0.9 < plane.std() < 1.1
    again = SectionGrid(LATTICE, 33.0 + 400, at - 400, at + 800).noise(tile)
    np.testing.assert_allclose(plane, again, atol=1e-4)


def test_lattice_noise_and_section_noise_are_the_same_field() -> None:
    tile = NoiseTile(np.random.default_rng(2), 30.0, 16)
    z, y, x = (axis.ravel().astype(float) for axis in LATTICE.axes_nm(BOX))
    values = tile.on_lattice(LATTICE, BOX, np.zeros(3))
    plane = SectionGrid(LATTICE, z[5], y, x).noise(tile)
    np.testing.assert_allclose(values[5], plane, atol=1e-4)


@pytest.mark.parametrize(
    "point", [(100.0, 100.0, 60.0), (140.0, 110.0, 200.0), (90.0, 130.0, 20.0)]
)
def test_a_tube_is_the_distance_to_its_axis_less_its_radius(point: tuple[float, ...]) -> None:
    nodes = np.array([[100.0, 100.0, 40.0], [100.0, 100.0, 180.0]])
    field = tube_field(LATTICE, nodes, np.array([30.0, 30.0]), 200.0)
    at = tuple(i[0] for i in LATTICE.index(np.array([point])))
    z, y, x = (float(LATTICE.axes_nm(BOX)[k].ravel()[i]) for k, i in enumerate(at))
    want = np.hypot(np.hypot(z - 100, y - 100), max(40 - x, x - 180, 0)) - 30
    assert field.values[tuple(i - s.start for i, s in zip(at, field.box, strict=True))] == (
        pytest.approx(want, abs=0.05)
    )


def test_a_tube_swells_linearly_between_its_nodes() -> None:
    nodes = np.array([[110.0, 110.0, 10.0], [110.0, 110.0, 210.0]])
    field = tube_field(LATTICE, nodes, np.array([20.0, 60.0]), 80.0)
    at = tuple(int(i[0]) for i in LATTICE.index(np.array([[110.0, 110.0, 110.0]])))
    inside = tuple(i - s.start for i, s in zip(at, field.box, strict=True))
    assert field.values[inside] == pytest.approx(-40, abs=0.1)


def test_a_box_is_clipped_to_the_lattice() -> None:
    assert LATTICE.box(np.full(3, -1e4), np.full(3, 1e4)) == BOX
    z, _, _ = LATTICE.box(np.full(3, 1e4), np.full(3, 2e4))
    assert z.start == z.stop
