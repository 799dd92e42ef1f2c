"""Time prediction over the size of slices and over their number: its cost should be a line.

Predicts mirror images of one slice by an untrained U-Net, from memory to memory: slices of 512 px
square and larger, as many as make `--megapixels` in a run, and then 1 to `--most-slices` slices of
512 px. Prints seconds per megapixel, raw and without the fixed cost of a call (the intercept of a
line through the runs), then one line of JSON.

    python benchmarks/linear_cost.py [--data FOLDER] [--filters 16] [--largest 16384]
                                     [--most-slices 1000] [--megapixels 16] [--repeats 5]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from slices import find_slices, prediction_parser
from timing import interleaved, medians, print_record
from torch import nn

from chondria.allocation import retain_freed_memory
from chondria.data.normalize import measure_normalisation
from chondria.inference.compute import Compute, choose_compute
from chondria.inference.predict import predict
from chondria.inference.prediction_settings import PredictionSettings
from chondria.io.png import read_png
from chondria.networks.catalog import build_network

__all__ = ["main"]

SMALLEST_PX = 512


def main() -> None:
    options = parse_options()
    retain_freed_memory()
    compute = choose_compute(options.device, options.precision, options.backend)
    network = build_network("unet", filters=options.filters).eval()
    with tempfile.TemporaryDirectory() as scratch:
        pixels = read_png(find_slices(options.data, 1, Path(scratch))[0])
    shapes = wanted_shapes(options)
    print(f"U-Net {options.filters}, {compute}, {options.repeats} repeats")
    jobs = {}
    for shape in shapes:
        name = " x ".join(map(str, shape))
        jobs[name] = lambda s=shape: run(network, pixels, s, compute)
    seconds = interleaved(jobs, options.repeats)
    report(seconds, shapes, compute, options)


def wanted_shapes(options: argparse.Namespace) -> list[tuple[int, int, int]]:
    """Growing slices, at least as many as fill a run, and then growing numbers of small ones."""
    shapes = []
    side = SMALLEST_PX
    while side <= options.largest:
        shapes.append((max(1, round(options.megapixels * 1e6 / side**2)), side, side))
        side *= 2
    count = 1
    while count <= options.most_slices:
        shapes.append((count, SMALLEST_PX, SMALLEST_PX))
        count *= 10
    return list(dict.fromkeys(shapes))


def run(
    network: nn.Module, pixels: NDArray[np.uint8], shape: tuple[int, int, int], compute: Compute
) -> None:
    pad = [(0, max(0, n - have)) for n, have in zip(shape[1:], pixels.shape, strict=True)]
    image = np.pad(pixels, pad, mode="reflect")[: shape[1], : shape[2]]
    source = np.broadcast_to(image, shape)
    sink = np.empty(shape, np.uint8)
    normalize = measure_normalisation(pixels[None])
    predict(network, source, sink, normalize=normalize, settings=PredictionSettings(compute))


def report(
    seconds: dict[str, list[float]],
    shapes: list[tuple[int, int, int]],
    compute: Compute,
    options: argparse.Namespace,
) -> None:
    megapixels = np.array([np.prod(shape) / 1e6 for shape in shapes])
    times = np.array(list(medians(seconds).values()))
    # Weighted by the pixels, so that every run's error counts relative to its length.
    slope, fixed = np.polyfit(megapixels, times, 1, w=1 / megapixels)
    rates = (times - fixed) / megapixels
    for name, time, raw, rate in zip(seconds, times, times / megapixels, rates, strict=True):
        print(f"{name:>20}: {time:8.3f} s, {raw:.4f} s/Mpx, {rate:.4f} without the fixed cost")
    spread = float(rates.max() / rates.min() - 1)
    print(f"fixed cost {fixed:.3f} s, then {slope:.4f} s/Mpx, which varies by {spread:.1%}")
    print_record(
        str(compute), vars(options), seconds, fixed_s=fixed, s_per_megapixel=slope, spread=spread
    )


def parse_options() -> argparse.Namespace:
    parser = prediction_parser(__doc__)
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--largest", type=int, default=16384)
    parser.add_argument("--most-slices", type=int, default=1000)
    parser.add_argument("--megapixels", type=float, default=16)
    return parser.parse_args()


if __name__ == "__main__":
    main()
