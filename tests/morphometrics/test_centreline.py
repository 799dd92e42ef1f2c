"""Centre lines of tubes that bend, branch, close and fall apart."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from chondria.morphometrics.centreline import measure_centre_line


def tube(
    points: list[tuple[float, ...]], radius_nm: float, edges: tuple[float, ...], close: bool = False
) -> np.ndarray:
    """Everything within a radius of a line through points in nm."""
    corners = np.array(points + points[:1] if close else points, float)
    steps = [np.linspace(a, b, 400) for a, b in pairwise(corners)]
    line = np.concatenate(steps)
    low = line.min(axis=0) - 1.5 * radius_nm
    shape = np.ceil((line.max(axis=0) + 1.5 * radius_nm - low) / edges).astype(int)
    mask = np.zeros(shape, bool)
    mask[tuple(((line - low) / edges).round().astype(int).T)] = True
    return distance_transform_edt(~mask, sampling=edges) <= radius_nm


EDGES = [(5.0, 5.0, 5.0), (20.0, 5.0, 5.0), (5.0, 5.0)]


@pytest.mark.parametrize("edges", EDGES)
def test_a_y_has_three_ends_and_a_branch_point(edges) -> None:
    zs = (0,) * (len(edges) - 2)
    middle = (*zs, 0, 0)
    tips = [(*zs, 300, 0), (*zs, -200, 250), (*zs, -200, -250)]
    masks = [tube([middle, tip], 40, edges) for tip in tips]
    whole = tube([tips[0], middle, tips[1], middle, tips[2]], 40, edges)
    assert all(mask.ndim == whole.ndim for mask in masks)
    found = measure_centre_line(whole, edges, 40)
    assert (found.ends, found.branch_points, found.loops, found.parts) == (3, 1, 0, 1)
    expected = 300 + 2 * np.hypot(200, 250) + 3 * 40
    assert found.length_nm == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("edges", EDGES)
def test_a_ring_with_a_tail_has_a_loop_an_end_and_a_branch_point(edges) -> None:
    zs = (0,) * (len(edges) - 2)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = [(*zs, 200 * np.sin(t), 200 * np.cos(t)) for t in turn]
    mask = tube([(*zs, 0, 500), *ring, ring[0]], 35, edges)
    found = measure_centre_line(mask, edges, 35)
    assert (found.ends, found.branch_points, found.loops) == (1, 1, 1)
    assert found.length_nm == pytest.approx(2 * np.pi * 200 + 300 + 35, rel=0.05)


def test_parts_are_measured_one_by_one() -> None:
    edges = (5.0, 5.0, 5.0)
    one = tube([(0, 0, 0), (0, 0, 300)], 40, edges)
    apart = np.concatenate([one, np.zeros_like(one), one])
    single, double = (measure_centre_line(mask, edges, 40) for mask in (one, apart))
    assert double.length_nm == pytest.approx(2 * single.length_nm)
    assert (double.ends, double.parts, single.parts) == (2 * single.ends, 2, 1)
    assert single.length_nm == pytest.approx(380, rel=0.02)


@pytest.mark.parametrize("edges", EDGES[:2])
def test_a_thin_neck_keeps_an_object_whole(edges) -> None:
    ball = tube([(0, 0, 0), (0, 0, 1)], 100, edges)
    ball = ball[:, :, ball.any(axis=(0, 1))]
    gap = np.zeros((*ball.shape[:2], 30), bool)
    gap[ball.shape[0] // 2, ball.shape[1] // 2] = True
    found = measure_centre_line(np.concatenate([ball, gap, ball], axis=2), edges, 70)
    assert (found.parts, found.ends, found.branch_points) == (1, 2, 0)
    assert found.length_nm == pytest.approx(2 * 200 + 150, rel=0.06)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (1, 30, 40), (9, 9, 9), (1, 1), (1, 30)])
def test_thin_shapes_have_a_line(shape) -> None:
    found = measure_centre_line(np.ones(shape, bool), (5.0,) * len(shape), 2.5)
    assert found.parts == 1
    assert found.ends >= 2
    assert 0 < found.length_nm <= 5 * np.linalg.norm(shape) * 2.5
