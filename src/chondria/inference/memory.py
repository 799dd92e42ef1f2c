"""How large a tile the memory of a device holds."""

from __future__ import annotations

import math

import psutil
import torch

from chondria.inference.compute import Compute

__all__ = ["LARGEST_TILE_PX", "available_bytes", "roomy_tile_px"]

# Tiles of this width compute 14 % of their pixels twice for a U-Net of four levels (a halo of 94
# px on a grid of 16); wider ones save little.
LARGEST_TILE_PX = 3072
# The rest is for images, probabilities and whatever else runs.
SHARE = 0.5
VALUE_BYTES = {"fp32": 4, "bf16": 2, "int8": 2}


def roomy_tile_px(compute: Compute, values_per_px: int, smallest_px: int) -> int:
    """Choose the widest square tile that fits into half of the memory that is available.

    Parameters
    ----------
    compute : Compute
        Device and precision.
    values_per_px : int
        Numbers that the network holds at once for each pixel of its input.
    smallest_px : int
        Width below which tiles make no sense; taken whatever the memory.

    Returns
    -------
    int
        Width in pixels, at most `LARGEST_TILE_PX`.
    """
    per_px = values_per_px * VALUE_BYTES[compute.precision]
    fits = math.isqrt(int(SHARE * available_bytes(compute.device)) // per_px)
    return max(smallest_px, min(LARGEST_TILE_PX, fits))


def available_bytes(device: torch.device) -> int:
    """Tell how much memory of a device can still be taken."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
