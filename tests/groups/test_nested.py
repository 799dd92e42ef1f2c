import numpy as np
import pytest

from chondria.errors import DesignError
from chondria.groups.nested import Place, nested_sample


def arrays(*lengths: int) -> list[np.ndarray]:
    return [np.arange(n, dtype=float) for n in lengths]


def test_cells_of_one_name_in_two_animals_are_two_cells():
    places = [Place("a", "mouse 1", "cell"), Place("b", "mouse 2", "cell")]
    sample = nested_sample(arrays(2, 3), places, ("a", "b"))
    assert sample.units.tolist() == [[0, 0, 1, 1, 1]] * 3
    assert sample.condition.tolist() == [0, 0, 1, 1, 1]
    assert [sample.count(level, 1) for level in ("animal", "cell", "image", "object")] == [
        1,
        1,
        1,
        3,
    ]


def test_two_tables_of_one_image_are_one_image():
    places = [Place("a", "m", "c", "i"), Place("a", "m", "c", "i"), Place("a", "m", "c", "j")]
    sample = nested_sample(arrays(1, 1, 1), places, ("a", "b"))
    assert sample.units[2].tolist() == [0, 0, 1]


def test_an_animal_without_objects_is_left_out():
    places = [Place("a", "m"), Place("b", "n")]
    sample = nested_sample(arrays(0, 2), places, ("a", "b"))
    assert sample.animals == ("n",)
    assert sample.condition_of_animal.tolist() == [1]


def test_nothing_at_all():
    sample = nested_sample(arrays(0, 0), [Place("a", "m"), Place("b", "n")], ("a", "b"))
    assert sample.units.shape == (3, 0)
    assert len(sample.condition) == 0


def test_an_animal_of_two_conditions_is_refused():
    places = [Place("a", "mouse 1"), Place("b", "mouse 1")]
    with pytest.raises(DesignError, match="'mouse 1' in the conditions 'a' and 'b'"):
        nested_sample(arrays(1, 1), places, ("a", "b"))
