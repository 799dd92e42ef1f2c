"""The residual U-Net: its blocks, and what it shares with the U-Net."""

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.networks.resunet import ResidualBlock, ResUNet
from chondria.networks.unet import UNet


def blocks(network: nn.Module) -> list[ResidualBlock]:
    return [module for module in network.modules() if isinstance(module, ResidualBlock)]


def test_a_block_is_the_sum_of_its_path_and_its_shortcut() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(2, 3, nn.Identity(), first=False)
    features = torch.randn(1, 2, 8, 8)
    before = features.clone()
    convolutions = [layer for layer in block.path if isinstance(layer, nn.Conv2d)]
    elu = nn.functional.elu
    path = convolutions[1](elu(convolutions[0](elu(features))))
    torch.testing.assert_close(block(features), elu(path + block.shortcut(features)))
    assert torch.equal(features, before)


def test_only_the_very_first_block_lacks_the_activation_in_front() -> None:
    first, *others = blocks(ResUNet(filters=2))
    assert isinstance(first.path[0], nn.Identity)
    assert all(isinstance(block.path[0], nn.ELU) for block in others)
    assert len(others) == 8


def test_defaults_are_the_thesis() -> None:
    network = ResUNet()
    drops = [module for module in network.modules() if isinstance(module, nn.Dropout2d)]
    assert [drop.p for drop in drops] == [0.2] * 9
    assert network.encoder[0].shortcut.out_channels == 32
    assert (network.stride_px, network.halo_px) == (16, UNet().halo_px)
    # A U-Net of as many filters, and a 1x1 convolution with its bias in every block.
    shortcuts = sum(p.numel() for block in blocks(network) for p in block.shortcut.parameters())
    plain = sum(p.numel() for p in UNet(filters=32).parameters())
    assert sum(p.numel() for p in network.parameters()) == plain + shortcuts


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"filters": 0}, "filters '0'"),
        ({"dropout": [0.1]}, "1 dropout rates for 4 levels; give 5"),
        ({"dropout_kind": "none"}, "allowed are element, spatial"),
        ({"pooling": "mean"}, "allowed are max, average"),
    ],
)
def test_bad_options_say_what_is_allowed(options, sentence) -> None:
    with pytest.raises(ModelError, match=sentence):
        ResUNet(**options)
