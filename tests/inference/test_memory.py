"""Tiles are as wide as the memory allows, within reason."""

import psutil
import pytest
import torch

from chondria.inference import memory
from chondria.inference.compute import Compute
from chondria.inference.memory import LARGEST_TILE_PX, available_bytes, roomy_tile_px
from chondria.tiling import tile_grid


@pytest.mark.parametrize(
    ("available", "precision", "expected"),
    [
        (2 * 4 * 100 * 1000**2, "fp32", 1000),
        (2 * 2 * 100 * 1000**2, "bf16", 1000),
        (10**15, "fp32", LARGEST_TILE_PX),
        (10**6, "fp32", 440),
    ],
)
def test_half_of_the_available_memory(monkeypatch, available, precision, expected) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda _: available)
    compute = Compute(precision=precision)
    assert roomy_tile_px(compute, values_per_px=100, smallest_px=440) == expected


def test_the_machine_has_memory() -> None:
    found = available_bytes(torch.device("cpu"))
    assert 10**6 < found <= psutil.virtual_memory().total


@pytest.mark.parametrize("side", [4096, 10_000, 16_384])
def test_the_widest_tiles_compute_little_twice(side) -> None:
    tiles = tile_grid((side, side), LARGEST_TILE_PX, halo_px=94, stride_px=16)
    height, width = tiles[0].read_shape
    assert len(tiles) * height * width < 1.15 * side**2
