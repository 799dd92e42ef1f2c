"""How far 8-fold averaging of whole slices is from the thesis's blending of windows.

On slices at the model's pixel size: the mask (probability of at least 0.5) of 8-fold averaging, for
each backend and precision, against that of the blending loop in plain PyTorch (fp32). Both are
compared on the whole slice and on what lies at least half a window (128 px) from its border, where
the blending sees mirrored pixels. Prints IoU and mean difference, then one line of JSON.

    python benchmarks/blending_agreement.py [--data FOLDER] [--slices 2] [--model mito-em]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from predict_speed import available, normalised, plain, probabilities
from slices import SLICES, VOXEL_SIZE_NM, find_slices
from thesis_blending import WINDOW, blended_prediction

import chondria.io
from chondria.data.resample import resample_slice
from chondria.inference.volumes import model_grid
from chondria.models import DEFAULT_MODEL, load_model
from chondria.volume import Volume

__all__ = ["main"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SLICES)
    parser.add_argument("--slices", type=int, default=2)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    options = parser.parse_args()
    model = load_model(options.model)
    device = torch.device("cpu")
    with tempfile.TemporaryDirectory() as scratch:
        paths = find_slices(options.data, options.slices, Path(scratch))
        images = chondria.io.open_slices(paths, VOXEL_SIZE_NM)
        grid = model_grid(model, images)
        small = np.stack([resample_slice(np.asarray(s, np.float32), grid) for s in images.numpy()])
    model = model.with_card(pixel_size_nm=None)
    volume = Volume(small, None)
    plainly = plain(model, device)
    blended = np.stack([blended_prediction(plainly, image) for image in normalised(volume)])
    record = {}
    for compute in available(device):
        averaged = probabilities(model, volume, compute, tta="d4")
        inner = np.s_[:, WINDOW // 2 : -WINDOW // 2, WINDOW // 2 : -WINDOW // 2]
        whole, inside = overlap(averaged, blended), overlap(averaged[inner], blended[inner])
        difference = float(np.abs(averaged - blended).mean())
        record[str(compute)] = {"iou": whole, "iou_inside": inside, "difference": difference}
        print(f"{compute}: IoU {whole:.5f}, {inside:.5f} inside, mean difference {difference:.2g}")
    print(json.dumps({"model": options.model, "shape": volume.shape, "agreement": record}))


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """IoU of two masks."""
    masks = first >= 0.5, second >= 0.5
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


if __name__ == "__main__":
    main()
