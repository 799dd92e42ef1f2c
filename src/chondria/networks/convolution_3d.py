"""The 3x3x3 convolution of the 3-D networks, right for blocks of one or two slices too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Convolution3d"]


class Convolution3d(nn.Conv3d):
    """A 3x3x3 convolution with `same` padding.

    On CPUs that compute with bf16, PyTorch 2.13 (oneDNN) gives no numbers for the output of a
    padded convolution of a single slice, and none for its gradient of two slices. Where a block is
    that thin, as it is between poolings, the zeros around it are laid before the convolution.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B, C, Z, Y, X)."""
        if torch.compiler.is_exporting() or features.shape[2] > 2:
            return super().forward(features)
        thicker = functional.pad(features, (0, 0, 0, 0, 1, 1))
        thicker = thicker.contiguous(memory_format=torch.channels_last_3d)
        return functional.conv3d(thicker, self.weight, self.bias, padding=(0, 1, 1))
