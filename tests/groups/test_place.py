import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import DesignError
from chondria.groups.place import Place, is_paired


@given(st.integers(1, 8), st.integers(2, 4), st.randoms())
def test_every_animal_in_every_condition_is_paired_in_any_order(animals, conditions, random):
    places = [Place(f"c{c}", f"m{a}") for a in range(animals) for c in range(conditions)]
    random.shuffle(places)
    assert is_paired(places)
    alone = [Place(place.condition, f"{place.condition} {place.animal}") for place in places]
    assert not is_paired(alone)
    lacking = random.choice(places)
    rest = [place for place in places if place != lacking]
    if animals > 1 or conditions > 2:
        kept = {place.condition for place in rest if place.animal != lacking.animal}
        if lacking.condition in kept:
            with pytest.raises(DesignError, match=lacking.animal):
                is_paired(rest)


def test_a_partly_paired_design_names_the_incomplete_animals():
    places = [Place("a", "m"), Place("b", "m"), *(Place("a", f"n{i}") for i in range(7))]
    said = "'m' in the conditions 'a' and 'b', but 'n0', 'n1', 'n2', 'n3', 'n4' and 2 more not in"
    with pytest.raises(DesignError, match=re.escape(said)):
        is_paired(places)


def test_nothing_is_not_paired():
    assert not is_paired([])
