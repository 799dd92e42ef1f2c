"""Thin blocks are convolved as thick ones are, whatever the precision."""

import pytest
import torch
from torch.nn import functional

from chondria.networks.catalog import build_network
from chondria.networks.convolution_3d import Convolution3d
from chondria.networks.network import memory_format


@pytest.mark.parametrize("slices", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 5])
def test_thin_blocks_have_numbers_in_bf16(slices, channels) -> None:
    torch.manual_seed(0)
    layer = Convolution3d(channels, 6).to(memory_format=torch.channels_last_3d)
    features = torch.randn(2, channels, slices, 8, 8).requires_grad_()
    features = features.contiguous(memory_format=torch.channels_last_3d)
    expected = functional.conv3d(features, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(features), expected)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(features)
    torch.testing.assert_close(found.float(), expected, atol=0.02, rtol=0.02)
    of = [features, layer.weight, layer.bias]
    gradients = torch.autograd.grad(expected.square().sum(), of, retain_graph=True)
    in_bf16 = torch.autograd.grad(found.float().square().sum(), of)
    for gradient, other in zip(gradients, in_bf16, strict=True):
        assert (gradient - other).abs().max() < 0.03 * gradient.abs().max()


@pytest.mark.parametrize("name", ["unet3d", "xiao"])
def test_gradients_in_bf16_point_where_those_in_fp32_do(name) -> None:
    torch.manual_seed(0)
    widths = {"filters": [6, 8, 8, 10]}
    if name == "unet3d":
        widths["dropout"] = [0.0] * 4
    network = build_network(name, **widths)
    network.to(memory_format=memory_format(network))
    # Of eight slices, three poolings leave one.
    images = torch.randn(2, 1, 8 if name == "unet3d" else 2, 32, 32)
    images = images.contiguous(memory_format=torch.channels_last_3d)
    found = []
    for enabled in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = network.supervised(images)
        sum(logits.float().square().mean() for _, logits in outputs).backward()
        found.append([p.grad.flatten().clone() for p in network.parameters() if p.dim() == 5])
    for one, other in zip(*found, strict=True):
        assert torch.cosine_similarity(one, other, dim=0) > 0.9
