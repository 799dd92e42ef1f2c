"""How a network is computed is chosen aloud: the fastest there is, or what was asked for."""

import importlib.util

import pytest
import torch

from chondria.errors import MissingPackageError, SettingsError
from chondria.inference.compute import Compute, choose_compute


@pytest.fixture
def with_openvino(monkeypatch):
    """A machine that has OpenVINO or not."""

    def build(installed: bool) -> None:
        spec = object() if installed else None
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)

    return build


@pytest.mark.parametrize(("installed", "backend"), [(True, "openvino"), (False, "torch")])
def test_auto_takes_openvino_where_it_is_installed(with_openvino, installed, backend) -> None:
    with_openvino(installed)
    assert choose_compute("cpu", "fp32") == Compute(torch.device("cpu"), "fp32", backend)
    assert choose_compute("cpu", "bf16", "torch") == Compute(torch.device("cpu"), "bf16", "torch")


def test_auto_takes_openvino_where_it_is_worth_its_start(with_openvino) -> None:
    with_openvino(True)
    few, many = (choose_compute("cpu", "fp32", pixels=n).backend for n in (512**2, 165 * 512**2))
    assert (few, many) == ("torch", "openvino")
    assert choose_compute("cpu", "fp32", "openvino", pixels=1).backend == "openvino"
    # PyTorch has no integers on a CPU.
    assert choose_compute("cpu", "int8", pixels=1).backend == "openvino"


def test_a_backend_that_is_absent_says_how_to_install_it(with_openvino) -> None:
    with_openvino(False)
    with pytest.raises(MissingPackageError, match=r"pip install 'chondria\[openvino\]'"):
        choose_compute("cpu", "fp32", "openvino")


def test_an_unknown_backend_names_the_known() -> None:
    with pytest.raises(SettingsError, match="'jax'; allowed are auto, torch and openvino"):
        choose_compute("cpu", "fp32", "jax")
    with pytest.raises(SettingsError, match="backend 'jax'; allowed are torch, openvino"):
        Compute(backend="jax")
    with pytest.raises(SettingsError, match="precision 'fp16'; allowed are fp32, bf16, int8"):
        Compute(precision="fp16")


def test_openvino_computes_on_the_cpu_only() -> None:
    with pytest.raises(SettingsError, match="device 'cuda:0'; it computes on the CPU only"):
        Compute(torch.device("cuda:0"), backend="openvino")


def test_integers_are_for_openvino() -> None:
    assert str(Compute(precision="int8", backend="openvino")).endswith("OpenVINO int8")
    with pytest.raises(SettingsError, match="int8 for the backend torch; only OpenVINO on a CPU"):
        Compute(precision="int8")


def test_people_are_told_device_backend_and_precision() -> None:
    threads = torch.get_num_threads()
    said = str(Compute(precision="bf16", backend="openvino"))
    assert said.startswith(f"CPU, {threads} thread")
    assert said.endswith("OpenVINO bf16")
    assert str(Compute()).endswith("PyTorch fp32")
