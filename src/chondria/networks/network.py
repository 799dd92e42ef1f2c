"""What every network says of itself, so that images can be cut for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from chondria.errors import ShapeError

__all__ = ["Network", "memory_format"]


class Network(nn.Module, ABC):
    """From images to logits of the same shape: the sigmoid is outside.

    Images are (B, C, Y, X), or (B, C, Z, Y, X) where `dimensions` is 3.
    """

    dimensions: ClassVar[Literal[2, 3]] = 2

    @property
    @abstractmethod
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""

    @property
    @abstractmethod
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output."""

    @property
    def stride_slices(self) -> int:
        """The number of slices must be a multiple of this."""
        return 1

    @property
    def halo_slices(self) -> int:
        """Slices around a block on the grid of `stride_slices` that can change its output."""
        return 0

    @property
    @abstractmethod
    def values_per_px(self) -> int:
        """Numbers held at once for each pixel (voxel) of the input, when it predicts."""

    def supervised(self, images: Tensor) -> list[tuple[float, Tensor]]:
        """Compute what is compared with the truth in training.

        Parameters
        ----------
        images : Tensor
            As `forward` takes them.

        Returns
        -------
        list of (float, Tensor)
            Weight of the loss, and logits of the shape of the images; a network with auxiliary
            outputs (deep supervision) gives several.
        """
        return [(1.0, self(images))]

    def check_shape(self, images: Tensor) -> None:
        """Refuse images that are off the grid.

        Raises
        ------
        ShapeError
            If there are not as many axes as the network has, or Z, Y or X is no multiple of its
            stride; names the size to pad to.
        """
        name = type(self).__name__
        axes = ("B, C, Z, Y, X" if self.dimensions == 3 else "B, C, Y, X").split(", ")
        if images.dim() != len(axes):
            raise ShapeError(
                f"Found images of shape {tuple(images.shape)}; this {name} takes "
                f"({', '.join(axes)})."
            )
        sizes = images.shape[2:]
        steps = (self.stride_slices, self.stride_px, self.stride_px)[-len(sizes) :]
        if any(n % step for n, step in zip(sizes, steps, strict=True)):
            fit = (-(-n // step) * step for n, step in zip(sizes, steps, strict=True))
            multiples = str(self.stride_px) if len(sizes) == 2 else _by(steps)
            raise ShapeError(
                f"Found images of {_by(sizes)} pixels; this {name} takes multiples of "
                f"{multiples}: pad to {_by(fit)}."
            )


def memory_format(network: nn.Module) -> torch.memory_format:
    """Order of numbers in memory in which the network's convolutions are fastest."""
    volumetric = getattr(network, "dimensions", 2) == 3
    return torch.channels_last_3d if volumetric else torch.channels_last


def _by(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))
