"""Where the time goes: PyTorch's profiler over training steps or over a prediction.

Prints the operations that take the most time by themselves, each with its share.

    python benchmarks/profile_hot_paths.py training|prediction [--filters 32] [--patch 256]
                                           [--batch 6] [--steps 4] [--dropout element|none]
                                           [--top 15]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import Normalisation
from chondria.data.patches import PatchSampler
from chondria.data.splits import block_split
from chondria.data.training_volume import TrainingVolume
from chondria.inference.compute import choose_compute
from chondria.inference.device import choose_precision
from chondria.inference.predict import predict
from chondria.inference.prediction_settings import PredictionSettings
from chondria.networks.catalog import build_network
from chondria.networks.unet import UNet
from chondria.training.plan import TrainingPlan
from chondria.training.train import train

__all__ = ["main"]


def main() -> None:
    options = parse_options()
    job = training(options) if options.job == "training" else prediction(options)
    job()  # what happens once is no hot path
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        job()
    events = profiled.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    events = sorted(events, key=lambda event: event.self_cpu_time_total, reverse=True)
    for event in events[: options.top]:
        share = event.self_cpu_time_total / total
        print(
            f"{share:6.1%}  {event.self_cpu_time_total / 1e6:7.3f} s  {event.count:6d}  {event.key}"
        )


def network_of(options: argparse.Namespace) -> UNet:
    given = {} if options.dropout == "element" else {"dropout": [0.0] * 5}
    return build_network("unet", filters=options.filters, **given)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def training(options: argparse.Namespace) -> Callable[[], object]:
    images = noise(4, 768, 1024)
    volume = TrainingVolume.from_arrays(
        "noise", images, images > 127, Normalisation(128.0, 74.0), block_split(4, 0, 0)
    )
    sampler = PatchSampler([volume], options.patch, options.batch, AUGMENTATIONS["em"])
    precision = choose_precision("auto", torch.device("cpu"))
    plan = TrainingPlan(options.steps, validate_every=options.steps, precision=precision)
    network = network_of(options)
    return lambda: train(network, sampler, plan)


def prediction(options: argparse.Namespace) -> Callable[[], object]:
    source, network = noise(2, 768, 1024), network_of(options)
    sink, normal = np.empty(source.shape, np.uint8), Normalisation(128.0, 74.0)
    settings = PredictionSettings(choose_compute("cpu", backend="torch"))
    return lambda: predict(network, source, sink, normalize=normal, settings=settings)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", choices=["training", "prediction"])
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--patch", type=int, default=256)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--dropout", choices=["element", "none"], default="element")
    parser.add_argument("--top", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    main()
