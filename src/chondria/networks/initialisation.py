"""First weights of convolutions, as Keras draws them (thesis 6.3.1 and 7.1.2)."""

from __future__ import annotations

from math import prod
from typing import Literal

from torch import Tensor, nn

__all__ = ["Initialisation", "initialise"]

Initialisation = Literal["he_normal", "xavier_uniform", "lecun_normal"]

Convolution = nn.Conv2d | nn.ConvTranspose2d | nn.Conv3d | nn.ConvTranspose3d


def initialise(network: nn.Module, initialisation: Initialisation) -> None:
    """Draw the weights of a network's convolutions as Keras does; biases become zero.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    initialisation : {"he_normal", "xavier_uniform", "lecun_normal"}
        He et al. 2015 (arXiv:1502.01852), Glorot and Bengio 2010, LeCun et al. 1998.
    """
    for module in network.modules():
        if not isinstance(module, Convolution):
            continue
        fan_in = _keras_fan_in(module)
        if initialisation == "he_normal":
            _truncated_normal(module.weight, (2.0 / fan_in) ** 0.5)
        elif initialisation == "lecun_normal":
            _truncated_normal(module.weight, (1.0 / fan_in) ** 0.5)
        else:
            nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _keras_fan_in(module: Convolution) -> int:
    """Kernel size times the last axis but one of Keras's kernel: the output of a transposed."""
    size = prod(module.kernel_size)
    transposed = isinstance(module, nn.ConvTranspose2d | nn.ConvTranspose3d)
    return size * (module.out_channels if transposed else module.in_channels)


def _truncated_normal(weight: Tensor, deviation: float) -> None:
    # Keras cuts at two deviations and widens so that the variance stays what was asked.
    scale = deviation / 0.87962566103423978
    nn.init.trunc_normal_(weight, std=scale, a=-2 * scale, b=2 * scale)
