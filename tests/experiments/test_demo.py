"""The demonstration, on a phantom small enough for a test."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chondria.experiments import demo as module
from chondria.io import open_volume

FILES = {"phantom", "segmentation", "scores.json", "overview.png"}


@pytest.fixture
def small(monkeypatch) -> None:
    monkeypatch.setattr(module, "SHAPE", (2, 96, 96))
    monkeypatch.setattr(module, "VOXEL_SIZE_NM", (40.0, 10.0, 10.0))


@pytest.mark.usefixtures("small")
def test_demo(run_cli, tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, out, err = run_cli("demo", "-o", folder, "--model", tiny_model, "--device", "cpu")
    assert code == 0, err
    assert out.splitlines()[-1] == str(folder / "segmentation" / "report.html")
    page = (folder / "segmentation" / "report.html").read_text()
    assert 'id="scores"' in page
    assert page.count('id="v0-truth-') == page.count('id="v0-image-') == 2
    assert {path.name for path in folder.iterdir()} == FILES
    with Image.open(folder / "overview.png") as picture:
        assert picture.format == "PNG"
    scores = json.loads((folder / "scores.json").read_text())
    found = open_volume(folder / "segmentation" / "labels.tif").numpy() > 0
    true = open_volume(folder / "phantom" / "labels.tif").numpy() > 0
    expected = np.count_nonzero(found & true) / np.count_nonzero(found | true)
    assert scores["iou"] == pytest.approx(expected)
    assert f"IoU {expected:.3f} on the phantom" in err


@pytest.mark.usefixtures("small")
def test_a_failed_demo_leaves_nothing(tiny_model: Path, tmp_path: Path, monkeypatch) -> None:
    from chondria.models import load_model

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(module, "draw_overview", fail)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        module.demo(load_model(tiny_model), tmp_path / "demo", device="cpu")
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_demo_with_the_model_of_the_package(run_cli, tmp_path: Path) -> None:
    code, _, err = run_cli("demo", "-o", tmp_path / "demo")
    assert code == 0, err
    assert json.loads((tmp_path / "demo" / "scores.json").read_text())["iou"] >= 0.8
