"""Attention gates, and the U-Net that has them."""

import torch

from chondria.networks.attention_unet import AttentionGate, AttentionUNet
from chondria.networks.unet import UNet


def test_a_gate_weighs_pixels_between_zero_and_one() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(4)
    features, skip = torch.randn(2, 4, 6, 5), torch.randn(2, 4, 6, 5)
    share = gate(features, skip) / skip
    # One weight for all channels of a pixel.
    torch.testing.assert_close(share, share[:, :1].expand_as(share), rtol=1e-4, atol=1e-4)
    assert 0 < share.min() < share.max() < 1


def test_closed_gates_hide_the_encoder() -> None:
    torch.manual_seed(0)
    network = AttentionUNet(filters=2, levels=2, dropout=[0.0] * 3).eval()
    images = torch.randn(1, 1, 16, 16)
    opened = network(images)
    with torch.no_grad():
        for gate in network.gates:
            gate.weight.weight.zero_()
            gate.weight.bias.fill_(-1e4)
    seen = []
    for block in network.decoder:
        block.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    assert not torch.equal(network(images), opened)
    assert all((joined[:, joined.shape[1] // 2 :] == 0).all() for joined in seen)
    assert len(seen) == 2


def test_it_is_the_unet_and_one_gate_a_level() -> None:
    network, plain = AttentionUNet(filters=4), UNet(filters=4)
    assert len(network.gates) == 4
    assert (network.stride_px, network.halo_px) == (plain.stride_px, plain.halo_px)
    gates = sum(p.numel() for p in network.gates.parameters())
    assert sum(p.numel() for p in network.parameters()) == gates + sum(
        p.numel() for p in plain.parameters()
    )
