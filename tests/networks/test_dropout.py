"""Dropout drops as often as it says, and scales what it keeps."""

import pytest
import torch

from chondria.networks.dropout import ElementDropout


def features(memory_format=torch.contiguous_format, dtype=torch.float32) -> torch.Tensor:
    return torch.rand(2, 6, 40, 30).add(0.5).to(dtype).contiguous(memory_format=memory_format)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_and_the_scale(memory_format, dtype, rate) -> None:
    torch.manual_seed(0)
    values = features(memory_format, dtype)
    dropped = ElementDropout(rate)(values)
    assert dropped.dtype == dtype
    assert dropped.is_contiguous(memory_format=memory_format)
    zero = dropped == 0
    assert zero.float().mean().item() == pytest.approx(rate, abs=0.02)
    ratio = (dropped / values)[~zero].float()
    assert ratio.mean().item() == pytest.approx(1 / (1 - rate), rel=5e-3)


def test_neighbours_are_independent() -> None:
    torch.manual_seed(0)
    kept = (ElementDropout(0.5)(torch.ones(64, 64, 64)) != 0).float().flatten() - 0.5
    for shift in (1, 2, 3, 4, 8, 64):
        assert (kept[shift:] * kept[:-shift]).mean().abs().item() < 0.002


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_any_number_of_values(count) -> None:
    torch.manual_seed(0)
    many = torch.stack([ElementDropout(0.5)(torch.ones(count)) for _ in range(400)])
    assert many.mean(0) == pytest.approx([1.0] * count, abs=0.2)


def test_the_gradient_is_that_of_what_was_kept() -> None:
    values = features().requires_grad_()
    dropped = ElementDropout(0.3)(values)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad * values.detach(), dropped.detach())


def test_the_seed_decides_and_rate_zero_keeps_all() -> None:
    values, found = features(), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(ElementDropout(0.4)(values))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert torch.equal(ElementDropout(0.0)(values), values)


def test_evaluation_changes_nothing() -> None:
    values = features()
    assert torch.equal(ElementDropout(0.4).eval()(values), values)
