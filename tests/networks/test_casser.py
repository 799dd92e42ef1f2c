"""The network of Casser et al.: what it leaves out, and how it enlarges."""

import torch
from torch import nn

from chondria.networks.casser import CasserUNet, Enlarge


def test_enlarging_repeats_pixels_and_convolves_as_keras_does() -> None:
    enlarge = Enlarge(1, 1)
    with torch.no_grad():
        enlarge.convolution.weight.fill_(1)
        enlarge.convolution.bias.zero_()
    small = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    # Each pixel and those to the right and below of it, zeros beyond the border.
    expected = torch.tensor([[4.0, 6, 8, 4], [8, 10, 12, 6], [12, 14, 16, 8], [6, 7, 8, 4]])
    assert torch.equal(enlarge(small)[0, 0], expected)
    assert torch.equal(enlarge(-small)[0, 0], torch.zeros(4, 4))


def test_the_finest_level_has_no_skip_connection() -> None:
    network = CasserUNet()
    widths = [decoder[0][0].in_channels for decoder in network.decoder]
    assert widths == [2 * 128, 2 * 64, 2 * 32, 16]
    assert [block[0][0].out_channels for block in network.encoder] == [16, 32, 64, 128]


def test_dropout_only_at_the_fourth_level_and_the_bottleneck() -> None:
    network = CasserUNet()
    drops = [module for module in network.modules() if isinstance(module, nn.Dropout)]
    assert [drop.p for drop in drops] == [0.2, 0.2]
    assert isinstance(network.encoder[3][1], nn.Dropout)
    assert isinstance(network.bottleneck[1], nn.Dropout)
    assert not any(isinstance(module, nn.ELU) for module in network.modules())


def test_two_filters_before_the_output() -> None:
    head = CasserUNet().head
    assert (head[0].out_channels, head[0].kernel_size) == (2, (3, 3))
    assert (head[2].in_channels, head[2].out_channels, head[2].kernel_size) == (2, 1, (1, 1))
