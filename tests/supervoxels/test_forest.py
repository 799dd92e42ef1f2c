"""Trees as arrays say exactly what scikit-learn says."""

import sys

import numpy as np
import pytest

from chondria.errors import MissingPackageError, ModelError
from chondria.supervoxels.forest import Forest, fit_forest


@pytest.fixture(scope="module")
def examples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    # Few distinct values in one column, so that features lie on thresholds.
    features = np.column_stack([rng.normal(size=(600, 11)), rng.integers(0, 4, 600)])
    truth = features[:, 0] * features[:, 1] + features[:, -1] / 3 > 0.5
    return features.astype(np.float32), truth


@pytest.fixture(scope="module")
def forest(examples) -> Forest:
    return fit_forest(*examples, trees=12, seed=3)


def test_probabilities_equal_those_of_scikit_learn(examples, monkeypatch) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    fitted = []
    fit = HistGradientBoostingClassifier.fit

    def remembering(self, *given, **named):
        fitted.append(fit(self, *given, **named))
        return fitted[-1]

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", remembering)
    features, truth = examples
    forest = fit_forest(features, truth, trees=30, seed=3)
    others = np.random.default_rng(1).normal(size=(500, features.shape[1])).astype(np.float32)
    for rows in (features, others):
        expected = fitted[0].predict_proba(rows)[:, 1]
        assert np.abs(forest.predict(rows) - expected).max() < 1e-6
    assert np.mean((forest.predict(features) > 0.5) == truth) > 0.9


def test_stages_end_in_the_whole(forest, examples) -> None:
    found = list(forest.stages(examples[0], [1, 5, 12]))
    assert np.array_equal(found[-1], forest.predict(examples[0]))
    assert np.ptp(found[0]) < np.ptp(found[1]) < np.ptp(found[2])


def test_the_seed_decides(forest, examples) -> None:
    again = fit_forest(*examples, trees=12, seed=3)
    other = fit_forest(*examples, trees=12, seed=4)
    for name, array in forest.arrays().items():
        assert np.array_equal(array, again.arrays()[name]), name
    assert not np.array_equal(forest.predict(examples[0]), other.predict(examples[0]))


def test_arrays_are_all_there_is(forest, examples) -> None:
    arrays = forest.arrays()
    assert {array.dtype.kind for array in arrays.values()} == {"i", "f"}
    found = Forest.from_arrays(arrays).predict(examples[0])
    assert np.array_equal(found, forest.predict(examples[0]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"left": None}, "without left"),
        ({"roots": np.array([-1], np.int32)}, "outside"),
        ({"value": np.zeros(3, np.float32)}, "of different lengths"),
        ({"baseline": np.zeros(0, np.float32)}, "baseline"),
        ({"backwards": True}, "in a circle"),
    ],
)
def test_a_damaged_forest_is_refused(forest, change, sentence) -> None:
    arrays = forest.arrays() | change
    if arrays.pop("backwards", False):
        arrays["left"] = np.zeros_like(arrays["left"])
    with pytest.raises(ModelError, match=sentence):
        Forest.from_arrays({name: array for name, array in arrays.items() if array is not None})


def test_without_scikit_learn_one_sentence_says_so(examples, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingPackageError, match=r"chondria\[classical\]"):
        fit_forest(*examples, trees=1, seed=0)
