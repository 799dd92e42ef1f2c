"""Time the thesis's blending against the loop that was published, and compare what they predict.

On one slice, in turns in one process, by an untrained U-Net (speed does not depend on the weights):

- *loop*: the published routine (benchmarks/thesis_blending.py), a window at a time in plain PyTorch
  (fp32), added up in float64; *loop, batches of 8*: the same, eight windows at a time;
- *loop in float64*: the same, the network too; only with --float64, for it takes minutes;
- *spline ...*: blending by chondria, for each backend and precision: the same windows, the same
  eight views of each;
- *d4*: no windows, the whole slice in its eight views, by the default way to compute it.

The network sees 42 pixels for every one of a slice of 768 x 1024, whoever asks it to, so that a
ratio says how fast windows go through the network: blending of all windows cannot be faster than
the arithmetic allows. Prints seconds, times the loop and the largest difference from the loop's
probabilities; then one line of JSON.

    python benchmarks/blending.py [--data FOLDER] [--filters 32] [--device auto] [--repeats 3]
                                  [--shape 768,1024] [--model NAME] [--float64]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from predict_speed import available, normalised, plain, probabilities, untrained_model
from slices import SLICES, VOXEL_SIZE_NM, find_slices
from thesis_blending import blended_prediction
from timing import interleaved, medians, print_record

import chondria.io
from chondria.allocation import retain_freed_memory
from chondria.inference.device import choose_device, describe_device
from chondria.models import Model, load_model
from chondria.volume import Volume

__all__ = ["main"]

Maps = dict[str, NDArray[np.floating]]


def main() -> None:
    options = parse_options()
    device = choose_device(options.device)
    model = untrained_model(options.filters)
    if options.model:
        model = load_model(options.model).with_card(pixel_size_nm=None)
    retain_freed_memory()
    with tempfile.TemporaryDirectory() as scratch:
        path = find_slices(options.data, 1, Path(scratch))
        volume = chondria.io.open_slices(path, VOXEL_SIZE_NM)
        height, width = map(int, options.shape.split(","))
        volume = volume.with_data(volume.numpy()[:, :height, :width])
    maps: Maps = {}
    seconds = interleaved(make_jobs(model, volume, device, maps, options), options.repeats)
    report(seconds, maps, volume, device, options)


def make_jobs(
    model: Model, volume: Volume, device: torch.device, maps: Maps, options: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """Each job leaves the probabilities that it found in `maps`."""
    image, probability_of = normalised(volume)[0], plain(model, device)
    computes = available(device)
    jobs: dict[str, Callable[[], object]] = {
        "loop": lambda: blended_prediction(probability_of, image),
        "loop, batches of 8": lambda: blended_prediction(probability_of, image, 8),
    }
    if options.float64:
        exact = plain(Model(deepcopy(model.network).double(), model.card), device)
        jobs["loop in float64"] = lambda: blended_prediction(exact, image.astype(np.float64))
    for compute in computes:
        name = f"spline {compute.backend} {compute.precision}"
        jobs[name] = lambda c=compute: probabilities(model, volume, c, blending="spline")[0]
    jobs["d4"] = lambda: probabilities(model, volume, computes[-1], tta="d4")[0]
    return {name: lambda n=name, j=job: maps.update({n: j()}) for name, job in jobs.items()}


def report(
    seconds: dict[str, list[float]],
    maps: Maps,
    volume: Volume,
    device: torch.device,
    options: argparse.Namespace,
) -> None:
    middle = medians(seconds)
    times_loop = {name: middle["loop"] / median for name, median in middle.items()}
    difference = {name: float(np.abs(found - maps["loop"]).max()) for name, found in maps.items()}
    for name, median in middle.items():
        said = f"{name:>20}: {median:8.3f} s, {times_loop[name]:5.2f} times as fast as the loop"
        print(f"{said}, largest difference {difference[name]:.2g}")
    measured = {"times_loop": times_loop, "largest_difference": difference}
    measured |= {"shape": volume.shape, "threads": torch.get_num_threads()}
    print_record(describe_device(device), vars(options), seconds, **measured)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shape", default="768,1024", help="pixels y,x: a part of the slice")
    parser.add_argument("--model", help="a trained model, at the slice's pixels as they are")
    parser.add_argument("--float64", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
