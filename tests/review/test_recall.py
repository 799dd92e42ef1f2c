"""Errors planted in a phantom stand in the first tenth of its worklist."""

import numpy as np
import pytest

from chondria.review.planted import PlantedError
from chondria.review.planting import believed_probability, plant_errors
from chondria.review.recall import points_to, ranks_of
from chondria.review.suspicion import Suspicion
from chondria.review.worklist import make_worklist

SIZE = (40.0, 10.0, 10.0)


def rods(generator: np.random.Generator) -> np.ndarray:
    """60 rods in pairs, 40 to 80 nm apart, of different lengths, widths and directions.

    Every fifth is thin in its middle. (5, 350, 420) voxels.
    """
    labels = np.zeros((5, 350, 420), np.int32)
    for pair in range(30):
        row, column = divmod(pair, 6)
        cell = labels[:, 70 * row : 70 * row + 70, 70 * column : 70 * column + 70]
        angle = generator.uniform(0, np.pi)
        gap = generator.uniform(4, 8)
        for number, side in ((2 * pair + 1, -1), (2 * pair + 2, 1)):
            width, length = generator.uniform(7, 10), generator.uniform(17, 24)
            waist = 0.5 if number % 5 == 0 else 1.0
            seen = rod(angle, side * (gap / 2 + width), length, width, waist)
            cell[generator.integers(0, 2) :, seen] = number
    return labels


def rod(angle, aside, length, width, waist) -> np.ndarray:
    y, x = np.indices((70, 70)) - 34.5
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle) - aside
    across = across / np.where(abs(along) < 4, waist, 1.0)
    return np.maximum(abs(along) - length + width, 0) ** 2 + across**2 < width**2


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_errors_stand_in_the_first_tenth(seed):
    generator = np.random.default_rng(seed)
    truth = rods(generator)
    believed = believed_probability(truth > 0, SIZE, generator)
    made = plant_errors(truth, believed, SIZE, generator, {"merge": 2, "split": 2, "miss": 1})
    assert [error.kind for error in made.errors] == 2 * ["merge"] + 2 * ["split"] + ["miss"]
    seen = np.rint(made.probability * 255).astype(np.uint8)
    ranks = ranks_of(made.errors, make_worklist(made.labels, seen, SIZE), SIZE, truth.shape)
    assert sum(rank is not None and rank <= 6 for rank in ranks) >= 0.8 * len(ranks), ranks


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
    assert len(np.unique(made.labels)) == 61 - 2 + 2 - 1
    for error in merges:
        one, two = error.ids
        assert (made.labels[np.isin(truth, [one, two])] == one).all()
    for error in splits:
        assert set(error.ids) <= set(np.unique(made.labels))
    near = np.unique(truth[miss.box])[1:]
    assert sum(not made.labels[truth == number].any() for number in near) == 1


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
