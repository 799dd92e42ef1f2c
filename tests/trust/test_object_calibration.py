"""The probability that an object is a mitochondrion: with few objects, and with many."""

import numpy as np
import pytest

from chondria.errors import SettingsError
from chondria.trust.object_calibration import (
    cross_fitted,
    fit_object_calibration,
    object_features,
    richest,
)
from chondria.trust.reliability import reliability


def simulated(n: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Objects of known probability by two of three features."""
    rng = np.random.default_rng(seed)
    features = {name: rng.normal(size=n) for name in ("a", "b", "c")}
    p = 1 / (1 + np.exp(-(0.5 + 1.5 * features["a"] - features["b"])))
    return features, p, rng.random(n) < p


def test_many_objects_tell_the_probability() -> None:
    features, p, true = simulated(4000, seed=0)
    model = fit_object_calibration(features, true)
    assert np.abs(model.of(features, p.size) - p).mean() < 0.02
    fresh, _, outcome = simulated(4000, seed=1)
    assert reliability(model.of(fresh, 4000), outcome).expected_calibration_error < 0.03


def test_the_weights_are_those_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, _, true = simulated(200, seed=2)
    model = fit_object_calibration(features, true)
    values = np.stack(list(features.values()), 1)
    scaled = np.concatenate([(values - values.mean(0)) / values.std(0), np.zeros((2, 3))])
    other = linear_model.LogisticRegression(C=1.0, tol=1e-10)
    weight = np.append(np.ones(200), [0.5, 0.5])
    other.fit(scaled, np.append(true, [True, False]), sample_weight=weight)
    assert model.weights == pytest.approx(other.coef_[0].tolist(), abs=1e-4)
    assert model.intercept == pytest.approx(float(other.intercept_[0]), abs=1e-4)


@pytest.mark.parametrize(
    ("n", "positives", "expected"), [(0, 0, 0.5), (9, 9, 9.5 / 10), (9, 0, 0.05)]
)
def test_too_few_objects_get_the_share_that_is_true(n, positives, expected) -> None:
    features = {"a": np.arange(n, dtype=float)}
    model = fit_object_calibration(features, np.arange(n) < positives)
    assert model.features == ()
    assert model.of({}, 2) == pytest.approx([expected, expected])
    assert f"fitted on {n} objects" in model.sentence()
    assert "too few" in model.sentence()


def test_features_are_taken_as_far_as_objects_reach() -> None:
    features, _, _ = simulated(40, seed=3)
    assert fit_object_calibration(features, np.arange(40) < 9).features == ("a", "b")
    assert fit_object_calibration(features, np.arange(40) < 3).features == ()


def test_separated_objects_give_no_certainty() -> None:
    size = np.r_[np.full(8, 1.0), np.full(8, 9.0)]
    model = fit_object_calibration({"size": size}, size > 5)
    low, high = model.of({"size": np.array([1.0, 9.0])}, 2)
    assert 0.02 < low < 0.2
    assert low == pytest.approx(1 - high)


def test_cross_fitting_never_sees_the_fold_that_it_judges() -> None:
    features, _, true = simulated(60, seed=4)
    fold = np.arange(60) % 3
    found = cross_fitted(features, true, fold)
    flipped = np.where(fold == 1, ~true, true)
    np.testing.assert_array_equal(
        cross_fitted(features, flipped, fold)[fold == 1], found[fold == 1]
    )


def test_the_richest_that_can_be_used_is_chosen() -> None:
    features, _, true = simulated(60, seed=5)
    small, large = (
        fit_object_calibration({n: features[n] for n in names}, true) for names in ("a", "ab")
    )
    assert richest([small, large], ["a", "b", "c"]) is large
    assert richest([small, large], ["a"]) is small
    assert richest([small, large], ["c"]) is None
    with pytest.raises(SettingsError, match="Found no b of the objects"):
        large.of({"a": features["a"]}, 60)


def test_features_are_finite_at_the_ends() -> None:
    ends = np.array([0.0, 1.0])
    found = object_features(ends, ends, ends, {"view_agreement": ends})
    assert all(np.isfinite(values).all() for values in found.values())
    assert list(found)[:2] == ["log_diameter", "view_agreement"]
