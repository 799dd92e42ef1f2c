"""How to predict: in which views, tiles and precision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from chondria.errors import SettingsError
from chondria.inference.blending import check_window
from chondria.inference.compute import Compute
from chondria.inference.tta import SquareSymmetry, d4_transforms

__all__ = ["Blending", "PredictionSettings", "Tta", "check_views"]

Tta = Literal["none", "d4"]
Blending = Literal["none", "spline"]


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """How to predict.

    Parameters
    ----------
    compute : Compute
        Device, backend and precision.
    tta : {"none", "d4"}
        Whether to average over the eight flips and rotations of the square, at 8 times the cost.
    blending : {"none", "spline"}
        Whether to predict the overlapping windows of `chondria.inference.blending` in their eight
        flips and rotations, as the thesis does, at some 40 times the cost; tiles and margin are
        then of no effect.
    window_px : int
        Width of those windows, a multiple of 16.
    tile_px : int, optional
        Longest edge of what the network sees at once; None takes what half of the available memory
        holds, up to 3072 px. The prediction does not depend on it.
    margin_px : int
        Mirrored pixels around a slice. None by default: networks are trained on patches whose
        borders they see as zeros, and what they find at a border is better so (recipes/LOG.md).
    view : int
        Where nothing is averaged, which of the eight flips and rotations the network sees; 0 is
        the image as it is.
    batch_px : int
        Number of pixels up to which small tiles, and flips and rotations of them, go through the
        network together.
    """

    compute: Compute = field(default_factory=Compute)
    tta: Tta = "none"
    blending: Blending = "none"
    window_px: int = 256
    tile_px: int | None = None
    margin_px: int = 0
    view: int = 0
    batch_px: int = 2**20

    def __post_init__(self) -> None:
        check_views(self.tta, self.blending, self.window_px)

    @property
    def transforms(self) -> tuple[SquareSymmetry, ...]:
        """How the network looks at every tile or window."""
        every = d4_transforms()
        return (every[self.view],) if self.tta == self.blending == "none" else every


def check_views(tta: str, blending: str, window_px: int) -> None:
    """Refuse unknown ways to look at a slice.

    Raises
    ------
    SettingsError
        If the averaging or the blending is unknown, or the windows cannot be halved and pooled.
    """
    for said, found, kinds in (("tta", tta, Tta), ("blending", blending, Blending)):
        if found not in get_args(kinds):
            allowed = " and ".join(get_args(kinds))
            raise SettingsError(f"Found {said} '{found}'; allowed are {allowed}.")
    check_window(window_px)
