"""What every network says of itself, so that images can be cut for it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from chondria.errors import ShapeError

__all__ = ["Network"]


class Network(nn.Module, ABC):
    """From images (B, C, Y, X) to logits (B, channels_out, Y, X): the sigmoid is outside."""

    @property
    @abstractmethod
    def stride_px(self) -> int:
        """Input height and width must be multiples of this."""

    @property
    @abstractmethod
    def halo_px(self) -> int:
        """Pixels around a block on the grid of `stride_px` that can change the block's output."""

    @property
    @abstractmethod
    def values_per_px(self) -> int:
        """Numbers held at once for each pixel of the input, when it predicts."""

    def check_shape(self, images: Tensor) -> None:
        """Refuse images that are off the grid.

        Raises
        ------
        ShapeError
            If Y or X is no multiple of `stride_px`; names the size to pad to.
        """
        height, width = images.shape[-2:]
        step = self.stride_px
        if height % step or width % step:
            fit = (-(-height // step) * step, -(-width // step) * step)
            raise ShapeError(
                f"Found images of {height}x{width} pixels; this {type(self).__name__} takes "
                f"multiples of {step}: pad to {fit[0]}x{fit[1]}."
            )
