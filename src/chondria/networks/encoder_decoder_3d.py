"""Encoder, bottleneck and decoder in three dimensions, along z as coarse as the data asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor, nn

from chondria.errors import ModelError
from chondria.networks.encoder_decoder import Place
from chondria.networks.network import Network
from chondria.networks.options import check_counts, check_widths

__all__ = ["EncoderDecoder3d"]

# Makes a module that keeps the shape and sees 2 voxels around, along every axis.
Block = Callable[[Place], nn.Module]


class EncoderDecoder3d(Network):
    """The shape of a 3-D U-Net (Cicek et al. 2016), with blocks to choose; returns logits.

    Parameters
    ----------
    block : callable
        Makes the block of a place.
    filters : sequence of int
        Channels of each level, the finest first; the last is the bottleneck.
    pool_slices : sequence of int
        For each of the poolings, how many slices become one; in the plane it is always 2.
    channels_in, channels_out : int
        Channels of what the first block sees and of the logits.

    Raises
    ------
    ModelError
        If an option is out of bounds.
    """

    dimensions = 3
    # How far what a variant puts in front of the encoder sees, along every axis.
    stem_px = 0

    def __init__(
        self,
        block: Block,
        *,
        filters: Sequence[int],
        pool_slices: Sequence[int],
        channels_in: int = 1,
        channels_out: int = 1,
    ) -> None:
        super().__init__()
        check_widths(filters)
        check_counts(channels_in=channels_in, channels_out=channels_out)
        _check_pools(pool_slices, len(filters) - 1)
        self.filters = tuple(filters)
        self.pool_slices = tuple(pool_slices)
        levels = range(len(filters) - 1)
        inputs = [channels_in, *filters]
        self.encoder = nn.ModuleList(
            block(Place(inputs[level], filters[level], level)) for level in levels
        )
        self.pools = nn.ModuleList(nn.MaxPool3d((z, 2, 2)) for z in pool_slices)
        self.bottleneck = block(Place(filters[-2], filters[-1], len(levels)))
        self.upsample = nn.ModuleList(
            self.make_upsampling(filters[level + 1], filters[level], pool_slices[level])
            for level in reversed(levels)
        )
        self.decoder = nn.ModuleList(
            block(Place(self.joined_width(filters[level]), filters[level], level, decodes=True))
            for level in reversed(levels)
        )
        self.head = nn.Conv3d(filters[0], channels_out, 1)

    def make_upsampling(self, channels_in: int, channels_out: int, slices: int) -> nn.Module:
        """From one level to the finer one."""
        factors = (slices, 2, 2)
        return nn.ConvTranspose3d(channels_in, channels_out, factors, stride=factors)

    def joined_width(self, width: int) -> int:
        """Channels of what `join` gives at a level of so many."""
        return 2 * width

    def join(self, features: Tensor, skip: Tensor) -> Tensor:
        """Put up-sampled features and the encoder's together."""
        return torch.cat([features, skip], dim=1)

    def stem(self, images: Tensor) -> Tensor:
        """Compute what the first block sees."""
        return images

    @property
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""
        return int(2 ** len(self.pools))

    @property
    def stride_slices(self) -> int:
        """The number of slices must be a multiple of this."""
        return prod(self.pool_slices)

    @property
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output."""
        return self._halo([2] * len(self.pools))

    @property
    def halo_slices(self) -> int:
        """Slices around a block on the grid of `stride_slices` that can change its output."""
        return self._halo(self.pool_slices)

    @property
    def values_per_px(self) -> int:
        """Numbers held at once for each voxel of the input, when it predicts."""
        return 8 * self.filters[0]

    def _halo(self, pools: Sequence[int]) -> int:
        """Count along one axis, from output to input, as `EncoderDecoder.halo_px` does."""
        reach = 0
        for pool in pools:  # decoder, from the finest level down
            reach = -(-(reach + 2) // pool)
        reach += 2
        for pool in reversed(pools):  # encoder, back up
            reach = pool * reach + 2
        return reach + self.stem_px

    def decode(self, images: Tensor) -> list[Tensor]:
        """Compute the features of every decoder level, the coarsest first.

        Raises
        ------
        ShapeError
            If the images are off the grid.
        """
        self.check_shape(images)
        features, skips = self.stem(images), []
        for block, pool in zip(self.encoder, self.pools, strict=True):
            features = block(features)
            skips.append(features)
            features = pool(features)
        features = self.bottleneck(features)
        decoded = []
        for upsample, block in zip(self.upsample, self.decoder, strict=True):
            features = block(self.join(upsample(features), skips.pop()))
            decoded.append(features)
        return decoded

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        images : Tensor, (B, C, Z, Y, X)
            Z a multiple of `stride_slices`, Y and X of `stride_px`.

        Returns
        -------
        Tensor, (B, channels_out, Z, Y, X)
            Logits.

        Raises
        ------
        ShapeError
            If there are other axes, or Z, Y or X is no such multiple.
        """
        logits: Tensor = self.head(self.decode(images)[-1])
        return logits


def _check_pools(pool_slices: Sequence[int], levels: int) -> None:
    whole = isinstance(pool_slices, list | tuple) and all(
        isinstance(pool, int) and pool in (1, 2) for pool in pool_slices
    )
    if not whole or len(pool_slices) != levels:
        raise ModelError(
            f"Found pool_slices '{pool_slices}' for {levels + 1} levels of filters; give a list of "
            f"{levels}, for each pooling 1 (in the plane only) or 2."
        )
