"""BiaPy as its users run it: a configuration, a folder of images, one command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

__all__ = ["predict_with_biapy", "train_biapy_model"]

FILTERS = (1, 2, 4, 8, 16)


def train_biapy_model(command: Path, folder: Path, filters: int) -> Path:
    """Train a U-Net for one epoch on one patch: what can be had of weights with least effort."""
    for name in ("x", "y"):
        _save(folder / "train" / name / "0.png", np.zeros((256, 512), np.uint8))
    settings = _settings(filters) | {
        "TRAIN": {"ENABLE": True, "EPOCHS": 1, "BATCH_SIZE": 1, "OPTIMIZER": "ADAMW", "LR": 1e-4},
        "TEST": {"ENABLE": False},
    }
    settings["DATA"] |= {
        "TRAIN": {"PATH": str(folder / "train" / "x"), "GT_PATH": str(folder / "train" / "y")},
        "VAL": {"FROM_TRAIN": True, "SPLIT_TRAIN": 0.5},
    }
    _run(command, settings, folder, "training")
    return next((folder / "training").rglob("*.pth"))


def predict_with_biapy(
    command: Path, folder: Path, weights: Path, slices: list[Path], filters: int, averaged: bool
) -> None:
    """Predict slices in windows of 256 pixels that overlap by half, if wanted over eight views."""
    name = f"predict {len(slices)}"
    images = folder / name / "x"
    images.mkdir(parents=True)
    for path in slices:
        shutil.copy(path, images)
    settings = _settings(filters)
    settings["DATA"] |= {"TEST": {"PATH": str(images), "LOAD_GT": False, "OVERLAP": [0.5, 0.5]}}
    settings["MODEL"] |= {"LOAD_CHECKPOINT": True}
    settings |= {
        "TRAIN": {"ENABLE": False},
        "TEST": {"ENABLE": True, "AUGMENTATION": averaged},
        "PATHS": {"CHECKPOINT_FILE": str(weights)},
    }
    _run(command, settings, folder, name)
    shutil.rmtree(folder / name)


def _settings(filters: int) -> dict[str, dict]:
    return {
        "SYSTEM": {"NUM_CPUS": os.cpu_count(), "NUM_WORKERS": 0},
        "PROBLEM": {"TYPE": "SEMANTIC_SEG", "NDIM": "2D"},
        "DATA": {"PATCH_SIZE": [256, 256, 1]},
        "MODEL": {"ARCHITECTURE": "unet", "FEATURE_MAPS": [filters * n for n in FILTERS]},
    }


def _run(command: Path, settings: dict, folder: Path, name: str) -> None:
    """Raises `subprocess.CalledProcessError` with what was said."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings))
    line = [command, "--config", path, "--result_dir", folder / name, "--name", "job"]
    done = subprocess.run([*line, "--run_id", "1"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"BiaPy failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).save(path)
