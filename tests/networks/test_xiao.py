"""The network of Xiao et al.: its size, counted by hand, and its deep supervision."""

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.networks.folding import fold_batch_norm
from chondria.networks.xiao import XiaoUNet


def convolution(channels_in: int, channels_out: int) -> int:
    """3x3x3 convolution with biases, and scale and shift of its batch normalisation."""
    return 27 * channels_in * channels_out + 3 * channels_out


def residual(channels_in: int, channels_out: int) -> int:
    path = convolution(channels_in, channels_out) + convolution(channels_out, channels_out)
    return path + channels_in * channels_out + channels_out


def test_parameters_are_those_counted_by_hand() -> None:
    encoder = convolution(1, 3) + residual(3, 32) + residual(32, 48) + residual(48, 64)
    bottleneck = residual(64, 80)
    # 1x1x1 convolutions behind the up-sampling; skips are added, so no block widens.
    up = sum(a * b + b for a, b in ((80, 64), (64, 48), (48, 32)))
    decoder = residual(64, 64) + residual(48, 48) + residual(32, 32)
    heads = (32 + 1) + (48 + 1) + (64 + 1)
    expected = encoder + bottleneck + up + decoder + heads
    assert sum(p.numel() for p in XiaoUNet().parameters()) == expected == 1_069_325


def test_it_pools_in_the_plane_only() -> None:
    network = XiaoUNet()
    assert (network.stride_slices, network.stride_px) == (1, 8)
    assert [pool.kernel_size for pool in network.pools] == [(1, 2, 2)] * 3
    # Two voxels for each of 7 blocks, and one for the first convolution.
    assert network.halo_slices == 15


def test_auxiliary_outputs_weigh_as_published() -> None:
    network = XiaoUNet(filters=[2, 3, 4, 5]).eval()
    outputs = network.supervised(torch.randn(1, 1, 2, 16, 16))
    assert [weight for weight, _ in outputs] == [1.0, 0.3, 0.15]
    # The coarser the level, the smoother its logits.
    rough = [(logits.diff(dim=-1).abs().mean() / logits.std()).item() for _, logits in outputs]
    assert rough == sorted(rough, reverse=True)
    assert len(XiaoUNet(filters=[2, 3]).supervised(torch.zeros(2, 1, 1, 2, 2))) == 1


def test_its_batch_normalisation_folds_away() -> None:
    torch.manual_seed(0)
    network = XiaoUNet(filters=[2, 3, 4])
    images = torch.randn(2, 1, 3, 8, 8)
    network(images)  # statistics of its own
    folded = fold_batch_norm(network.eval())
    assert not any(isinstance(module, nn.BatchNorm3d) for module in folded.modules())
    torch.testing.assert_close(folded(images), network(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("filters", [32, [], [32], [32, -1]])
def test_bad_filters_are_refused(filters) -> None:
    with pytest.raises(ModelError, match="filters"):
        XiaoUNet(filters=filters)


def test_first_logits_are_not_far_from_even() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 1, 4, 32, 32)
    spreads = {
        kind: XiaoUNet(initialisation=kind)(images).std().item()
        for kind in ("xavier_uniform", "he_normal")
    }
    assert spreads["xavier_uniform"] < 6 < spreads["he_normal"]
    with pytest.raises(ModelError, match="initialisation 'he'; allowed are"):
        XiaoUNet(initialisation="he")
