"""Time `segment`, from files to run folder, against the bare forward pass of its network.

Times, interleaved in one process: the *job*, from PNG slices on disk to a run folder with labels,
probabilities, table and picture, and the *bare* forward pass of the same network over the same
whole slices, which are ready in memory as float tensors, by the same backend at the same precision.
Once on the slices' own grid, so that both see the same pixels, and once as the shipped model works:
the job resampled to the model's pixel size, the bare pass over the resampled slices. Prints the
ratios of the medians, then one line of JSON.

    python benchmarks/predict_overhead.py [--data FOLDER] [--slices N] [--model NAME]
                                          [--precision bf16|fp32] [--backend torch|openvino]
                                          [--repeats 5]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from slices import VOXEL_SIZE_NM, find_slices, prediction_parser
from timing import interleaved, medians, print_record
from torch import nn

import chondria.io
from chondria.allocation import retain_freed_memory
from chondria.data.normalize import measure_normalisation
from chondria.data.resample import resample_slices
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.inference.backends import ready_network
from chondria.inference.compute import Compute, choose_compute
from chondria.inference.volumes import model_grid
from chondria.models import DEFAULT_MODEL, Model, load_model

__all__ = ["main"]


def main() -> None:
    options = parse_options()
    retain_freed_memory()
    compute = choose_compute(options.device, options.precision, options.backend)
    model = load_model(options.model)
    own_grid = model.with_card(pixel_size_nm=None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slices = find_slices(options.data, options.slices, folder)
        print(f"{len(slices)} slices, {options.model}, {compute}, {options.repeats} repeats")
        volume = chondria.io.open_slices(slices, VOXEL_SIZE_NM)
        own = ready_tensors(volume.numpy(), compute.device)
        shape = model_grid(model, volume)
        small = ready_tensors(resample_slices(volume.numpy(), shape), compute.device)
        seconds = interleaved(
            {
                "bare, slices' grid": lambda: bare_forward(model.network, own, compute),
                "job, slices' grid": lambda: run_job(own_grid, slices, folder, compute),
                "bare, model's grid": lambda: bare_forward(model.network, small, compute),
                "job, model's grid": lambda: run_job(model, slices, folder, compute),
            },
            options.repeats,
        )
    report(seconds, len(slices), compute, vars(options))


def run_job(model: Model, slices: list[Path], scratch: Path, compute: Compute) -> None:
    """The job that is timed: everything between the files of a user and the folder they get."""
    target = scratch / "run"
    chosen = SegmentationSettings(
        measures="size",
        device=str(compute.device),
        precision=compute.precision,
        backend=compute.backend,
    )
    volume = chondria.io.open_slices(slices, VOXEL_SIZE_NM)
    segment(model, volume, target, chosen, format="png-slices")
    shutil.rmtree(target)


def bare_forward(network: nn.Module, tensors: list[torch.Tensor], compute: Compute) -> None:
    """The least that any job must do."""
    with ready_network(network, compute) as logits_of:
        for tensor in tensors:
            logits_of(tensor)


def ready_tensors(pixels: NDArray[Any], device: torch.device) -> list[torch.Tensor]:
    """Whole slices as (1, 1, Y, X), cut to multiples of 16 if they are not."""
    y, x = (n // 16 * 16 for n in pixels.shape[1:])
    normalize = measure_normalisation(pixels)
    images = torch.from_numpy(normalize(pixels[:, None, :y, :x]))
    return [
        image[None].to(device, memory_format=torch.channels_last, copy=True) for image in images
    ]


def report(
    seconds: dict[str, list[float]], slices: int, compute: Compute, options: dict[str, Any]
) -> None:
    middle = medians(seconds)
    for name, values in seconds.items():
        low, median, high = (s / slices for s in (min(values), middle[name], max(values)))
        print(f"{name}: {median:.3f} s per slice (from {low:.3f} to {high:.3f})")
    ratios = {}
    for grid in ("slices' grid", "model's grid"):
        ratios[grid] = middle[f"job, {grid}"] / middle[f"bare, {grid}"]
        print(f"ratio on the {grid}: {ratios[grid]:.3f}")
    ratios["literal"] = middle["job, model's grid"] / middle["bare, slices' grid"]
    print(
        f"job as shipped against the bare pass over the slices as they are: {ratios['literal']:.3f}"
    )
    print_record(str(compute), options, seconds, slices=slices, ratio=ratios)


def parse_options() -> argparse.Namespace:
    parser = prediction_parser(__doc__)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    return parser.parse_args()


if __name__ == "__main__":
    main()
