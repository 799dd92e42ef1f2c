"""Optimizers by name, and a learning rate that depends on the step alone."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import SettingsError
from chondria.training.optimizers import build_optimizer, learning_rate


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor([1.0, -2.0]))


@pytest.mark.parametrize(
    ("kind", "expected", "settings"),
    [
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0}),
        ("nesterov", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("adam", torch.optim.Adam, {"lr": 0.1, "weight_decay": 0}),
        ("rmsprop", torch.optim.RMSprop, {"lr": 0.1, "alpha": 0.9}),
        ("adagrad", torch.optim.Adagrad, {"lr": 0.1}),
        ("adamw", torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.02}),
    ],
)
def test_each_name_builds_its_optimizer_with_its_settings(kind, expected, settings) -> None:
    optimizer = build_optimizer(kind, [parameter()], 0.1, momentum=0.9, weight_decay=0.02)
    assert type(optimizer) is expected
    assert {key: optimizer.param_groups[0][key] for key in settings} == settings


@pytest.mark.parametrize("kind", ["sgd", "nesterov", "adam", "adamw", "rmsprop"])
def test_each_optimizer_finds_a_minimum(kind) -> None:
    weights = parameter()
    optimizer = build_optimizer(kind, [weights], 0.05, momentum=0.5, weight_decay=0)
    for _ in range(400):
        optimizer.zero_grad()
        (weights - 3).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(weights.data, torch.full((2,), 3.0), atol=0.05, rtol=0)


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(SettingsError, match="'lion'; allowed are sgd, nesterov, adam, adamw, rms"):
        build_optimizer("lion", [parameter()], 0.1)
    with pytest.raises(SettingsError, match="'cosine'; allowed are constant and one_cycle"):
        learning_rate("cosine", 0, 10, 1.0)


def test_one_cycle_climbs_for_a_tenth_and_falls_to_zero() -> None:
    rates = [learning_rate("one_cycle", step, 1000, 2.0) for step in range(1001)]
    assert rates[0] == pytest.approx(0.08)
    assert max(rates) == rates[100] == pytest.approx(2.0)
    assert rates[550] == pytest.approx(1.0)
    assert rates[1000] == pytest.approx(0, abs=1e-12)
    assert all(a < b for a, b in pairwise(rates[:101]))
    assert all(a > b for a, b in pairwise(rates[100:]))


@given(st.integers(1, 10_000), st.floats(1e-6, 10), st.data())
def test_rates_stay_between_zero_and_the_peak(steps, peak, data) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert learning_rate("constant", step, steps, peak) == peak
    assert 0 < learning_rate("one_cycle", step, steps, peak) <= peak
