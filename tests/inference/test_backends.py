"""Every backend gives the network's own logits, or is found out."""

import logging
from collections import Counter

import pytest
import torch
from torch import nn

from chondria.errors import ModelError
from chondria.inference import backends
from chondria.inference.backends import Agreement, ready_network
from chondria.inference.compute import Compute
from chondria.networks.catalog import build_network
from chondria.networks.quantisation import measure_ranges, quantise

COMPUTES = [
    Compute(precision=precision, backend=backend)
    for precision in ("fp32", "bf16")
    for backend in ("torch", "openvino")
]


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return build_network("unet", filters=4, levels=2, dropout=[0.3] * 3)


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def expected_of(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return torch.sigmoid(network.eval()(batch))


@pytest.mark.parametrize("compute", COMPUTES, ids=str)
def test_a_backend_gives_the_networks_probabilities(network, compute) -> None:
    if compute.backend == "openvino":
        pytest.importorskip("openvino")
    agreement = Agreement()
    with ready_network(network, compute, agreement) as logits_of:
        for shape in ((1, 1, 48, 64), (2, 1, 64, 48), (1, 1, 48, 64)):
            batch = images(*shape)
            found = torch.sigmoid(logits_of(batch).float())
            bound = 1e-5 if compute.precision == "fp32" else 0.1
            assert (found - expected_of(network, batch)).abs().max() < bound
    assert not agreement.fell_back
    if (compute.backend, compute.precision) == ("torch", "fp32"):
        assert agreement.mean_difference is None
    else:
        assert 0 <= agreement.mean_difference <= agreement.largest_difference < bound


def test_openvino_computes_rounded_convolutions_in_integers(network) -> None:
    pytest.importorskip("openvino")
    batch, agreement = images(1, 1, 64, 64), Agreement()
    calibration = measure_ranges(network.eval(), [batch])
    compute = Compute(precision="int8", backend="openvino")
    with ready_network(network, compute, agreement, calibration) as logits_of:
        found = torch.sigmoid(logits_of(batch)).clone()
        kinds = integer_layers(logits_of)
    expected = torch.sigmoid(quantise(network, calibration)(batch))
    assert (found - expected).abs().mean() < 0.02
    assert 0 < agreement.mean_difference < 0.03
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        assert kinds["Convolution"] == len(calibration) - 2  # all but the transposed ones
    with (
        pytest.raises(ModelError, match="no calibration"),
        ready_network(network, compute),
    ):
        pass


def integer_layers(guarded) -> Counter:
    """Layers of a compiled network that compute with bytes."""
    (request,) = guarded._logits_of._requests.values()
    operations = request.get_compiled_model().get_runtime_model().get_ops()
    info = [operation.get_rt_info() for operation in operations]
    return Counter(
        i["layerType"].astype(str) for i in info if i["runtimePrecision"].astype(str) == "u8"
    )


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_weights_that_changed_in_between_are_seen(network, backend) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    batch, found = images(1, 1, 32, 32), []
    for _ in range(2):
        with ready_network(network, Compute(backend=backend)) as logits_of:
            found.append(torch.sigmoid(logits_of(batch)).clone())
        assert (found[-1] - expected_of(network, batch)).abs().max() < 1e-5
        with torch.no_grad():
            network.head.bias.add_(1.0)
    assert (found[1] > found[0]).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_training_mode_is_given_back(network, training) -> None:
    network.train(training)
    with ready_network(network, Compute(precision="bf16")) as logits_of:
        assert not network.training
        logits_of(images(1, 1, 16, 16))
    assert network.training is training


class Wrong:
    """A backend that computes something else."""

    def __init__(self, shift: float) -> None:
        self.shift, self.calls = shift, 0

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return torch.full_like(batch, self.shift)


@pytest.mark.parametrize("shift", [9.0, float("nan")])
def test_a_backend_that_is_wrong_is_left_aloud(network, monkeypatch, caplog, shift) -> None:
    wrong = Wrong(shift)
    monkeypatch.setattr(backends, "_backend", lambda *_: wrong)
    agreement, batch = Agreement(), images(2, 1, 300, 20 * 4)
    with (
        caplog.at_level(logging.WARNING),
        ready_network(network, Compute(precision="bf16"), agreement) as logits_of,
    ):
        found = [torch.sigmoid(logits_of(batch)) for _ in range(2)]
    assert agreement.fell_back
    assert wrong.calls == 1
    assert "so PyTorch fp32 computes instead" in caplog.text
    for probability in found:
        assert torch.equal(probability, expected_of(network, batch))


def test_the_first_images_only_are_compared(network, monkeypatch) -> None:
    calls = []
    network.register_forward_pre_hook(lambda _, given: calls.append(tuple(given[0].shape)))
    monkeypatch.setattr(backends, "_backend", lambda net, *_: net.forward)
    with ready_network(network, Compute(precision="bf16")) as logits_of:
        for _ in range(3):
            logits_of(images(2, 1, 400, 100))
    assert calls == [(1, 1, 256, 100)]
