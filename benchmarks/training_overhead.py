"""Time the training loop against a bare loop over the same network with ready batches.

Times, interleaved in one process: `chondria.training.train.train` as it is (sampler, augmentation
"em", network, loss, optimizer, checks; no validation) and the *bare* loop of forward pass, loss,
backward pass and optimizer step over one batch that is ready in memory, at the same precision
(channels-last, autocast). The volumes are synthetic tissue in memory, or Lucchi++ where
CHONDRIA_DATA names a folder that holds it. Prints the ratio, then one line of JSON.

    python benchmarks/training_overhead.py [--filters 16] [--patch 256] [--batch 6] [--steps 10]
                                           [--precision bf16|fp32] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import chondria.io
from chondria import __version__
from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import measure_normalisation
from chondria.data.patches import PatchSampler, TrainingVolume
from chondria.data.phantom import make_phantom
from chondria.data.splits import block_split
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.networks.catalog import build_network
from chondria.training.losses import LOSSES
from chondria.training.optimizers import build_optimizer
from chondria.training.train import TrainingPlan, train

__all__ = ["main"]


def main() -> None:
    options = parse_options()
    device = choose_device(options.device)
    plan = TrainingPlan(
        # One validation, at the end, of no slices.
        steps=options.steps,
        validate_every=options.steps,
        clip_norm=1.0,
        precision=choose_precision(options.precision, device),
    )
    volume = make_volume().to(device)
    sampler = PatchSampler([volume], options.patch, options.batch, AUGMENTATIONS["em"])
    print(f"U-Net {options.filters}, batches of {options.batch} x {options.patch} px of", end=" ")
    print(f"{volume.name}, {plan.precision}, {describe_device(device)}, {options.repeats} repeats")
    seconds = interleaved(options, plan, sampler)
    report(seconds, options, plan, device)


def make_volume() -> TrainingVolume:
    """Lucchi++'s training slices, or a phantom of their width."""
    folder = Path(os.environ.get("CHONDRIA_DATA", "")) / "lucchi++" / "train"
    if "CHONDRIA_DATA" in os.environ and folder.is_dir():
        images = chondria.io.open_volume(folder / "images").numpy()[:20]
        masks = chondria.io.open_volume(folder / "labels").numpy()[:20] > 0
        return as_volume("Lucchi++", images, masks)
    phantom = make_phantom((4, 768, 1024), (40.0, 10.0, 10.0), seed=0)
    return as_volume("a phantom", phantom.image.numpy(), phantom.labels.numpy() > 0)


def as_volume(name: str, images: NDArray[Any], masks: NDArray[np.bool_]) -> TrainingVolume:
    split = block_split(len(images), 0, 0)
    normal = measure_normalisation(images)
    return TrainingVolume.from_arrays(name, images.astype(np.uint8), masks, normal, split)


def interleaved(
    options: argparse.Namespace, plan: TrainingPlan, sampler: PatchSampler
) -> dict[str, list[float]]:
    """Seconds of each job for `steps` steps, taking turns after one unrecorded round."""
    device = sampler.volumes[0].images.device
    ready = sampler.draw()
    seconds: dict[str, list[float]] = {"bare": [], "draw": [], "train": []}
    for turn in range(options.repeats + 1):
        # Each job starts from a fresh network, built off the clock.
        torch.manual_seed(turn)
        first, second = (build_network("unet", filters=options.filters).to(device) for _ in "ab")
        jobs = {
            "bare": lambda network=first: bare_loop(network, ready, plan),
            "draw": lambda: [sampler.draw() for _ in range(plan.steps)],
            "train": lambda network=second: train(network, sampler, plan),
        }
        for name, job in jobs.items():
            synchronise(device)
            start = time.perf_counter()
            job()
            synchronise(device)
            if turn > 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def bare_loop(
    network: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor], plan: TrainingPlan
) -> None:
    """The least that any training must do."""
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(plan.optimizer, network.parameters(), plan.rate)
    images, masks = batch[0].contiguous(memory_format=torch.channels_last), batch[1]
    for _ in range(plan.steps):
        with torch.autocast(images.device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
            logits = network(images)
        loss = LOSSES[plan.loss](logits.float(), masks)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def report(
    seconds: dict[str, list[float]],
    options: argparse.Namespace,
    plan: TrainingPlan,
    device: torch.device,
) -> None:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["train"] / medians["bare"]
    pairs = [job / bare for job, bare in zip(seconds["train"], seconds["bare"], strict=True)]
    patches = plan.steps * options.batch
    for name, values in seconds.items():
        low, middle, high = (patches / s for s in (max(values), medians[name], min(values)))
        print(f"{name:>6}: {middle:.2f} patches/s (from {low:.2f} to {high:.2f})")
    print(f" ratio: {ratio:.3f} (of single rounds from {min(pairs):.3f} to {max(pairs):.3f})")
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    record = {
        "machine": {"device": describe_device(device), "system": platform.platform()},
        "versions": versions | {"chondria": __version__},
        "options": vars(options) | {"precision": plan.precision},
        "patches": patches,
        "median_s": medians,
        "spread_s": {name: [min(values), max(values)] for name, values in seconds.items()},
        "ratio": ratio,
    }
    print(json.dumps(record))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--patch", type=int, default=256)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
