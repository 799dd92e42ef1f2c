"""The thesis's U-Net: its size, and every option."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.networks.unet import UNet


def of_kind(network: nn.Module, kind: type) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(("filters", "expected"), [(16, 1_940_817), (32, 7_759_521)])
def test_parameter_counts_of_the_thesis(filters, expected) -> None:
    assert sum(p.numel() for p in UNet(filters=filters).parameters()) == expected


def test_defaults_are_the_thesis() -> None:
    network = UNet()
    assert network.stride_px == 16
    assert len(of_kind(network, nn.ELU)) == 18
    assert [m.p for m in of_kind(network, nn.Dropout)] == [
        *(0.1, 0.1, 0.2, 0.2, 0.3),  # encoder and bottleneck
        *(0.2, 0.2, 0.1, 0.1),  # decoder, deepest first
    ]
    assert of_kind(network, nn.MaxPool2d)
    assert not of_kind(network, nn.BatchNorm2d)


@pytest.mark.parametrize("levels", [1, 2, 3, 4, 5])
def test_the_halo_is_exact(levels) -> None:
    """Enumerate the grid cells that a block's pixels reach, level by level, along one axis."""
    network = UNet(filters=2, levels=levels, dropout=[0.0] * (levels + 1))
    first = 64 * network.stride_px
    last = first + network.stride_px - 1

    def reached(pixel: int) -> tuple[int, int]:
        low = high = pixel
        for _ in range(network.levels):  # decoder, from the output down to the bottleneck
            low, high = (low - 2) // 2, (high + 2) // 2
        low, high = low - 2, high + 2
        for _ in range(network.levels):  # encoder, from the bottleneck up to the input
            low, high = 2 * low - 2, 2 * high + 1 + 2
        return low, high

    spans = [reached(pixel) for pixel in range(first, last + 1)]
    assert first - min(low for low, _ in spans) == network.halo_px
    assert max(high for _, high in spans) - last == network.halo_px


def test_the_halo_of_the_thesis() -> None:
    assert UNet().halo_px == 94


# --- options ---


def test_relu_replaces_every_elu() -> None:
    network = UNet(filters=2, activation="relu")
    assert len(of_kind(network, nn.ReLU)) == 18
    assert not of_kind(network, nn.ELU)


def test_average_pooling_keeps_what_maximum_would_choose() -> None:
    assert not of_kind(UNet(filters=2, pooling="average"), nn.MaxPool2d)
    checkers = torch.tensor([[0.0, 1.0], [1.0, 2.0]])[None, None]
    assert UNet(filters=2, pooling="average").pool(checkers).item() == 1.0
    assert UNet(filters=2, pooling="max").pool(checkers).item() == 2.0


def test_spatial_dropout_drops_whole_channels() -> None:
    torch.manual_seed(0)
    network = UNet(filters=2, dropout=(0.5,) * 5, dropout_kind="spatial")
    drops = of_kind(network, nn.Dropout2d)
    assert len(drops) == 9
    kept = drops[0](torch.ones(8, 16, 4, 4)).flatten(2)
    assert torch.equal(kept.amin(2), kept.amax(2))
    assert 0 < (kept[..., 0] == 0).float().mean() < 1


def test_no_dropout_makes_training_deterministic() -> None:
    network = UNet(filters=2, levels=1, dropout=(0.0, 0.0)).train()
    images = torch.randn(1, 1, 8, 8)
    assert torch.equal(network(images), network(images))


def test_batch_norm_follows_every_3x3_convolution() -> None:
    network = UNet(filters=2, batch_norm=True)
    assert len(of_kind(network, nn.BatchNorm2d)) == 18
    layers = of_kind(network, nn.Conv2d | nn.BatchNorm2d | nn.ELU)
    for first, second in pairwise(layers):
        if isinstance(first, nn.BatchNorm2d):
            assert isinstance(second, nn.ELU)


@pytest.mark.parametrize("levels", [1, 2, 3, 5])
@pytest.mark.parametrize("channels", [(1, 1), (3, 2)])
def test_levels_and_channels(levels, channels) -> None:
    network = UNet(
        filters=2,
        levels=levels,
        dropout=[0.1] * (levels + 1),
        channels_in=channels[0],
        channels_out=channels[1],
    )
    assert network.stride_px == 2**levels
    widths = [block[0].out_channels for block in network.encoder]
    assert widths == [2 * 2**level for level in range(levels)]
    logits = network(torch.randn(1, channels[0], 32, 64))
    assert logits.shape == (1, channels[1], 32, 64)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"activation": "gelu"}, "activation 'gelu'; allowed are elu, relu"),
        ({"initialisation": "he"}, "allowed are he_normal, xavier_uniform, lecun_normal"),
        ({"pooling": "mean"}, "pooling 'mean'; allowed are max, average"),
        ({"dropout_kind": "channel"}, "dropout_kind 'channel'; allowed are element, spatial"),
        ({"filters": 0}, "filters '0'; give a whole number of at least 1"),
        ({"filters": "16"}, "filters '16'"),
        ({"filters": 16.5}, "filters '16.5'"),
        ({"levels": 0}, "levels '0'"),
        ({"levels": True}, "levels 'True'"),
        ({"channels_in": 0}, "channels_in '0'"),
        ({"channels_out": -1}, "channels_out '-1'"),
        ({"levels": 3}, "5 dropout rates for 3 levels; give 4"),
        ({"dropout": 0.2}, "dropout '0.2'; give a list of 5 rates"),
        ({"dropout": ["a"] * 5}, "give a list of 5 rates"),
        ({"dropout": [1.0] * 5}, r"each must be in \[0, 1\)"),
        ({"dropout": [-0.1] * 5}, r"each must be in \[0, 1\)"),
    ],
)
def test_bad_options_say_what_is_allowed(options, sentence) -> None:
    with pytest.raises(ModelError, match=sentence):
        UNet(**options)
