"""Time the training loop against a bare loop over the same network with ready batches.

Times, interleaved in one process: `chondria.training.train.train` as it is (sampler, augmentation
"em", network, loss, optimizer, checks; no validation) and the *bare* loop of forward pass, loss,
backward pass and optimizer step over one batch that is ready in memory, at the same precision
(channels-last, autocast); and *eager*, the bare loop as PyTorch runs it by default (fp32, NCHW).
The volumes are synthetic tissue in memory, or Lucchi++ where
CHONDRIA_DATA names a folder that holds it. Prints the ratios and the share of the peak of matrix
products that was measured in the same process (the utilisation), then one line of JSON.

    python benchmarks/training_overhead.py [--filters 16] [--patch 256] [--batch 6] [--steps 10]
                                           [--precision bf16|fp32] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peak import matrix_products, peak_flops, training_flops_per_pixel
from timing import interleaved, medians, options_parser, print_record

import chondria.io
from chondria.data.augment import AUGMENTATIONS
from chondria.data.normalize import measure_normalisation
from chondria.data.patches import PatchSampler
from chondria.data.phantom import make_phantom
from chondria.data.splits import block_split
from chondria.data.training_volume import TrainingVolume
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.networks.catalog import build_network
from chondria.training.losses import make_loss
from chondria.training.optimizers import build_optimizer
from chondria.training.plan import TrainingPlan
from chondria.training.train import train

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
    seconds = interleaved(make_jobs(options, plan, sampler), options.repeats)
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


def make_jobs(
    options: argparse.Namespace, plan: TrainingPlan, sampler: PatchSampler
) -> dict[str, Callable[[], object]]:
    """The same number of steps of the bare loops, of drawing patches only, and of training."""
    device = sampler.volumes[0].images.device
    ready = sampler.draw()

    def network() -> torch.nn.Module:
        return build_network("unet", filters=options.filters).to(device)

    return {
        "eager": lambda: bare_loop(
            network(), ready, replace(plan, precision="fp32"), torch.contiguous_format
        ),
        "bare": lambda: bare_loop(network(), ready, plan, torch.channels_last),
        "draw": lambda: [sampler.draw() for _ in range(plan.steps)],
        "train": lambda: train(network(), sampler, plan),
        "peak": lambda: matrix_products(plan.precision, device),
    }


def bare_loop(
    network: torch.nn.Module,
    batch: tuple[torch.Tensor, torch.Tensor],
    plan: TrainingPlan,
    memory_format: torch.memory_format,
) -> None:
    """The least that any training must do."""
    network.train().to(memory_format=memory_format)  # type: ignore[call-overload]
    optimizer = build_optimizer(plan.optimizer, network.parameters(), plan.rate)
    images, masks = batch[0].contiguous(memory_format=memory_format), batch[1]
    loss_function = make_loss(plan.loss)
    for _ in range(plan.steps):
        with torch.autocast(images.device.type, torch.bfloat16, enabled=plan.precision == "bf16"):
            logits = network(images)
        loss = loss_function(logits.float(), masks)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def report(
    seconds: dict[str, list[float]],
    options: argparse.Namespace,
    plan: TrainingPlan,
    device: torch.device,
) -> None:
    middle = medians(seconds)
    ratio, over_eager = middle["bare"] / middle["train"], middle["eager"] / middle["train"]
    pairs = [bare / job for job, bare in zip(seconds["train"], seconds["bare"], strict=True)]
    patches = plan.steps * options.batch
    for name in ("eager", "bare", "draw", "train"):
        values = seconds[name]
        low, median, high = (patches / s for s in (max(values), middle[name], min(values)))
        print(f"{name:>6}: {median:.2f} patches/s (from {low:.2f} to {high:.2f})")
    print(f"training sustains {ratio:.3f} of the bare rate", end=" ")
    print(f"(single rounds from {min(pairs):.3f} to {max(pairs):.3f}), {over_eager:.2f} x eager")
    network = build_network("unet", filters=options.filters)
    flops = training_flops_per_pixel(network) * patches * options.patch**2 / middle["train"]
    peak = peak_flops(middle["peak"], device)
    print(f"and {flops / peak:.3f} of the peak ({peak / 1e9:.0f} GFLOP/s)")
    given = vars(options) | {"precision": plan.precision}
    print_record(
        describe_device(device),
        given,
        seconds,
        patches=patches,
        ratio=ratio,
        over_eager=over_eager,
        share_of_peak=flops / peak,
    )


def parse_options() -> argparse.Namespace:
    parser = options_parser(__doc__)
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--patch", type=int, default=256)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--steps", type=int, default=10)
    return parser.parse_args()


if __name__ == "__main__":
    main()
