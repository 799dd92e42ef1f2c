"""Every region of any volume is described by the same finite numbers."""

import numpy as np
import pytest

from chondria.supervoxels.adjacency import region_graph
from chondria.supervoxels.features import region_features
from chondria.supervoxels.regions import Regions, find_regions


def described(image, size_nm=(10, 10, 10), hops=1) -> tuple[np.ndarray, Regions]:
    image = np.asarray(image, np.float32)
    regions = find_regions(image, size_nm, 40)
    graph = region_graph(image, regions, size_nm, 10)
    found = region_features(image, regions, graph, size_nm, scales_nm=(10, 30), hops=hops)
    return found, regions


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 20, 24), (3, 1, 20), (6, 20, 1), (9, 20, 24)])
@pytest.mark.parametrize("constant", [True, False])
def test_any_shape_and_a_constant_image_have_finite_features(shape, constant) -> None:
    image = np.ones(shape) if constant else np.random.default_rng(0).normal(size=shape)
    found, regions = described(image)
    usual, _ = described(np.random.default_rng(1).normal(size=(5, 30, 30)))
    assert found.shape == (regions.count, usual.shape[1])
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_grey_level_deviation_and_histogram_are_those_of_the_region() -> None:
    image = np.random.default_rng(2).normal(size=(4, 30, 30)).astype(np.float32)
    found, regions = described(image, hops=0)
    for region in (0, regions.count // 2, regions.count - 1):
        values = image[regions.labels == region]
        assert np.exp(found[region, 0]) == pytest.approx(values.size, rel=1e-4)
        assert found[region, 1] == pytest.approx(values.mean(), abs=1e-5)
        assert found[region, 2] == pytest.approx(values.std(), abs=1e-4)


def test_surroundings_are_the_neighbours_means() -> None:
    image = np.random.default_rng(3).normal(size=(4, 30, 30)).astype(np.float32)
    own, regions = described(image, hops=0)
    two, _ = described(image, hops=2)
    n = own.shape[1]
    assert np.array_equal(two[:, :n], own)
    contact = region_graph(image, regions, (10, 10, 10), 10).contact.toarray()
    shares = contact / contact.sum(axis=1, keepdims=True)
    assert two[:, n : 2 * n] == pytest.approx(shares @ own, rel=1e-3, abs=1e-3)
    assert two[:, 2 * n :] == pytest.approx(shares @ shares @ own, rel=1e-3, abs=1e-3)


def test_texture_tells_what_the_grey_level_does_not() -> None:
    y, x = np.indices((48, 48))
    stripes = np.where(x < 24, np.sign(np.sin(np.pi * y / 2 + 0.1)), np.sign(np.sin(np.pi * y / 6)))
    found, regions = described(stripes[None], size_nm=(40, 10, 10), hops=0)
    left = np.array([np.nonzero(regions.labels[0] == i)[1].mean() < 24 for i in range(len(found))])
    apart = np.abs(found[left].mean(0) - found[~left].mean(0))
    within = found[left].std(0) + found[~left].std(0)
    assert (apart > 2 * within).any()
