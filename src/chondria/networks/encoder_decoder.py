"""Encoder, bottleneck and decoder: what the U-Nets share, whatever their blocks are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from chondria.networks.network import Network
from chondria.networks.options import check_choice, check_counts

__all__ = ["Block", "EncoderDecoder", "Place", "Pooling"]

Pooling = Literal["max", "average"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands: its channels, its level (0 is the finest), and on which side."""

    channels_in: int
    channels_out: int
    level: int
    decodes: bool = False


# Makes a module that keeps the shape and sees 2 px around.
Block = Callable[[Place], nn.Module]


class EncoderDecoder(Network):
    """The shape of a U-Net (Ronneberger et al. 2015), with blocks to choose; returns logits.

    Each encoder level is a block followed by 2x2 pooling; the decoder up-samples by a 2x2
    transposed convolution of stride 2 without activation, joins the encoder's features and runs
    another block. A 1x1 convolution gives the logits.

    Parameters
    ----------
    block : callable
        Makes the block of a place.
    filters : int
        Channels of the first level; they double at every level.
    levels : int
        Number of poolings.
    channels_in, channels_out : int
        Channels of the input image and of the logits.
    pooling : {"max", "average"}
        Between levels.

    Raises
    ------
    ModelError
        If an option is unknown or out of bounds.
    """

    # How far what a variant puts in front of each up-sampling and behind the decoder sees.
    upsampled_px = 0
    head_px = 0

    def __init__(
        self,
        block: Block,
        *,
        filters: int,
        levels: int,
        channels_in: int = 1,
        channels_out: int = 1,
        pooling: Pooling = "max",
    ) -> None:
        super().__init__()
        check_counts(
            filters=filters, levels=levels, channels_in=channels_in, channels_out=channels_out
        )
        check_choice("pooling", pooling, get_args(Pooling))
        self.levels = levels
        widths = [filters * 2**level for level in range(levels + 1)]
        inputs = [channels_in, *widths[:-1]]
        self.encoder = nn.ModuleList(
            block(Place(inputs[level], widths[level], level)) for level in range(levels)
        )
        self.pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
        self.bottleneck = block(Place(widths[-2], widths[-1], levels))
        up = range(levels - 1, -1, -1)
        self.upsample = nn.ModuleList(
            self.make_upsampling(widths[level + 1], widths[level]) for level in up
        )
        self.decoder = nn.ModuleList(
            block(Place(self.joined_width(widths, level), widths[level], level, decodes=True))
            for level in up
        )
        self.make_joins(widths)
        self.head = self.make_head(widths[0], channels_out)

    def make_joins(self, widths: Sequence[int]) -> None:
        """Make what `join` needs, if anything."""

    def make_upsampling(self, channels_in: int, channels_out: int) -> nn.Module:
        """From one level to the finer one."""
        return nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2)

    def joined_width(self, widths: Sequence[int], level: int) -> int:
        """Channels of what `join` gives at a level."""
        return 2 * widths[level]

    def make_head(self, channels_in: int, channels_out: int) -> nn.Module:
        """From the finest features to logits."""
        return nn.Conv2d(channels_in, channels_out, 1)

    def join(self, features: Tensor, skip: Tensor, level: int) -> Tensor:
        """Put up-sampled features and the encoder's together."""
        return torch.cat([features, skip], dim=1)

    @property
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""
        return int(2**self.levels)

    @property
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output.

        Counted along the path from output to input: two 3x3 convolutions reach 2 pixels of their
        level, and what is reached of a level is rounded up to whole pixels of the coarser one.
        """
        reach = self.head_px
        for _ in range(self.levels):  # decoder, from the finest level down
            reach = (reach + 2 + self.upsampled_px + 1) // 2
        reach += 2
        for _ in range(self.levels):  # encoder, back up
            reach = 2 * reach + 2
        return reach

    @property
    def values_per_px(self) -> int:
        """Numbers held at once for each pixel of the input, when it predicts.

        Measured 4.3 to 7.5 for each filter of the first level, by backend and precision
        (recipes/LOG.md): the finest decoder level holds its skip connection, the concatenation
        and a convolution's output.
        """
        first = next(module for module in self.modules() if isinstance(module, nn.Conv2d))
        return 8 * first.out_channels

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        images : Tensor, (B, C, Y, X)
            Y and X multiples of `stride_px`.

        Returns
        -------
        Tensor, (B, channels_out, Y, X)
            Logits.

        Raises
        ------
        ShapeError
            If Y or X is no multiple of `stride_px`.
        """
        self.check_shape(images)
        features, skips = images, []
        for block in self.encoder:
            features = block(features)
            skips.append(features)
            features = self.pool(features)
        features = self.bottleneck(features)
        for upsample, block in zip(self.upsample, self.decoder, strict=True):
            skip = skips.pop()
            features = block(self.join(upsample(features), skip, len(skips)))
        logits: Tensor = self.head(features)
        return logits
