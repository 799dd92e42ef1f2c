"""Losses against their formulas, and where they must vanish."""

import math
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import SettingsError
from chondria.training.losses import LossKind, bce, dice, jaccard, make_loss, with_boundary

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


def test_jaccard_counts_over_the_whole_batch() -> None:
    truth = torch.zeros(SHAPE)
    truth[0, 0, :4] = 1  # 32 pixels; the second patch is empty
    logits = torch.full(SHAPE, -100.0)
    logits[0, 0, 2:6] = 100.0  # 32 found, 16 shared, 48 in all
    assert jaccard(logits, truth).item() == pytest.approx(1 - (16 + 1) / (48 + 1))


def test_class_weights_multiply_the_cross_entropy_of_their_class() -> None:
    logits, truth = torch.randn(SHAPE, dtype=torch.float64), targets().double()
    p = torch.sigmoid(logits)
    expected = -(1.7 * truth * p.log() + 0.3 * (1 - truth) * (1 - p).log()).mean()
    torch.testing.assert_close(make_loss("bce", (0.3, 1.7))(logits, truth), expected)
    both = make_loss("bce_dice", (0.3, 1.7))(logits, truth)
    torch.testing.assert_close(both, expected + 0.5 * dice(logits, truth))


@pytest.mark.parametrize(
    ("kind", "weights", "sentence"),
    [
        ("mse", (1.0, 1.0), "loss 'mse'; allowed are bce, dice, jaccard, bce_dice"),
        ("bce", (0.0, 1.0), "must be above zero: a class of weight 0 would not be learned"),
        ("bce", (1.0, float("inf")), "must be above zero"),
        ("dice", (0.5, 1.5), "class weights for the loss 'dice', which has none"),
    ],
)
def test_bad_losses_say_what_is_allowed(kind, weights, sentence) -> None:
    with pytest.raises(SettingsError, match=sentence):
        make_loss(kind, weights)


@pytest.mark.parametrize("name", get_args(LossKind))
def test_the_truth_costs_nothing_and_its_opposite_much(name) -> None:
    truth = targets()
    sure = (2 * truth - 1) * 50
    assert make_loss(name)(sure, truth).item() == pytest.approx(0, abs=1e-6)
    assert make_loss(name)(-sure, truth).item() > 0.9


@pytest.mark.parametrize("name", get_args(LossKind))
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_empty_and_full_patches_are_finite_with_finite_gradients(name, level) -> None:
    for size in (-200.0, 0.0, 200.0):
        logits = torch.full(SHAPE, size, requires_grad=True)
        loss = make_loss(name)(logits, torch.full(SHAPE, level))
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
    torch.testing.assert_close(make_loss("bce_dice")(logits, truth), expected)
    assert 0 <= dice(logits, truth) <= 1


@pytest.mark.parametrize("name", get_args(LossKind))
def test_a_step_against_the_gradient_lowers_the_loss(name) -> None:
    truth, logits = targets(), torch.zeros(SHAPE, requires_grad=True)
    before = make_loss(name)(logits, truth)
    (gradient,) = torch.autograd.grad(before, logits)
    assert make_loss(name)(logits - 10 * gradient, truth) < before
    # Towards the truth at every pixel.
    assert ((gradient < 0) == (truth > 0)).all()


def test_outlines_cost_their_cross_entropy_by_its_weight() -> None:
    logits, truth = torch.randn(2, 2, 8, 8), torch.cat([targets(0), targets(1)], 1)
    foreground, outlines = ((logits[:, i : i + 1], truth[:, i : i + 1]) for i in (0, 1))
    found = with_boundary(jaccard, 0.3)(logits, truth)
    torch.testing.assert_close(found, jaccard(*foreground) + 0.3 * bce(*outlines))
