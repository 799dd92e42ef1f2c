"""Eight bits leave of a network what its calibration promises."""

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.networks.catalog import build_network
from chondria.networks.quantisation import measure_ranges, quantise


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    options = {"filters": 4, "levels": 2, "dropout": [0.0, 0.1, 0.2], "batch_norm": True}
    return build_network("unet", **options).eval()


def batches(count: int = 3) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, 1, 32, 32, generator=generator) for _ in range(count)]


def test_a_convolution_on_the_grid_of_its_range_is_exact() -> None:
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(3))).eval()
    for convolution in network:
        nn.init.constant_(convolution.weight, 0.5)
        nn.init.constant_(convolution.bias, 0.0)
    images = torch.arange(-100.0, 156.0).reshape(1, 1, 16, 16) * 2
    ranges = measure_ranges(network, [images])
    assert ranges == {"1": (-100.0, 155.0)}
    rounded = quantise(network, ranges)
    with torch.inference_mode():
        torch.testing.assert_close(rounded(images), network(images), atol=1e-4, rtol=0)
        # Half a step off the grid is rounded, and what lies outside is clipped.
        assert rounded(images + 1).sub(rounded(images)).abs().max() == pytest.approx(0.25, abs=1e-3)
        assert rounded(images * 3).max() == pytest.approx(155 / 4, abs=1e-3)


def test_outliers_do_not_widen_a_range() -> None:
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(3))).eval()
    nn.init.constant_(network[0].weight, 1.0)
    nn.init.constant_(network[0].bias, 0.0)
    images = torch.linspace(-1, 1, 2 * 64 * 64).reshape(2, 1, 64, 64)
    images[0, 0, 0, :5], images[1, 0, -1, -5:] = -500.0, 900.0
    low, high = measure_ranges(network, [images])["1"]
    assert (low, high) == pytest.approx((-1, 1), abs=0.01)


def test_ranges_are_means_over_batches(network) -> None:
    seen = batches(2)
    one, other, both = (measure_ranges(network, some) for some in (seen[:1], seen[1:], seen))
    assert len(both) == 2 * (2 * 2 + 1) + 2 - 1  # all but the first and the last
    for name, (low, high) in both.items():
        assert low == pytest.approx((one[name][0] + other[name][0]) / 2)
        assert high == pytest.approx((one[name][1] + other[name][1]) / 2)


def test_a_rounded_network_is_near(network) -> None:
    seen = batches()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    rounded = quantise(network, measure_ranges(network, seen))
    with torch.inference_mode():
        exact, found = (torch.sigmoid(net(seen[0])) for net in (network, rounded))
    assert 0 < (found - exact).abs().mean() < 0.02
    assert rounded.stride_px == network.stride_px
    for name, value in network.state_dict().items():
        assert torch.equal(value, weights[name]), name


@pytest.mark.parametrize("ranges", [{}, {"encoder.0.0": (0.0, 1.0)}])
def test_a_calibration_of_another_network_is_refused(network, ranges) -> None:
    with pytest.raises(ModelError, match="no calibration of this network"):
        quantise(network, ranges)
