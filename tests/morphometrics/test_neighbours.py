"""Nearest neighbours beside all distances of all points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from chondria.morphometrics.neighbours import nearest_centroids, nearest_surfaces


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    counts=st.lists(st.integers(1, 700), min_size=2, max_size=7),
    spread=st.sampled_from([0.1, 1.0, 20.0]),
    axes=st.sampled_from([2, 3]),
)
def test_nearest_surfaces_are_the_nearest(seed, counts, spread, axes) -> None:
    rng = np.random.default_rng(seed)
    surfaces = [
        (rng.normal(size=(n, axes)) * 50 + rng.normal(size=axes) * 50 * spread).astype(np.float32)
        for n in counts
    ]
    distances, which = nearest_surfaces(surfaces)
    every = np.array([[cdist(a, b).min() for b in surfaces] for a in surfaces])
    np.fill_diagonal(every, np.inf)
    np.testing.assert_allclose(distances, every.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(every[np.arange(len(counts)), which], distances, rtol=1e-5)


def test_objects_that_share_a_point_are_at_no_distance() -> None:
    points = np.arange(30, dtype=np.float32).reshape(10, 3)
    distances, which = nearest_surfaces([points, points[5:] * 2, points[9:], points + 1000])
    assert distances[:3] == pytest.approx([0, 0, 0]) or distances[0] == distances[2] == 0
    assert which[0] == 2
    assert which[2] == 0


def test_a_single_object_has_no_neighbour() -> None:
    assert nearest_surfaces([])[0].shape == (0,)
    distances, which = nearest_surfaces([np.zeros((4, 3), np.float32)])
    assert np.isnan(distances).all()
    assert which.tolist() == [-1]
    assert np.isnan(nearest_centroids(np.zeros((1, 3)))).all()
    assert nearest_centroids(np.zeros((0, 3))).shape == (0,)


def test_nearest_centroids() -> None:
    places = np.array([[0.0, 0, 0], [0, 3, 4], [0, 3, 5]])
    assert nearest_centroids(places).tolist() == [5, 1, 1]
