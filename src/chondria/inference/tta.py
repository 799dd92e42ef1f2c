"""Average predictions over the eight flips and rotations of the square (test-time augmentation).

The tissue in a section has no preferred direction, so each of the eight is an equally good view;
their mean probability is less noisy than one (Casser et al. 2018, arXiv:1812.06024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["IDENTITY", "SquareSymmetry", "d4_transforms", "mean_probability"]


@dataclass(frozen=True, slots=True)
class SquareSymmetry:
    """A flip along X, if any, and then a rotation by quarter turns in the plane Y, X.

    Parameters
    ----------
    quarter_turns : int
        Number of turns by 90 degrees from Y towards X, 0 to 3.
    flipped : bool
        Whether X is reversed before.
    """

    quarter_turns: int = 0
    flipped: bool = False

    def apply(self, images: Tensor) -> Tensor:
        """Transform images (..., Y, X); an odd number of quarter turns swaps Y and X."""
        images = images.flip(-1) if self.flipped else images
        return images.rot90(self.quarter_turns, (-2, -1)) if self.quarter_turns else images

    def invert(self, images: Tensor) -> Tensor:
        """Undo `apply`."""
        images = images.rot90(-self.quarter_turns, (-2, -1)) if self.quarter_turns else images
        return images.flip(-1) if self.flipped else images


IDENTITY = SquareSymmetry()


def d4_transforms() -> tuple[SquareSymmetry, ...]:
    """List the eight symmetries of the square (the dihedral group D4), the identity first.

    Returns
    -------
    tuple of SquareSymmetry
        Four rotations, then four rotations of the mirror image.
    """
    return tuple(SquareSymmetry(turns, flipped) for flipped in (False, True) for turns in range(4))


def mean_probability(
    logits_of: Callable[[Tensor], Tensor],
    images: Tensor,
    transforms: Sequence[SquareSymmetry] = (IDENTITY,),
    batch_px: int = 0,
) -> Tensor:
    """Average the probabilities that a network gives to transformed images.

    Parameters
    ----------
    logits_of : callable
        The network: (B, 1, Y, X) to logits (B, channels, Y, X), also with Y and X swapped.
    images : Tensor, (B, 1, Y, X) or (B, 1, Z, Y, X)
        What to predict; need not be square.
    transforms : sequence of SquareSymmetry
        How to look at them, at least one way.
    batch_px : int
        Number of pixels up to which several views go through the network together.

    Returns
    -------
    Tensor of float32, of the shape of the logits
        Mean over the transforms of ``sigmoid(logits)``, computed in float32.
    """
    total: Tensor | None = None
    for group in _groups(transforms, max(1, batch_px // images.numel())):
        logits = logits_of(torch.cat([transform.apply(images) for transform in group]))
        views = torch.chunk(torch.sigmoid(logits.float()), len(group))
        for transform, view in zip(group, views, strict=True):
            probability = transform.invert(view)
            total = probability if total is None else total.add_(probability)
    if total is None:
        raise ValueError("mean_probability needs at least one transform")
    return total.div_(len(transforms)) if len(transforms) > 1 else total


def _groups(transforms: Sequence[SquareSymmetry], size: int) -> Iterator[Sequence[SquareSymmetry]]:
    """Group transforms that give images of one shape, so many at a time."""
    for odd in (0, 1):
        alike = [t for t in transforms if t.quarter_turns % 2 == odd]
        yield from (alike[start : start + size] for start in range(0, len(alike), size))
