"""Time prediction against plain PyTorch and the device's peak.

On the slices' own grid, interleaved in one process, by an untrained U-Net (speed does not
depend on the weights):

- *eager*: whole slices through the network as PyTorch runs it by default (fp32, NCHW);
- *segment ...*: `chondria segment` from PNG files to a run folder, for each backend and precision;
- *predict ...*: prediction alone, from memory to memory; *d4*: averaged over 8 flips and rotations;
- *peak ...*: products of large matrices, of which prediction is said to reach a share.

Prints ratios, and the share of the peak of matrix products that was measured in the same process;
then one line of JSON.

    python benchmarks/predict_speed.py [--data FOLDER] [--slices 4] [--filters 32]
                                       [--device auto] [--repeats 5]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peak import flops_per_pixel, matrix_products, peak_flops
from slices import SLICES, VOXEL_SIZE_NM, find_slices
from timing import interleaved, medians, print_record

import chondria.io
from chondria.allocation import retain_freed_memory
from chondria.data.normalize import measure_normalisation
from chondria.experiments.segmentation import segment
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.inference.compute import Compute, choose_compute
from chondria.inference.device import choose_device, describe_device
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.models import Model, load_model
from chondria.networks.catalog import build_network
from chondria.networks.quantisation import measure_ranges
from chondria.volume import Volume

__all__ = ["main"]


def main() -> None:
    options = parse_options()
    device = choose_device(options.device)
    computes = available(device)
    model = untrained_model(options.filters)
    retain_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        paths = find_slices(options.data, options.slices, scratch)
        volume = chondria.io.open_slices(paths, VOXEL_SIZE_NM)
        volume = volume.with_data(volume.numpy())
        jobs = make_jobs(model, paths, volume, computes, scratch)
        print(f"{len(paths)} slices of {volume.shape[1:]}, {options.repeats} repeats: ", end="")
        print(", ".join(map(str, computes)))
        seconds = interleaved(jobs, options.repeats)
    report(seconds, model, volume, device, options)


def untrained_model(filters: int) -> Model:
    """Of no pixel size, so that all ways to compute it see the same pixels."""
    network = build_network("unet", filters=filters).eval()
    ranges = measure_ranges(network, [torch.randn(1, 1, 256, 256)])
    name = f"untrained U-Net {filters}"
    card = replace(load_model().card, name=name, pixel_size_nm=None, calibration=ranges)
    return Model(network, card)


def available(device: torch.device) -> list[Compute]:
    """Every backend at every precision that the device has; the default one last."""
    default = choose_compute(str(device))
    backends = dict.fromkeys(["torch", default.backend])
    precisions = dict.fromkeys(["fp32", default.precision])
    computes = [choose_compute(str(device), p, b) for b in backends for p in precisions]
    if default.backend == "openvino":
        computes.insert(-1, choose_compute(str(device), "int8", "openvino"))
    return computes


def make_jobs(
    model: Model, paths: list[Path], volume: Volume, computes: list[Compute], scratch: Path
) -> dict[str, Callable[[], object]]:
    device = computes[0].device
    probability_of = plain(model, device)
    images = [torch.from_numpy(image)[None, None] for image in normalised(volume)]
    jobs: dict[str, Callable[[], object]] = {"eager": lambda: [probability_of(i) for i in images]}
    for compute in computes:
        name = f"{compute.backend} {compute.precision}"
        jobs[f"segment {name}"] = lambda c=compute: run_segment(model, paths, scratch, c)
        jobs[f"predict {name}"] = lambda c=compute: probabilities(model, volume, c)
        if compute.precision != "int8":  # PyTorch multiplies no matrices of bytes on a CPU
            jobs[f"peak {compute.precision}"] = lambda c=compute: matrix_products(
                c.precision, device
            )
    jobs["d4"] = lambda: probabilities(model, volume, computes[-1], tta="d4")
    return jobs


def run_segment(model: Model, paths: list[Path], scratch: Path, compute: Compute) -> None:
    """The whole job of a user."""
    settings = SegmentationSettings(
        measures="size",
        device=str(compute.device),
        precision=compute.precision,
        backend=compute.backend,
    )
    volume = chondria.io.open_slices(paths, VOXEL_SIZE_NM)
    segment(model, volume, scratch / "run", settings, format="png-slices")
    shutil.rmtree(scratch / "run")


def probabilities(
    model: Model, volume: Volume, compute: Compute, **how: Any
) -> NDArray[np.float32]:
    values = np.empty(volume.shape, np.float32)
    predict_volume(model, volume, values, settings=PredictionSettings(compute, **how))
    return values


def normalised(volume: Volume) -> NDArray[np.float32]:
    return measure_normalisation(volume.data)(volume.numpy())


def plain(model: Model, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network as PyTorch runs it by default, from memory to memory."""
    # A copy, as prediction changes the memory format of its own.
    network = deepcopy(model.network).to(device)

    @torch.inference_mode()
    def probability_of(images: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(network(images.to(device))).cpu()

    return probability_of


def report(
    seconds: dict[str, list[float]],
    model: Model,
    volume: Volume,
    device: torch.device,
    options: argparse.Namespace,
) -> None:
    middle = medians(seconds)
    megapixels = np.prod(volume.shape) / 1e6
    flops = flops_per_pixel(model.network)
    shares, over_eager = {}, {}
    for name, median in middle.items():
        job, _, precision = name.rpartition(" ")
        said = f"{name:>24}: {median:8.3f} s"
        if job.startswith(("segment", "predict")) or name == "eager":
            over_eager[name] = middle["eager"] / median
            said += f", {megapixels / median:6.2f} Mpx/s, {over_eager[name]:5.2f} x eager"
        if name == "d4":
            over_eager[name] = 8 * middle["eager"] / median
            said += f", {over_eager[name]:5.2f} x eager, eight times"
        if job.startswith("predict") and f"peak {precision}" in middle:
            peak = peak_flops(middle[f"peak {precision}"], device)
            shares[name] = flops * megapixels * 1e6 / median / peak
            said += f", {shares[name]:.2f} of the peak ({peak / 1e9:.0f} GFLOP/s)"
        print(said)
    measured = {"share_of_peak": shares, "over_eager": over_eager, "megapixels": megapixels}
    print_record(describe_device(device), vars(options), seconds, **measured)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--slices", type=int, default=4)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
