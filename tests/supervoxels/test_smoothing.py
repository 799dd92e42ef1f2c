"""Smoothing takes single errors away, keeps what is sure, and stops at edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.special import expit, logit

from chondria.supervoxels.adjacency import RegionGraph
from chondria.supervoxels.smoothing import smooth_probabilities

SIDE = 12


def grid(edge_at: int | None = None, strength: float = 1.0) -> RegionGraph:
    """Squares of SIDE x SIDE; an edge lies on the left of a column."""
    number = np.arange(SIDE**2).reshape(SIDE, SIDE)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    a = np.concatenate([one.ravel() for one, _ in pairs])
    b = np.concatenate([other.ravel() for _, other in pairs])
    edge = np.ones(len(a))
    if edge_at is not None:
        edge[(b % SIDE == edge_at) & (a % SIDE == edge_at - 1)] = 1 + strength
    rows, columns = np.concatenate([a, b]), np.concatenate([b, a])
    shape = (SIDE**2, SIDE**2)
    contact = csr_array((np.ones(2 * len(a)), (rows, columns)), shape=shape)
    return RegionGraph(contact, csr_array((np.tile(edge, 2), (rows, columns)), shape=shape))


def test_salt_and_pepper_go() -> None:
    rng = np.random.default_rng(0)
    truth = np.add.outer(np.arange(SIDE), np.arange(SIDE)) < SIDE
    wrong = rng.random(truth.shape) < 0.15
    alone = np.where(truth ^ wrong, 0.7, 0.3).ravel()
    smooth = smooth_probabilities(alone, grid(), 6.0)
    errors = np.count_nonzero((smooth > 0.5) != truth.ravel())
    assert errors < np.count_nonzero(wrong) / 3


@given(arrays(float, SIDE**2, elements=st.floats(0, 1)), st.floats(0.1, 5))
def test_evidence_beyond_the_strength_keeps_its_label(alone, strength) -> None:
    smooth = smooth_probabilities(alone, grid(), strength)
    assert ((smooth >= 0) & (smooth <= 1)).all()
    sure = np.abs(logit(alone.clip(1e-4, 1 - 1e-4))) > strength + 1e-6
    assert ((smooth > 0.5) == (alone > 0.5))[sure].all()


@given(arrays(float, SIDE**2, elements=st.floats(0, 1)), st.integers(0, SIDE**2 - 1))
def test_more_evidence_anywhere_lowers_nothing(alone, where) -> None:
    more = alone.copy()
    more[where] = (1 + more[where]) / 2
    before, after = (smooth_probabilities(p, grid(), 2.0) for p in (alone, more))
    assert (after >= before - 1e-9).all()


@given(arrays(float, SIDE**2, elements=st.floats(0.01, 0.99)))
def test_foreground_and_background_are_treated_alike(alone) -> None:
    one = smooth_probabilities(alone, grid(), 2.0)
    other = smooth_probabilities(1 - alone, grid(), 2.0)
    assert one == pytest.approx(1 - other, abs=1e-9)


def test_an_edge_keeps_neighbours_apart() -> None:
    alone = np.where(np.arange(SIDE**2) % SIDE < 6, 0.9, 0.45)
    open_side = smooth_probabilities(alone, grid(), 3.0).reshape(SIDE, SIDE)
    walled = smooth_probabilities(alone, grid(6, strength=5), 3.0).reshape(SIDE, SIDE)
    assert walled[5, 6] < open_side[5, 6]


def test_no_strength_and_no_neighbours_change_nothing() -> None:
    alone = np.linspace(0.01, 0.99, SIDE**2)
    assert np.array_equal(smooth_probabilities(alone, grid(), 0), alone)
    empty = csr_array((SIDE**2, SIDE**2))
    found = smooth_probabilities(alone, RegionGraph(empty, empty), 2.0)
    assert found == pytest.approx(expit(logit(alone)), abs=1e-9)
