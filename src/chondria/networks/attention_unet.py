"""The U-Net with attention gates on its skip connections."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from chondria.networks.unet import UNet

__all__ = ["AttentionGate", "AttentionUNet"]


class AttentionGate(nn.Module):
    """Additive attention: weigh each pixel of a skip connection by what the decoder has found.

    ``skip * sigmoid(psi(relu(W_x skip + W_g features)))``, all of them 1x1 convolutions
    (Oktay et al. 2018, equations 1 and 2, with the gating signal at the skip's resolution).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(1, width // 2)
        self.of_features = nn.Conv2d(width, inner, 1)
        self.of_skip = nn.Conv2d(width, inner, 1)
        self.weight = nn.Conv2d(inner, 1, 1)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Weigh the skip's pixels; all are (B, C, Y, X)."""
        both = torch.relu(self.of_features(features) + self.of_skip(skip))
        return skip * torch.sigmoid(self.weight(both))


class AttentionUNet(UNet):
    """The thesis's U-Net with an attention gate on every skip connection.

    Options, and errors of bad ones, are those of `UNet`.

    References
    ----------
    .. [1] O. Oktay et al., "Attention U-Net: Learning Where to Look for the Pancreas", MIDL 2018,
       arXiv:1804.03999.
    """

    def make_joins(self, widths: Sequence[int]) -> None:
        """Make a gate for each level, the deepest first."""
        self.gates = nn.ModuleList(AttentionGate(width) for width in reversed(widths[:-1]))

    def join(self, features: Tensor, skip: Tensor, level: int) -> Tensor:
        """Put up-sampled features and the weighed features of the encoder together."""
        gate = self.gates[self.levels - 1 - level]
        return torch.cat([features, gate(features, skip)], dim=1)
