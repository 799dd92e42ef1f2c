"""How a volume is cut into tiles or windows, and which arrays fit each other."""

from __future__ import annotations

import numpy as np
from torch import nn

from chondria.errors import ModelError, SettingsError, ShapeError
from chondria.inference.blending import check_window, window_grid
from chondria.inference.memory import roomy_tile_px
from chondria.inference.prediction_settings import PredictionSettings
from chondria.io.slabs import ArraySink
from chondria.tiling import Tile, tile_grid
from chondria.volume import ArraySource

__all__ = ["check_arrays", "layout"]

# What a network says of itself.
GEOMETRY = ("stride_px", "halo_px", "values_per_px")


def check_arrays(source: ArraySource, sink: ArraySink) -> None:
    """Refuse a sink that does not fit.

    Raises
    ------
    ShapeError
        If source and sink are not two volumes of one shape.
    SettingsError
        If the sink is neither of floats nor of bytes.
    """
    if len(source.shape) != 3 or tuple(source.shape) != tuple(sink.shape):
        raise ShapeError(
            f"Found a source of shape {tuple(source.shape)} and a sink of shape "
            f"{tuple(sink.shape)}; both must be the same volume (Z, Y, X)."
        )
    dtype = np.dtype(sink.dtype)
    if dtype.kind != "f" and dtype != np.uint8:
        raise SettingsError(
            f"Found a probability map of type {dtype}; allowed are float32 (0 to 1) and "
            "uint8 (0 to 255)."
        )


def layout(
    network: nn.Module, shape_yx: tuple[int, ...], settings: PredictionSettings, slices: int = 1
) -> list[Tile]:
    """Lay out the tiles of one slice, or of a block of slices, or windows to blend.

    Raises
    ------
    ModelError
        If the network does not say its geometry.
    SettingsError
        If tiles have no room within the network's halo.
    """
    missing = [name for name in GEOMETRY if not hasattr(network, name)]
    if missing:
        raise ModelError(
            f"Found a network {type(network).__name__} without {', '.join(missing)}; give it "
            "these attributes so that tiles can be laid out."
        )
    stride_px, halo_px, values_per_px = (int(getattr(network, name)) for name in GEOMETRY)
    height, width = (int(n) for n in shape_yx)
    if settings.blending == "spline":
        check_window(settings.window_px, stride_px)
        return window_grid((height, width), settings.window_px)
    tile_px = settings.tile_px
    if tile_px is None:
        smallest_px = 4 * (halo_px + stride_px)
        tile_px = roomy_tile_px(settings.compute, values_per_px * slices, smallest_px)
    return tile_grid(
        (height, width),
        tile_px,
        halo_px=halo_px,
        stride_px=stride_px,
        margin_px=settings.margin_px,
    )
