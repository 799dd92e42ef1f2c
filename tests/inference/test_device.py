"""The device is what was asked for or an error; never a silent fall back."""

import pytest
import torch

from chondria.errors import DeviceError, SettingsError
from chondria.inference.device import (
    choose_device,
    choose_precision,
    describe_device,
    true_fp32,
)

CPU = torch.device("cpu")


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CUDA cards, perhaps an Apple GPU, and a CPU with or without bf16."""

    def build(cards: int = 0, mps: bool = False, bf16: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)

    return build


@pytest.mark.parametrize(
    ("cards", "mps", "expected"),
    [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda:0"), (1, True, "cuda:0")],
)
def test_auto_takes_the_best(machine, cards, mps, expected) -> None:
    machine(cards, mps)
    assert choose_device() == torch.device(expected)


@pytest.mark.parametrize(
    ("name", "expected"), [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu"), ("mps", "mps")]
)
def test_a_name_is_taken_at_its_word(machine, name, expected) -> None:
    machine(2, mps=True)
    assert choose_device(name) == torch.device(expected)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "gpu", ""])
def test_what_is_absent_is_an_error_that_says_what_there_is(machine, name) -> None:
    machine()
    with pytest.raises(DeviceError, match="there is cpu"):
        choose_device(name)


def test_a_card_that_is_absent_among_others(machine) -> None:
    machine(2)
    with pytest.raises(DeviceError, match=r"'cuda:2'.*there is cuda:0 and cuda:1 and cpu"):
        choose_device("cuda:2")


def test_the_description_counts_threads() -> None:
    assert describe_device(CPU).startswith(f"CPU, {torch.get_num_threads()} thread")
    assert describe_device(torch.device("mps")) == "Apple GPU (MPS)"


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_precision_follows_the_cpu(machine, native, expected) -> None:
    machine(bf16=native)
    assert choose_precision("auto", CPU) == expected


def test_auto_precision_without_the_private_probes(monkeypatch) -> None:
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    assert choose_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16")])
def test_auto_precision_follows_the_card(monkeypatch, capability, expected) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose_precision("auto", torch.device("cuda:0")) == expected


def test_a_precision_that_is_named_is_kept_and_a_wrong_one_refused() -> None:
    assert choose_precision("bf16", torch.device("mps")) == "bf16"
    assert choose_precision("auto", torch.device("mps")) == "fp32"
    with pytest.raises(SettingsError, match="fp16"):
        choose_precision("fp16", CPU)


def test_tf32_is_off_on_cuda_for_as_long_as_asked() -> None:
    before = torch.backends.cudnn.allow_tf32
    with true_fp32(torch.device("cuda:0")):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before
    with true_fp32(CPU):
        assert torch.backends.cudnn.allow_tf32 == before
