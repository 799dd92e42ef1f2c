"""Time a whole prediction job against the bare forward pass of its network.

Times, interleaved in one process: the *job*, from PNG slices on disk to a probability map in an
OME-Zarr on disk, and the *bare* forward pass of the same network over the same whole slices,
which are ready in memory as float tensors, at the same precision (channels-last, autocast,
inference mode). Prints the ratio of the medians, then one line of JSON.

    python benchmarks/predict_overhead.py [--data FOLDER] [--slices N] [--filters 32]
                                          [--precision bf16|fp32] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import nn

import chondria.io
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.inference.predict import PredictionSettings, predict
from chondria.networks.catalog import build_network
from chondria.volume import Volume

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("CHONDRIA_DATA", ROOT.parent / "shared" / "data"))
VOXEL_SIZE_NM = (5.0, 5.0, 5.0)


def main() -> None:
    options = parse_options()
    device = choose_device(options.device)
    settings = PredictionSettings(device, choose_precision(options.precision, device))
    torch.manual_seed(0)
    network: Any = build_network("unet", filters=options.filters).eval()
    network.to(device, memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        slices = find_slices(options.data, options.slices, Path(folder))
        print(f"{len(slices)} slices, U-Net {options.filters}, {settings.precision},", end=" ")
        print(f"{describe_device(device)}, {options.repeats} repeats")
        tensors = ready_tensors(slices, device)
        seconds = interleaved(
            {
                "bare": lambda: bare_forward(network, tensors, settings),
                "job": lambda: run_job(network, slices, Path(folder) / "job.zarr", settings),
            },
            options.repeats,
        )
    report(seconds, len(slices), device, vars(options) | {"precision": settings.precision})


def run_job(
    network: nn.Module, slices: list[Path], target: Path, settings: PredictionSettings
) -> None:
    """The job that is timed: everything between the files of a user and the file they get."""
    source = chondria.io.open_slices(slices, VOXEL_SIZE_NM)
    with chondria.io.create_volume(
        target, source.shape, np.uint8, VOXEL_SIZE_NM, overwrite=True
    ) as sink:
        predict(network, source.data, sink, normalize=normalize, settings=settings)


@torch.inference_mode()
def bare_forward(
    network: nn.Module, tensors: list[torch.Tensor], settings: PredictionSettings
) -> None:
    """The least that any job must do."""
    bf16 = settings.precision == "bf16"
    with torch.autocast(settings.device.type, torch.bfloat16, enabled=bf16):
        for tensor in tensors:
            network(tensor)
    if settings.device.type == "cuda":
        torch.cuda.synchronize()


def normalize(pixels: NDArray[Any]) -> NDArray[np.float32]:
    scaled = (pixels.astype(np.float32) / 255 - 0.5) / 0.2
    return scaled.astype(np.float32, copy=False)


def ready_tensors(slices: list[Path], device: torch.device) -> list[torch.Tensor]:
    """Whole slices as (1, 1, Y, X), cut to multiples of 16 if they are not."""
    pixels = chondria.io.open_slices(slices, VOXEL_SIZE_NM).numpy()
    y, x = (n // 16 * 16 for n in pixels.shape[1:])
    images = torch.from_numpy(normalize(pixels[:, None, :y, :x]))
    return [
        image[None].to(device, memory_format=torch.channels_last, copy=True) for image in images
    ]


def find_slices(folder: Path, count: int, scratch: Path) -> list[Path]:
    """The first slices of a folder, or as many of smoothed noise if there is no such folder."""
    if folder.is_dir():
        return sorted(folder.glob("*.png"))[:count]
    print(f"NOTE: no slices at {folder}; timing slices of smoothed noise, 768 x 1024, instead")
    noise = np.random.default_rng(0).normal(size=(count, 768, 1024)).astype(np.float32)
    grey = np.clip(128 + 400 * gaussian_filter(noise, (0, 3, 3)), 0, 255).astype(np.uint8)
    target = chondria.io.save_volume(Volume(grey, VOXEL_SIZE_NM), scratch / "noise", "png-slices")
    return sorted(target.glob("*.png"))


def interleaved(jobs: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each job, taking turns after one unrecorded round."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn > 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def report(
    seconds: dict[str, list[float]], slices: int, device: torch.device, options: dict[str, Any]
) -> None:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["job"] / medians["bare"]
    pairs = [job / bare for job, bare in zip(seconds["job"], seconds["bare"], strict=True)]
    for name, values in seconds.items():
        low, middle, high = (s / slices for s in (min(values), medians[name], max(values)))
        print(f"{name:>5}: {middle:.3f} s per slice (from {low:.3f} to {high:.3f})")
    print(f"ratio: {ratio:.3f} (of single rounds from {min(pairs):.3f} to {max(pairs):.3f})")
    record = {
        "machine": {"device": describe_device(device), "system": platform.platform()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "options": {name: str(value) for name, value in options.items()},
        "slices": slices,
        "median_s": medians,
        "spread_s": {name: [min(values), max(values)] for name, values in seconds.items()},
        "ratio": ratio,
    }
    print(json.dumps(record))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "lucchi++" / "test" / "images")
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
