"""How objects correspond: one to one, missing, extra, split or merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chondria.evaluation.overlap import ContingencyTable

__all__ = ["Associations", "associate"]


@dataclass(frozen=True, slots=True)
class Associations:
    """Objects by their number of partners on the other side.

    Parameters
    ----------
    one_to_one : int
        True objects with one partner that has no other.
    missing : int
        True objects without a partner.
    extra : int
        Predicted objects without a partner.
    split : int
        True objects with two partners or more.
    merged : int
        Predicted objects with two partners or more.
    """

    one_to_one: int
    missing: int
    extra: int
    split: int
    merged: int


def associate(table: ContingencyTable) -> Associations:
    """Link objects that overlap by more than half of either one, and count the partners.

    Unlike matching by IoU this tells a fragment from a false alarm: both halves of an object that
    was cut in two lie inside it and are its partners.

    Parameters
    ----------
    table : ContingencyTable
        Of two label maps.

    Returns
    -------
    Associations
        Categories after TIMISE, the toolbox for errors of mitochondria instance segmentation of
        Franco-Barranco et al. (github.com/danifranco/TIMISE), under this rule of linking.
    """
    pairs = table.pairs
    smaller = np.minimum(table.predicted_sizes[pairs.predicted], table.true_sizes[pairs.true])
    linked = 2 * pairs.voxels > smaller
    predicted, true = pairs.predicted[linked], pairs.true[linked]
    partners_of_predicted = np.bincount(predicted, minlength=table.predicted_objects.size)
    partners_of_true = np.bincount(true, minlength=table.true_objects.size)
    alone = (partners_of_predicted[predicted] == 1) & (partners_of_true[true] == 1)
    return Associations(
        one_to_one=int(np.count_nonzero(alone)),
        missing=int(np.count_nonzero(partners_of_true == 0)),
        extra=int(np.count_nonzero(partners_of_predicted == 0)),
        split=int(np.count_nonzero(partners_of_true > 1)),
        merged=int(np.count_nonzero(partners_of_predicted > 1)),
    )
