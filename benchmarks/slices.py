"""The slices that predictions are timed on: real ones, or noise where there are none."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.ndimage import gaussian_filter
from timing import options_parser

import chondria.io
from chondria.inference.compute import Backend
from chondria.volume import Volume

__all__ = ["SLICES", "VOXEL_SIZE_NM", "find_slices", "prediction_parser"]

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("CHONDRIA_DATA", ROOT.parent / "shared" / "data"))
SLICES = DATA / "lucchi++" / "test" / "images"
VOXEL_SIZE_NM = (5.0, 5.0, 5.0)


def prediction_parser(described: str | None) -> ArgumentParser:
    """Options that the benchmarks of prediction share."""
    parser = options_parser(described)
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--backend", choices=["auto", *get_args(Backend)], default="auto")
    return parser


def find_slices(folder: Path, count: int, scratch: Path) -> list[Path]:
    """The first slices of a folder, or as many of smoothed noise if there is no such folder."""
    if folder.is_dir():
        return sorted(one for one in folder.iterdir() if one.suffix in (".png", ".tif"))[:count]
    print(f"NOTE: no slices at {folder}; timing slices of smoothed noise, 768 x 1024, instead")
    noise = np.random.default_rng(0).normal(size=(count, 768, 1024)).astype(np.float32)
    grey = np.clip(128 + 400 * gaussian_filter(noise, (0, 3, 3)), 0, 255).astype(np.uint8)
    target = chondria.io.save_volume(Volume(grey, VOXEL_SIZE_NM), scratch / "noise", "png-slices")
    return sorted(target.glob("*.png"))
