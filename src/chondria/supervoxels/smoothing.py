"""Smooth the probabilities of regions over their graph.

Lucchi et al. 2012 (IEEE TMI 31(2), doi:10.1109/TMI.2011.2171705) label supervoxels by a graph cut:
each has its own evidence, and neighbours prefer one label unless an edge lies between them. A cut
gives labels; this gives probabilities, by a mean field: the log odds of a region are its own and,
added, what its neighbours believe.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logit

from chondria.supervoxels.adjacency import RegionGraph, vote_shares

__all__ = ["smooth_probabilities"]

ITERATIONS = 20
# Half of the old belief is kept, so that two neighbours do not swap theirs for ever.
KEPT = 0.5
SURE = 1e-4


def smooth_probabilities(
    probability: NDArray[np.floating], graph: RegionGraph, strength: float
) -> NDArray[np.float64]:
    """Let every region hear its neighbours.

    The belief ``q`` of a region settles where ``logit q = logit p + strength * sum w (2 q' - 1)``
    over its neighbours. The weight w is a neighbour's share of the region's surface, times
    ``exp(-g / m)`` for the mean gradient g on the common surface and the median m of all: at most
    1 in sum. So neighbours can add no more than `strength` to the log odds, and evidence beyond
    that keeps its label.

    Parameters
    ----------
    probability : ndarray of float, (regions,)
        0 to 1, from each region alone.
    graph : RegionGraph
        Of the same regions.
    strength : float
        0 changes nothing.

    Returns
    -------
    ndarray of float64, (regions,)
        0 to 1.
    """
    alone = np.asarray(probability, np.float64)
    if not strength:
        return alone
    evidence = logit(alone.clip(SURE, 1 - SURE))
    weights = _weights(graph)
    belief = alone
    for _ in range(ITERATIONS):
        heard = expit(evidence + strength * (weights @ (2 * belief - 1)))
        belief = KEPT * belief + (1 - KEPT) * heard
    return belief


def _weights(graph: RegionGraph) -> csr_array:
    """Weight of each neighbour: a share of the surface, less where an edge lies between."""
    weights = vote_shares(graph.contact)
    strengths = graph.edge.data
    median = float(np.median(strengths)) if strengths.size else 0.0
    if median > 0:
        weights.data *= np.exp(-strengths / median)
    return weights
