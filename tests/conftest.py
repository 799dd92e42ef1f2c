"""Fixtures shared by every room's tests."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

from chondria.volume import Volume

# A loaded machine makes single examples slow; that is no failure.
settings.register_profile("chondria", deadline=None)
settings.load_profile("chondria")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Parallel workers that each used every processor would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real EM images with truth; tests that need it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CHONDRIA_DATA", default))
    if not (folder / "lucchi++").is_dir():
        pytest.skip(f"no real data at {folder} (set CHONDRIA_DATA)")
    return folder


@pytest.fixture(scope="session")
def served() -> ModuleType:
    """A local HTTP server, and the small data set that it serves (tests/served.py)."""
    spec = importlib.util.spec_from_file_location("served", Path(__file__).with_name("served.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules["served"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose network calls foreground what is darker than half a deviation below."""
    import torch

    from chondria.models import Model, ModelCard, save_model
    from chondria.networks.catalog import build_network

    options = {"filters": 2, "levels": 2, "dropout": [0.0, 0.0, 0.0]}
    network = build_network("unet", **options)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        # The first channel takes the short way: encoder, skip connection, decoder, head.
        for pair, sign in ((network.encoder[0], -1), (network.decoder[-1], 1)):
            first, second = (layer for layer in pair if isinstance(layer, torch.nn.Conv2d))
            first.weight[0, [0, -2] if sign > 0 else 0, 1, 1] = sign
            second.weight[0, 0, 1, 1] = 1
        network.head.weight[0, 0], network.head.bias[0] = 6, -3
    card = ModelCard("tiny", "dark is foreground", "unet", options, pixel_size_nm=(10.0, 10.0))
    return save_model(
        Model(network.eval(), card), tmp_path_factory.mktemp("model") / "tiny.safetensors"
    )


@pytest.fixture(scope="session")
def blobs() -> tuple[Volume, Volume]:
    """Dark balls in bright noise, and their label map; (8, 56, 72) voxels of 30, 10, 10 nm."""
    z, y, x = np.mgrid[:8, :56, :72]
    labels = np.zeros(z.shape, np.uint16)
    for number, (cz, cy, cx, radius) in enumerate(
        ((3, 14, 15, 100), (2, 40, 24, 110), (5, 20, 52, 120), (6, 47, 60, 60)), start=1
    ):
        near = (30 * (z - cz)) ** 2 + (10 * (y - cy)) ** 2 + (10 * (x - cx)) ** 2 < radius**2
        labels[near] = number
    grey = np.random.default_rng(0).normal(170, 8, z.shape) - 110 * (labels > 0)
    size = (30.0, 10.0, 10.0)
    return Volume(grey.round().astype(np.uint8), size), Volume(labels, size)


@pytest.fixture
def run_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `chondria` with arguments; gives exit code, output and error output."""
    from chondria.cli.main import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["chondria", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run jobs of many runs here, without processes; gives the names of jobs."""
    from chondria.experiments import classification, overfitting, transfer

    names: list[str] = []

    def run(jobs, at_once, watch, here=False) -> dict[str, object]:
        names.extend(jobs)
        return {name: job(lambda message: None) for name, job in jobs.items()}

    for module in (classification, overfitting, transfer):
        monkeypatch.setattr(module, "run_watched", run)
    return names
