"""The graph of regions: which touch, over which surface, across which edge."""

import numpy as np
import pytest

from chondria.supervoxels.adjacency import region_graph, vote_shares
from chondria.supervoxels.regions import Regions, find_regions

SIZE_NM = (40.0, 5.0, 10.0)


def four() -> Regions:
    """Two slabs of a slice each, cut into two halves of 3x2 pixels."""
    plane = np.repeat([[0, 0, 1, 1]], 3, axis=0)
    return Regions(np.stack([plane, plane + 2]).astype(np.int32), 4, [range(1), range(1, 2)])


def test_surfaces_are_in_square_nanometres() -> None:
    graph = region_graph(np.zeros((2, 3, 4), np.float32), four(), SIZE_NM, 10)
    side, top = 3 * 40 * 5, 6 * 5 * 10
    expected = [[0, side, top, 0], [side, 0, 0, top], [top, 0, 0, side], [0, top, side, 0]]
    assert np.array_equal(graph.contact.toarray(), expected)
    assert np.array_equal(graph.edge.toarray(), np.zeros((4, 4)))


def test_an_edge_is_felt_where_it_lies() -> None:
    image = np.zeros((2, 3, 4), np.float32)
    image[0, :, 2:] = 5
    edge = region_graph(image, four(), SIZE_NM, 10).edge
    assert edge[0, 1] > 2 * edge[2, 3]
    assert edge[2, 3] == 0


@pytest.mark.parametrize("z_nm", [10, 40])
def test_counted_over_a_whole_volume_at_once_it_is_the_same(z_nm) -> None:
    image = np.random.default_rng(0).normal(size=(7, 20, 24)).astype(np.float32)
    regions = find_regions(image, (z_nm, 10, 10), 30)
    assert len(regions.slabs) > 1
    found = region_graph(image, regions, (z_nm, 10, 10), 10)
    whole = Regions(regions.labels, regions.count, [range(7)])
    expected = region_graph(image, whole, (z_nm, 10, 10), 10)
    assert np.allclose(found.contact.toarray(), expected.contact.toarray())
    assert np.allclose(found.edge.toarray(), expected.edge.toarray())
    assert np.allclose(found.contact.toarray(), found.contact.toarray().T)
    assert not found.contact.diagonal().any()
    assert np.allclose(vote_shares(found.contact).sum(axis=1), 1)


def test_a_region_alone_has_no_neighbour() -> None:
    alone = Regions(np.zeros((1, 4, 4), np.int32), 1, [range(1)])
    graph = region_graph(np.zeros((1, 4, 4), np.float32), alone, SIZE_NM, 10)
    assert vote_shares(graph.contact).sum() == 0
