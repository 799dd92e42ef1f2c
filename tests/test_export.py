"""An exported model computes the same elsewhere, or is not written."""

import json

import numpy as np
import pytest
import torch

from chondria import export
from chondria.errors import MissingPackageError, ModelError, OutputExistsError, SettingsError
from chondria.export import export_onnx
from chondria.models import CARD_KEY, Model, ModelCard
from chondria.networks.catalog import build_network

OPTIONS = {"filters": 2, "levels": 2, "dropout": [0.0, 0.1, 0.2], "batch_norm": True}


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    card = ModelCard("tiny", "a test", "unet", OPTIONS, pixel_size_nm=(8.0, 8.0), threshold=0.6)
    return Model(build_network("unet", **OPTIONS).eval(), card)


def test_onnx_runtime_computes_the_model_at_every_size(model, tmp_path) -> None:
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "tiny.onnx"
    assert 0 <= export_onnx(model, path) < 1e-5
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.onnx"]
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for shape in ((1, 1, 4, 8), (3, 1, 24, 16)):
        images = torch.randn(shape)
        (found,) = session.run(["probability"], {"images": images.numpy()})
        with torch.inference_mode():
            expected = torch.sigmoid(model.network(images)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
    kept = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(kept[CARD_KEY])["threshold"] == 0.6
    with pytest.raises(OutputExistsError, match=r"tiny\.onnx"):
        export_onnx(model, path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet3d", {"filters": [2, 3], "pool_slices": [2], "dropout": [0.0, 0.1]}),
        pytest.param("xiao", {"filters": [2, 3]}, marks=pytest.mark.slow),
    ],
)
def test_blocks_of_a_3d_model_too(name, options, tmp_path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    card = ModelCard("tiny", "a test", name, options, pixel_size_nm=(8.0, 8.0), patch_slices=4)
    volumetric = Model(build_network(name, **options).eval(), card)
    path = tmp_path / "tiny.onnx"
    assert 0 <= export_onnx(volumetric, path) < 1e-5
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = torch.randn(3, 1, 10, 6, 16)
    (found,) = session.run(["probability"], {"images": images.numpy()})
    with torch.inference_mode():
        expected = torch.sigmoid(volumetric.network(images)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_differs_is_not_written(model, tmp_path, monkeypatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(export, "_largest_difference", lambda *_: float("nan"))
    with pytest.raises(ModelError, match="no file was written"):
        export_onnx(model, tmp_path / "tiny.onnx")
    assert list(tmp_path.iterdir()) == []


def test_other_endings_are_refused(model, tmp_path) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.onnx"):
        export_onnx(model, tmp_path / "tiny.pt")


def test_a_missing_package_is_named(model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnx" else name)
    with pytest.raises(MissingPackageError, match=r"chondria\[onnx\]"):
        export_onnx(model, tmp_path / "tiny.onnx")


def test_a_second_channel_is_exported_too(tmp_path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    options = OPTIONS | {"channels_out": 2}
    card = ModelCard("tiny", "", "unet", options, pixel_size_nm=(8.0, 8.0), boundary_nm=20.0)
    model = Model(build_network("unet", **options).eval(), card)
    path = tmp_path / "tiny.onnx"
    assert 0 <= export_onnx(model, path) < 1e-5
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = torch.randn(2, 1, 8, 12)
    (found,) = session.run(["probability"], {"images": images.numpy()})
    assert found.shape == (2, 2, 8, 12)
    with torch.inference_mode():
        np.testing.assert_allclose(found, torch.sigmoid(model.network(images)), atol=1e-5)
