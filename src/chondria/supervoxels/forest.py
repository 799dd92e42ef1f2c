"""Boosted trees as plain arrays: learned by scikit-learn, kept and computed without it.

scikit-learn keeps its classifiers as pickles, which could run any code when they are read. Trees
are a few lists of numbers, and stored like the weights of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from chondria.errors import MissingPackageError, ModelError

__all__ = ["Forest", "fit_forest"]

LEARNING_RATE = 0.1
LEAVES = 31
SMALLEST_LEAF = 20
# Share of the features that a split chooses from: faster, and trees differ more.
FEATURES_SHARE = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Forest:
    """Trees whose leaves' values add up to log odds.

    Attributes
    ----------
    roots : ndarray of int32, (trees,)
        First node of each tree.
    left, right : ndarray of int32, (nodes,)
        Children; a leaf is its own child.
    feature : ndarray of int32, (nodes,)
        What is compared; of a leaf 0.
    threshold : ndarray of float32, (nodes,)
        Up to it the way goes left.
    value : ndarray of float32, (nodes,)
        Log odds of a leaf; of any other node 0.
    baseline : ndarray of float32, (1,)
        Log odds before the first tree.
    """

    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    value: NDArray[np.float32]
    baseline: NDArray[np.float32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Forest:
        """Take the arrays of `arrays`.

        Raises
        ------
        ModelError
            If one is missing, or they make no trees.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in arrays]
        if missing:
            raise ModelError(f"Found a forest without {', '.join(missing)}; the file is damaged.")
        forest = cls(**{name: np.asarray(arrays[name]) for name in names})
        if wrong := forest._damage():
            raise ModelError(f"Found a forest with {wrong}; the file is damaged: train it anew.")
        return forest

    def _damage(self) -> str:
        """Say what would make a prediction fail or never end."""
        nodes = np.arange(len(self.left))
        per_node = (self.left, self.right, self.feature, self.threshold, self.value)
        if any(array.shape != nodes.shape for array in per_node):
            return "arrays of different lengths"
        if self.baseline.shape != (1,):
            return "no baseline"
        pointers = np.concatenate([self.roots, self.left, self.right])
        if pointers.size and not 0 <= pointers.min() <= pointers.max() < len(nodes):
            return "a branch that leads outside"
        is_leaf = (self.left == nodes) & (self.right == nodes)
        if (np.minimum(self.left, self.right)[~is_leaf] <= nodes[~is_leaf]).any():
            return "branches that lead in a circle"
        return ""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the arrays by name, to be stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Compute the probability of foreground.

        Parameters
        ----------
        features : ndarray of float32, (regions, features)
            In the order that the forest was fitted on.

        Returns
        -------
        ndarray of float64, (regions,)
            As scikit-learn's `predict_proba`, to the rounding of leaves to float32.
        """
        (probability,) = self.stages(features, [len(self.roots)])
        return probability

    def stages(
        self, features: NDArray[np.float32], trees: Sequence[int]
    ) -> Iterator[NDArray[np.float64]]:
        """Compute the probability by the first so many trees, for each of rising numbers."""
        odds = np.full(len(features), self.baseline[0], np.float64)
        for start, stop in pairwise([0, *trees]):
            for root in self.roots[start:stop]:
                odds += self.value[self._leaves(features, int(root))]
            yield expit(odds)

    def _leaves(self, features: NDArray[np.float32], root: int) -> NDArray[np.int32]:
        """Walk every region down one tree, all of one depth together."""
        node = np.full(len(features), root, np.int32)
        moving = np.arange(len(features))
        while moving.size:
            here = node[moving]
            goes_left = features[moving, self.feature[here]] <= self.threshold[here]
            following = np.where(goes_left, self.left[here], self.right[here])
            node[moving] = following
            moving = moving[self.left[following] != following]
        return node


def fit_forest(
    features: NDArray[np.float32],
    truth: NDArray[np.bool_],
    *,
    trees: int,
    seed: int,
) -> Forest:
    """Fit trees by gradient boosting (scikit-learn's `HistGradientBoostingClassifier`).

    Parameters
    ----------
    features : ndarray of float32, (regions, features)
        Finite numbers.
    truth : ndarray of bool, (regions,)
        Foreground or not; both occur.
    trees : int
        How many; each is shrunk by `LEARNING_RATE`.
    seed : int
        Of the features that each split may choose from.

    Returns
    -------
    Forest
        The same for the same arguments.

    Raises
    ------
    MissingPackageError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError as error:
        raise MissingPackageError(
            "Found no scikit-learn on this machine, which supervoxels learn with; install it with "
            "`pip install 'chondria[classical]'`."
        ) from error
    fitted = HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=SMALLEST_LEAF,
        max_features=FEATURES_SHARE,
        early_stopping=False,
        random_state=seed,
    ).fit(features, truth)
    return _as_arrays(fitted)


def _as_arrays(fitted: Any) -> Forest:
    """Read the trees out of a fitted classifier."""
    # scikit-learn has no public way to them; a test holds this equal to its predictions.
    trees = [predictors[0].nodes for predictors in fitted._predictors]
    counts = [len(nodes) for nodes in trees]
    roots = np.cumsum([0, *counts[:-1]])
    nodes = np.concatenate(trees)
    start = np.repeat(roots, counts)
    is_leaf = nodes["is_leaf"].astype(bool)
    itself = np.arange(len(nodes))
    return Forest(
        roots=roots.astype(np.int32),
        left=np.where(is_leaf, itself, nodes["left"] + start).astype(np.int32),
        right=np.where(is_leaf, itself, nodes["right"] + start).astype(np.int32),
        feature=np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.int32),
        threshold=_not_above(np.where(is_leaf, 0, nodes["num_threshold"])),
        value=np.where(is_leaf, nodes["value"], 0).astype(np.float32),
        baseline=np.ravel(fitted._baseline_prediction).astype(np.float32),
    )


def _not_above(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round down to float32: a float32 feature is then on the same side as before."""
    bound = np.finfo(np.float32)
    rounded = thresholds.clip(bound.min, bound.max).astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
