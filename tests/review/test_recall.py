"""Errors planted in a phantom stand in the first tenth of its worklist."""

import numpy as np
import pytest

from chondria.review.planting import PlantedError, believed_probability, plant_errors
from chondria.review.recall import points_to, ranks_of
from chondria.review.suspicion import Suspicion
from chondria.review.worklist import make_worklist

SIZE = (40.0, 10.0, 10.0)


def rods(generator: np.random.Generator) -> np.ndarray:
    """100 rods of different lengths, widths and directions; (8, 560, 560) voxels."""
    labels = np.zeros((8, 560, 560), np.int32)
    y, x = np.indices((54, 54)) - 26.5
    for number in range(100):
        angle = generator.uniform(0, np.pi)
        length, width = generator.uniform(14, 24), generator.uniform(7, 10)
        along = x * np.cos(angle) + y * np.sin(angle)
        across = y * np.cos(angle) - x * np.sin(angle)
        rod = np.maximum(abs(along) - length + width, 0) ** 2 + across**2 < width**2
        row, column = divmod(number, 10)
        first, last = generator.integers(0, 2), generator.integers(6, 8)
        part = labels[first:last, 56 * row : 56 * row + 54, 56 * column : 56 * column + 54]
        part[:, rod] = number + 1
    return labels


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_errors_stand_in_the_first_tenth(seed):
    generator = np.random.default_rng(seed)
    truth = rods(generator)
    believed = believed_probability(truth > 0, SIZE, generator)
    made = plant_errors(truth, believed, SIZE, generator, {"merge": 3, "split": 3, "miss": 2})
    assert [error.kind for error in made.errors] == 3 * ["merge"] + 3 * ["split"] + 2 * ["miss"]
    seen = np.rint(made.probability * 255).astype(np.uint8)
    ranks = ranks_of(made.errors, make_worklist(made.labels, seen, SIZE), SIZE, truth.shape)
    assert sum(rank is not None and rank <= 10 for rank in ranks) >= 0.8 * len(ranks), ranks


def test_what_was_planted_is_in_the_labels():
    generator = np.random.default_rng(3)
    truth = rods(generator)
    before = truth.copy()
    belief = truth.astype(np.float32).clip(0, 1)
    made = plant_errors(truth, belief, SIZE, generator, {"merge": 2, "split": 2, "miss": 1})
    assert (truth == before).all()
    merges, splits, (miss,) = (
        [error for error in made.errors if error.kind == kind]
        for kind in ("merge", "split", "miss")
    )
    assert len(np.unique(made.labels)) == 101 - 2 + 2 - 1
    for error in merges:
        one, two = error.ids
        assert (made.labels[np.isin(truth, [one, two])] == one).all()
    for error in splits:
        assert set(error.ids) <= set(np.unique(made.labels))
    assert not (made.labels[miss.box][truth[miss.box] > 0]).any()


def test_an_error_is_pointed_to_by_kind_objects_and_place():
    box = (slice(2, 3), slice(50, 60), slice(50, 60))
    merge, split = (PlantedError(kind, (4, 7), box, "") for kind in ("merge", "split"))

    def says(error, kind, ids, place):
        return points_to(Suspicion(kind, ids, place, {}, ""), error, SIZE, (8, 560, 560))

    assert says(merge, "merge", (4,), (2, 55, 55))
    assert says(merge, "merge", (4,), (4, 41, 69))
    assert not says(merge, "merge", (4,), (2, 30, 55))
    assert not says(merge, "merge", (9,), (2, 55, 55))
    assert not says(merge, "split", (4, 7), (2, 55, 55))
    assert says(split, "split", (7, 4), (0, 0, 0))
    assert not says(split, "split", (4, 8), (2, 55, 55))
