import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from chondria.groups.animal_means import animal_means
from chondria.groups.nested import nested_sample
from chondria.groups.place import Place


@given(st.integers(0, 2**32 - 1))
def test_means_of_means_as_pandas_groups_them(seed):
    rng = np.random.default_rng(seed)
    places = [
        Place("ab"[animal % 2], f"m{animal}", f"c{rng.integers(3)}", f"i{rng.integers(3)}")
        for animal in rng.integers(0, 4, 12)
    ]
    values = [rng.normal(size=rng.integers(1, 5)) for _ in places]
    sample = nested_sample(values, places, ("a", "b"))
    means = animal_means(sample)
    rows = [
        (place.animal, place.cell, place.image, value)
        for place, array in zip(places, values, strict=True)
        for value in array
    ]
    frame = pd.DataFrame(rows, columns=["animal", "cell", "image", "value"])
    expected = frame.groupby(["animal", "cell", "image"]).value.mean()
    expected = expected.groupby(["animal", "cell"]).mean().groupby("animal").mean()
    np.testing.assert_allclose(means.values, expected[list(sample.animals)])


def test_a_crowded_cell_counts_like_a_sparse_one():
    places = [Place("a", "m", "full"), Place("a", "m", "sparse"), Place("b", "n", "c")]
    sample = nested_sample([np.zeros(99), np.ones(1), np.ones(1)], places, ("a", "b"))
    means = animal_means(sample)
    assert means.values.tolist() == [0.5, 1.0]
    assert means.animals.tolist() == [1, 1]
    assert means.of(1).tolist() == [1.0]
