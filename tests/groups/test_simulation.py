import numpy as np

from chondria.groups.simulation import NestedDesign, simulate


def test_the_design_is_drawn_as_it_says():
    design = NestedDesign((2, 3), (1, 2), (4, 6), effect=10.0)
    sample = simulate(design, np.random.default_rng(0))
    assert sample.condition_of_animal.tolist() == [0, 0, 1, 1, 1]
    _, objects = np.unique(sample.units[1], return_counts=True)
    assert objects.min() >= 4
    assert objects.max() <= 6
    assert sample.count("animal", 1) == 3
    means = [sample.values[sample.condition == i].mean() for i in (0, 1)]
    assert 8 < means[1] - means[0] < 12
