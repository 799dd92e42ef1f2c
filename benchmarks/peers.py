"""Time prediction against peers, side by side on one slice, plain and over eight views.

- *chondria*, *chondria d4*: prediction as `segment` runs it by default, and over 8 flips and
  rotations;
- *MONAI*, *nnU-Net*, *nnU-Net flips*: their sliding windows over the very same network: windows of
  256 pixels that overlap by half and are blended by a Gaussian, and nnU-Net's whole slices, plain
  and mirrored along both axes (4 views), where these packages are installed beside chondria;
- *BiaPy*, *BiaPy d4*: its command with a U-Net of its own of as many filters, in windows of 256
  pixels that overlap by half, as its users run it, where `--biapy` names the command (it may live
  in an environment of its own). Its time is that of a second slice: of a run over two less one
  over one, as starting it takes seconds that belong to no slice. chondria's includes its start.

Prints seconds for one slice and ratios, then one line of JSON. A peer that is not there is said.

    python benchmarks/peers.py [--data FOLDER] [--biapy COMMAND] [--filters 32] [--repeats 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from biapy_job import predict_with_biapy, train_biapy_model
from numpy.typing import NDArray
from slices import SLICES, VOXEL_SIZE_NM, find_slices
from timing import Seconds, interleaved, medians, print_record

import chondria.io
from chondria.allocation import retain_freed_memory
from chondria.data.normalize import measure_normalisation
from chondria.inference.compute import choose_compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model, load_model
from chondria.networks.catalog import build_network
from chondria.volume import Volume

__all__ = ["main"]

WINDOW_PX = 256
FLIP_VIEWS = 4


def main() -> None:
    options = parse_options()
    retain_freed_memory()
    network = build_network("unet", filters=options.filters).eval()
    model = Model(network, replace(load_model().card, pixel_size_nm=None, calibration={}))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        paths = find_slices(options.data, 2, scratch)
        one = chondria.io.open_slices(paths[:1], VOXEL_SIZE_NM)
        one = one.with_data(one.numpy())
        jobs = {"chondria": partial(run_chondria, model, one, "none")}
        jobs["chondria d4"] = partial(run_chondria, model, one, "d4")
        jobs |= monai_jobs(network, one) | nnunet_jobs(network, one)
        print(f"one slice of {one.shape[1:]}, U-Net {options.filters}, {choose_compute()}")
        seconds = interleaved(jobs, options.repeats)
        seconds |= biapy_seconds(options, paths, scratch)
    report(seconds, options)


def run_chondria(model: Model, one: Volume, tta: str) -> None:
    settings = PredictionSettings(choose_compute_for(model, one, "cpu", tta=tta), tta=tta)
    predict_volume(model, one, np.empty(one.shape, np.float32), settings=settings)


def normalised(one: Volume) -> NDArray[np.float32]:
    return measure_normalisation(one.data)(one.numpy())


def monai_jobs(network: torch.nn.Module, one: Volume) -> dict[str, Callable[[], object]]:
    if not found("monai", "MONAI"):
        return {}
    from monai.inferers import sliding_window_inference

    image = torch.from_numpy(normalised(one))[None]

    @torch.inference_mode()
    def slide() -> None:
        logits = sliding_window_inference(
            image, (WINDOW_PX, WINDOW_PX), 4, network, overlap=0.5, mode="gaussian"
        )
        torch.sigmoid(logits)

    return {"MONAI": slide}


def nnunet_jobs(network: torch.nn.Module, one: Volume) -> dict[str, Callable[[], object]]:
    if not found("nnunetv2", "nnU-Net"):
        return {}
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    image = torch.from_numpy(normalised(one))[:, None]  # channel, z, y, x

    def slide(mirrored: bool) -> None:
        predictor = nnUNetPredictor(
            use_mirroring=mirrored, device=torch.device("cpu"), allow_tqdm=False
        )

        predictor.network = network
        predictor.allowed_mirroring_axes = (0, 1)
        predictor.configuration_manager = SimpleNamespace(patch_size=list(one.shape[1:]))
        predictor.label_manager = SimpleNamespace(num_segmentation_heads=1)
        torch.sigmoid(predictor.predict_sliding_window_return_logits(image))

    return {"nnU-Net": partial(slide, False), "nnU-Net flips": partial(slide, True)}


def found(package: str, name: str) -> bool:
    there = importlib.util.find_spec(package) is not None
    if not there:
        print(f"SKIPPED {name}: there is no package {package} here")
    return there


def biapy_seconds(options: argparse.Namespace, paths: list[Path], scratch: Path) -> Seconds:
    """Seconds of a second slice, in turns with nothing: each run takes minutes."""
    if options.biapy is None:
        print("SKIPPED BiaPy: name its command with --biapy")
        return {}
    weights = train_biapy_model(options.biapy, scratch, options.filters)
    seconds: Seconds = {"BiaPy": [], "BiaPy d4": []}
    for _ in range(options.repeats):
        for name, averaged in (("BiaPy", False), ("BiaPy d4", True)):
            took = []
            for count in (1, 2):
                start = time.perf_counter()
                predict_with_biapy(
                    options.biapy, scratch, weights, paths[:count], options.filters, averaged
                )
                took.append(time.perf_counter() - start)
            seconds[name].append(took[1] - took[0])
    return seconds


def report(seconds: Seconds, options: argparse.Namespace) -> None:
    middle = medians(seconds)
    ratios = {}
    for name, median in middle.items():
        ours = middle["chondria d4" if name.endswith("d4") else "chondria"]
        views = FLIP_VIEWS if name.endswith("flips") else 1
        ratios[name] = median / ours / views
        said = f"{name:>14}: {median:7.2f} s"
        if views > 1:
            said += f", {median / views:.2f} s a view"
        print(f"{said}, {ratios[name]:5.2f} x chondria's")
    print_record(str(choose_compute()), vars(options), seconds, ratios=ratios)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--biapy", type=Path)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
