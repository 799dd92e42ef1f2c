"""Graphs of skeletons drawn by hand."""

import numpy as np
import pytest

from chondria.morphometrics.skeleton_graph import RING, Branch, skeleton_graph


def drawn(picture: str) -> np.ndarray:
    lines = [line.strip() for line in picture.strip().splitlines()]
    return np.array([[letter == "#" for letter in line] for line in lines])


def kinds(graph) -> tuple[int, int, int, int]:
    degrees = graph.degrees.values()
    ends, junctions = sum(d == 1 for d in degrees), sum(d > 2 for d in degrees)
    return len(graph.branches), ends, junctions, graph.loops


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("#######", (1, 2, 0, 0)),
        ("##", (1, 2, 0, 0)),
        (".###.\n#...#\n#...#\n.###.", (1, 0, 0, 1)),
        ("#.....#\n.#...#.\n..#.#..\n...#...\n...#...\n...#...", (3, 3, 1, 0)),
        ("...#...\n...#...\n#######\n...#...\n...#...", (4, 4, 1, 0)),
        (".###....\n#...####\n.###....", (2, 1, 1, 1)),
        ("..###....###.\n##...####...#\n..###....###.", (5, 1, 3, 2)),
        ("#...#\n#...#\n#...#", (2, 4, 0, 0)),
    ],
)
def test_branches_ends_junctions_and_loops(picture: str, expected: tuple[int, ...]) -> None:
    skeleton = drawn(picture)
    for mask in (skeleton, skeleton[None], skeleton.T[:, :, None]):
        assert kinds(skeleton_graph(mask, np.ones(mask.shape))) == expected


def test_a_single_voxel_is_a_point() -> None:
    graph = skeleton_graph(np.ones((1, 1, 1), bool), np.ones((1, 1, 1)))
    assert (len(graph.points), graph.branches) == (1, [])


def test_twigs_within_the_ball_of_their_junction_are_pruned() -> None:
    skeleton = np.zeros((15, 41), bool)
    skeleton[7], skeleton[4:7, 20] = True, True
    for radius, branches in ((1.0, 3), (3.0, 1)):
        distance = np.ones(skeleton.shape)
        distance[7] = radius
        graph = skeleton_graph(skeleton, distance).pruned()
        assert len(graph.branches) == branches
    (branch,) = graph.branches
    assert branch.length == pytest.approx(40, abs=1)


def test_steps_to_and_fro_make_no_branch_of_a_twig() -> None:
    """They are seven voxels long, but the tip is five away, beside a ball of four."""
    skeleton = np.zeros((16, 41), bool)
    skeleton[10] = True
    for row, column in ((9, 20), (8, 21), (7, 20), (6, 21), (5, 20)):
        skeleton[row, column] = True
    distance = np.ones(skeleton.shape)
    distance[10] = 4.0
    (branch,) = skeleton_graph(skeleton, distance).pruned().branches
    assert branch.length == pytest.approx(40, abs=1)


def test_a_branch_that_comes_back_reaches_as_far_as_it_went() -> None:
    path = np.array([[0.0, 1.0], [5.0, 1.0], [5.0, 0.0], [0.0, 0.0]])
    assert Branch(0, 1, path).reach == pytest.approx(np.sqrt(26))


def test_a_twig_on_a_ring_leaves_a_ring() -> None:
    skeleton = np.zeros((12, 12), bool)
    skeleton[2:9, 2], skeleton[2:9, 8], skeleton[2, 2:9], skeleton[8, 2:9] = (True,) * 4
    skeleton[8:11, 5] = True
    graph = skeleton_graph(skeleton, np.where(np.arange(12) > 8, 1.0, 3.0)[:, None] * skeleton)
    graph = graph.pruned()
    (branch,) = graph.branches
    assert branch.start == branch.stop == RING
    assert graph.loops == 1


def test_a_clump_that_is_one_junction_is_a_point() -> None:
    clump = np.zeros((5, 5, 5), bool)
    clump[1:3, 1:3, 1:3] = True
    graph = skeleton_graph(clump, clump.astype(float)).pruned()
    assert graph.branches == []
    assert [point.tolist() for point in graph.points] == [[1.5, 1.5, 1.5]]
