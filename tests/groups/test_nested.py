import numpy as np

from chondria.groups.nested import nested_sample
from chondria.groups.place import Place


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


def test_an_animal_with_every_condition_is_a_unit_in_each():
    places = [Place("a", "m", "1"), Place("b", "m", "1"), Place("b", "n"), Place("a", "n")]
    sample = nested_sample(arrays(1, 2, 1, 1), places, ("a", "b"))
    assert sample.paired
    assert sample.animals == ("m", "m", "n", "n")
    assert sample.pair.tolist() == [0, 0, 1, 1]
    assert sample.units[0].tolist() == [0, 1, 1, 2, 3]
    assert sample.units[1].tolist() == [0, 1, 1, 2, 3]  # cell 1 in b is not that in a
    assert sample.condition.tolist() == [0, 1, 1, 1, 0]


def test_an_animal_of_a_paired_design_that_lacks_values_in_a_condition_is_left_out():
    places = [Place("a", "m"), Place("b", "m"), Place("a", "n"), Place("b", "n")]
    sample = nested_sample(arrays(1, 2, 3, 0), places, ("a", "b"))
    assert sample.animals == ("m", "m")
    assert len(sample.values) == 3
