"""The 3-D U-Net: its size, counted by hand, and its options."""

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.networks.unet3d import UNet3d


def pair(channels_in: int, channels_out: int) -> int:
    """Weights and biases of two 3x3x3 convolutions."""
    return 27 * (channels_in + channels_out) * channels_out + 2 * channels_out


def test_parameters_are_those_counted_by_hand() -> None:
    encoder = pair(1, 28) + pair(28, 36) + pair(36, 48)
    bottleneck = pair(48, 64)
    # 2x2x2 kernels from one level to the finer, and the joined features behind.
    up = sum(8 * a * b + b for a, b in ((64, 48), (48, 36), (36, 28)))
    decoder = pair(96, 48) + pair(72, 36) + pair(56, 28)
    expected = encoder + bottleneck + up + decoder + (28 + 1)
    assert sum(p.numel() for p in UNet3d().parameters()) == expected == 788_817


def test_pooling_in_the_plane_keeps_the_slices() -> None:
    network = UNet3d(filters=[2, 3, 4], pool_slices=[1, 2], dropout=[0, 0, 0])
    assert (network.stride_slices, network.stride_px) == (2, 4)
    assert network.halo_slices < network.halo_px
    flat = UNet3d(filters=[2, 3, 4], pool_slices=[1, 1], dropout=[0, 0, 0])
    assert (flat.stride_slices, flat.halo_slices) == (1, 2 * 5)
    assert flat(torch.zeros(1, 1, 5, 8, 8)).shape == (1, 1, 5, 8, 8)


def test_the_network_of_the_follow_up() -> None:
    network = UNet3d()
    assert (network.stride_slices, network.stride_px) == (8, 8)
    assert network.halo_px == network.halo_slices == 46


def test_options_reach_the_layers() -> None:
    given = {"filters": [2, 3], "pool_slices": [1], "dropout": [0.5, 0.5]}
    network = UNet3d(**given, activation="relu", batch_norm=True, dropout_kind="spatial")
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(nn.ReLU) == kinds.count(nn.BatchNorm3d) == 6
    assert kinds.count(nn.Dropout3d) == 3
    torch.manual_seed(0)
    first = network.encoder[0][3]
    kept = first(torch.ones(1, 64, 2, 4, 4)).flatten(2)
    assert {*kept.amax(2).unique().tolist()} == {*kept.amin(2).unique().tolist()} == {0.0, 2.0}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"filters": 16}, "filters '16'; give a list"),
        ({"filters": [16]}, r"filters '\[16\]'"),
        ({"filters": [16, 0], "pool_slices": [1], "dropout": [0, 0]}, "whole number of at least"),
        ({"pool_slices": [2, 2]}, "pool_slices .* for 4 levels of filters; give a list of 3"),
        ({"pool_slices": [2, 2, 3]}, r"pool_slices '\[2, 2, 3\]'"),
        ({"dropout": [0.1]}, "1 dropout rates for 3 levels"),
    ],
)
def test_bad_options_are_refused(options, sentence) -> None:
    with pytest.raises(ModelError, match=sentence):
        UNet3d(**options)
