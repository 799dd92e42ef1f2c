"""First weights have the spread that Keras gives them."""

import math

import pytest
import torch
from torch import nn

from chondria.networks.unet import UNet


def convolutions(network: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def keras_fans(module: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int]:
    """Fans in and out as Keras counts them: of a transposed kernel (h, w, out, in), reversed."""
    area = math.prod(module.kernel_size)
    fans = area * module.in_channels, area * module.out_channels
    return fans if isinstance(module, nn.Conv2d) else fans[::-1]


@pytest.mark.parametrize(("kind", "gain"), [("he_normal", 2.0), ("lecun_normal", 1.0)])
def test_normal_weights_have_keras_deviation_and_cut(kind, gain) -> None:
    torch.manual_seed(0)
    for module in convolutions(UNet(initialisation=kind)):
        deviation = math.sqrt(gain / keras_fans(module)[0])
        count = module.weight.numel()
        assert module.bias.abs().max() == 0
        assert module.weight.abs().max() <= 2 * deviation / 0.8796 + 1e-6
        assert abs(module.weight.mean()) < 5 * deviation / math.sqrt(count)
        if count > 1000:
            assert module.weight.std().item() == pytest.approx(deviation, rel=4 / math.sqrt(count))
            # Truncated and not clipped: nothing piles up at the cut.
            at_cut = module.weight.abs() > 0.999 * 2 * deviation / 0.8796
            assert at_cut.float().mean() < 0.005


def test_uniform_weights_have_glorots_bound() -> None:
    torch.manual_seed(0)
    for module in convolutions(UNet(initialisation="xavier_uniform")):
        bound = math.sqrt(6 / sum(keras_fans(module)))
        count = module.weight.numel()
        assert module.bias.abs().max() == 0
        assert module.weight.abs().max() <= bound
        if count > 1000:
            assert module.weight.abs().max() > 0.98 * bound
            assert module.weight.std().item() == pytest.approx(
                bound / 3**0.5, rel=4 / math.sqrt(count)
            )
