"""Dropout of whole channels, and of single values that costs little on a CPU."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from chondria.networks.options import check_choice

__all__ = ["DropoutKind", "ElementDropout", "make_dropout"]

DropoutKind = Literal["element", "spatial"]

LEVELS = 2**16


class ElementDropout(nn.Dropout):
    """Dropout (Srivastava et al. 2014), decided by 16 random bits for each value.

    PyTorch draws one Bernoulli number at a time on a CPU, which takes up to a fifth of a training
    step of a U-Net (recipes/LOG.md); here one draw of 64 bits decides on four values. The rate is
    rounded to a multiple of 2**-16, and the scale follows the rounded rate. Other devices draw as
    PyTorch does.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Zero some values and scale the others, in training; the identity in evaluation."""
        if not self.training or features.device.type != "cpu":
            return super().forward(features)
        dropped = round(self.p * LEVELS)
        kept = _random_words(features) >= dropped - LEVELS // 2
        return features * kept.to(features.dtype).mul_(LEVELS / (LEVELS - dropped))


def make_dropout(rate: float, kind: DropoutKind, dimensions: int = 2) -> nn.Module:
    """Make the layer that drops single values or whole channels at a rate; nothing at zero."""
    check_choice("dropout_kind", kind, get_args(DropoutKind))
    if rate == 0:
        return nn.Identity()
    if kind == "element":
        return ElementDropout(rate)
    return nn.Dropout2d(rate) if dimensions == 2 else nn.Dropout3d(rate)


def _random_words(like: Tensor) -> Tensor:
    """Draw an independent int16 for each value, in the memory order of a dense tensor."""
    count = like.numel()
    draws = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    words = draws.view(torch.int16)[:count]
    last = torch.channels_last if like.dim() == 4 else torch.channels_last_3d
    if like.dim() in (4, 5) and like.is_contiguous(memory_format=last):
        return words.as_strided(like.size(), like.stride())
    return words.view(like.shape)
