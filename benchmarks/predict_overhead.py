"""Time `segment`, from files to run folder, against the bare forward pass of its network.

Times, interleaved in one process: the *job*, from PNG slices on disk to a run folder with labels,
probabilities, table and picture, and the *bare* forward pass of the same network over the same
whole slices, which are ready in memory as float tensors, at the same precision (channels-last,
autocast, inference mode). Once on the slices' own grid, so that both see the same pixels, and once
as the shipped model works: the job resampled to the model's pixel size, the bare pass over the
resampled slices. Prints the ratios of the medians, then one line of JSON.

    python benchmarks/predict_overhead.py [--data FOLDER] [--slices N] [--model NAME]
                                          [--precision bf16|fp32] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
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
from chondria.allocation import retain_freed_memory
from chondria.data.normalize import measure_normalisation
from chondria.data.resample import resample_slices
from chondria.experiments.segmentation import segment
from chondria.experiments.volume_segmentation import SegmentationSettings
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.inference.predict import PredictionSettings
from chondria.inference.volumes import model_grid
from chondria.models import DEFAULT_MODEL, Model, load_model
from chondria.volume import Volume

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("CHONDRIA_DATA", ROOT.parent / "shared" / "data"))
VOXEL_SIZE_NM = (5.0, 5.0, 5.0)


def main() -> None:
    options = parse_options()
    retain_freed_memory()
    device = choose_device(options.device)
    settings = PredictionSettings(device, choose_precision(options.precision, device))
    model = load_model(options.model)
    own_grid = model.with_card(pixel_size_nm=None)
    network: Any = model.network
    network.to(device, memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slices = find_slices(options.data, options.slices, folder)
        print(f"{len(slices)} slices, {options.model}, {settings.precision},", end=" ")
        print(f"{describe_device(device)}, {options.repeats} repeats")
        volume = chondria.io.open_slices(slices, VOXEL_SIZE_NM)
        own = ready_tensors(volume.numpy(), device)
        shape = model_grid(model, volume)
        small = ready_tensors(resample_slices(volume.numpy(), shape), device)
        seconds = interleaved(
            {
                "bare, slices' grid": lambda: bare_forward(network, own, settings),
                "job, slices' grid": lambda: run_job(own_grid, slices, folder, settings),
                "bare, model's grid": lambda: bare_forward(network, small, settings),
                "job, model's grid": lambda: run_job(model, slices, folder, settings),
            },
            options.repeats,
        )
    report(seconds, len(slices), device, vars(options) | {"precision": settings.precision})


def run_job(model: Model, slices: list[Path], scratch: Path, settings: PredictionSettings) -> None:
    """The job that is timed: everything between the files of a user and the folder they get."""
    target = scratch / "run"
    chosen = SegmentationSettings(device=str(settings.device), precision=settings.precision)
    volume = chondria.io.open_slices(slices, VOXEL_SIZE_NM)
    segment(model, volume, target, chosen, format="png-slices")
    shutil.rmtree(target)


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


def ready_tensors(pixels: NDArray[Any], device: torch.device) -> list[torch.Tensor]:
    """Whole slices as (1, 1, Y, X), cut to multiples of 16 if they are not."""
    y, x = (n // 16 * 16 for n in pixels.shape[1:])
    normalize = measure_normalisation(pixels)
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
    for name, values in seconds.items():
        low, middle, high = (s / slices for s in (min(values), medians[name], max(values)))
        print(f"{name}: {middle:.3f} s per slice (from {low:.3f} to {high:.3f})")
    ratios = {}
    for grid in ("slices' grid", "model's grid"):
        ratios[grid] = medians[f"job, {grid}"] / medians[f"bare, {grid}"]
        print(f"ratio on the {grid}: {ratios[grid]:.3f}")
    ratios["literal"] = medians["job, model's grid"] / medians["bare, slices' grid"]
    print(
        f"job as shipped against the bare pass over the slices as they are: {ratios['literal']:.3f}"
    )
    record = {
        "machine": {"device": describe_device(device), "system": platform.platform()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "options": {name: str(value) for name, value in options.items()},
        "slices": slices,
        "median_s": medians,
        "spread_s": {name: [min(values), max(values)] for name, values in seconds.items()},
        "ratio": ratios,
    }
    print(json.dumps(record))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "lucchi++" / "test" / "images")
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
