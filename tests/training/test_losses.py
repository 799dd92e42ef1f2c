"""Losses against their formulas, and where they must vanish."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chondria.training.losses import LOSSES, bce, bce_dice, dice

SHAPE = (2, 1, 8, 8)


def targets(seed: int = 0) -> torch.Tensor:
    return (torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) > 0.6).float()


def test_cross_entropy_follows_its_formula() -> None:
    logits, truth = torch.randn(SHAPE, dtype=torch.float64), targets().double()
    p = torch.sigmoid(logits)
    expected = -(truth * p.log() + (1 - truth) * (1 - p).log()).mean()
    torch.testing.assert_close(bce(logits, truth), expected)
    assert bce(torch.zeros(SHAPE), targets()).item() == pytest.approx(math.log(2))


def test_dice_counts_over_the_whole_batch() -> None:
    truth = torch.zeros(SHAPE)
    truth[0, 0, :4] = 1  # 32 pixels; the second patch is empty
    logits = torch.full(SHAPE, -100.0)
    logits[0, 0, 2:6] = 100.0  # 32 found, 16 shared
    assert dice(logits, truth).item() == pytest.approx(1 - (2 * 16 + 1) / (32 + 32 + 1))


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_truth_costs_nothing_and_its_opposite_much(name) -> None:
    truth = targets()
    sure = (2 * truth - 1) * 50
    assert LOSSES[name](sure, truth).item() == pytest.approx(0, abs=1e-6)
    assert LOSSES[name](-sure, truth).item() > 0.9


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_empty_and_full_patches_are_finite_with_finite_gradients(name, level) -> None:
    for size in (-200.0, 0.0, 200.0):
        logits = torch.full(SHAPE, size, requires_grad=True)
        loss = LOSSES[name](logits, torch.full(SHAPE, level))
        loss.backward()
        assert loss.isfinite()
        assert logits.grad.isfinite().all()


def test_nothing_to_find_and_nothing_found_is_perfect() -> None:
    empty = torch.zeros(SHAPE)
    assert dice(torch.full(SHAPE, -100.0), empty).item() == pytest.approx(0)


@given(st.integers(0, 1000))
def test_the_sum_weighs_dice_by_half(seed) -> None:
    truth = targets(seed)
    logits = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
    expected = bce(logits, truth) + 0.5 * dice(logits, truth)
    torch.testing.assert_close(bce_dice(logits, truth), expected)
    assert 0 <= dice(logits, truth) <= 1


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_step_against_the_gradient_lowers_the_loss(name) -> None:
    truth, logits = targets(), torch.zeros(SHAPE, requires_grad=True)
    before = LOSSES[name](logits, truth)
    (gradient,) = torch.autograd.grad(before, logits)
    assert LOSSES[name](logits - 10 * gradient, truth) < before
    # Towards the truth at every pixel.
    assert ((gradient < 0) == (truth > 0)).all()
