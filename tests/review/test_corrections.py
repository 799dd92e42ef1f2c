"""Labels after decisions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chondria.errors import SettingsError
from chondria.review.corrections import correct_labels
from chondria.review.decisions import Decision

SIZE = (40.0, 10.0, 10.0)


def decision(action, ids=(), place=None, points=(), line=2) -> Decision:
    return Decision(action, ids, place, points, line)


def dumbbell() -> np.ndarray:
    """Object 3: two discs of 160 nm and 240 nm with a bridge of 40 nm; (3, 60, 90) voxels."""
    z, y, x = np.indices((3, 60, 90))
    labels = np.zeros(z.shape, np.uint16)
    labels[(y - 30) ** 2 + (x - 20) ** 2 < 8**2] = 3
    labels[(y - 30) ** 2 + (x - 60) ** 2 < 12**2] = 3
    labels[1, 28:32, 20:60] = 3
    return labels


def corrected(labels, *decisions, probability=None):
    seen = np.zeros(labels.shape, np.uint8) if probability is None else probability
    return correct_labels(labels, decisions, seen, SIZE)[0]


@pytest.mark.parametrize(
    ("place", "points"), [(None, ()), ((1, 30, 30), ()), (None, ((1, 30, 20), (1, 30, 60)))]
)
def test_a_split_gives_the_smaller_part_a_new_number(place, points):
    before = dumbbell()
    after = corrected(before, decision("split", (3,), place, points))
    assert after[1, 30, 60] == 3
    assert after[1, 30, 20] == 4
    assert ((after > 0) == (before > 0)).all()
    assert after.dtype == before.dtype
    assert set(np.unique(after)) == {0, 3, 4}
    boundary = np.flatnonzero(after[1, 30] == 4).max()
    assert 26 <= boundary <= 49


def test_more_points_give_more_parts():
    points = ((1, 30, 20), (1, 30, 60), (1, 30, 40))
    assert len(np.unique(corrected(dumbbell(), decision("split", (3,), points=points)))) == 4


LABELS = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 7, (2, 6, 6)).astype(np.uint8)
)


@settings(deadline=None, max_examples=60)
@given(LABELS)
def test_keep_changes_nothing_drop_and_merge_only_what_they_name(before):
    present = [int(n) for n in np.unique(before) if n]
    same, counts = correct_labels(before, [decision("keep", (99,))], before, SIZE)
    assert (same == before).all()
    assert counts == {"keep": 1}
    kept = before.copy()
    dropped = corrected(before, decision("drop", (present[0],)))
    assert (before == kept).all()
    assert (dropped == np.where(before == present[0], 0, before)).all()
    pair, chain = present[1:3], present[2:4]
    joined = corrected(before, decision("merge", tuple(chain)), decision("merge", tuple(pair)))
    group = {*pair, *chain}
    assert (joined == np.where(np.isin(before, list(group)), min(group), before)).all()


def test_an_added_object_has_the_place_and_a_new_number():
    before = dumbbell()
    seen = np.zeros(before.shape, np.uint8)
    seen[:, 5:20, 60:85] = 110
    after = corrected(before, decision("add", place=(1, 10, 70)), probability=seen)
    assert (after == 4).sum() == pytest.approx(3 * 15 * 25, rel=0.1)
    assert ((after == 3) == (before == 3)).all()


def test_the_type_grows_with_the_numbers():
    labels = dumbbell().astype(np.uint8)
    labels[labels > 0] = 255
    assert corrected(labels, decision("split", (255,))).max() == 256


@pytest.mark.parametrize(
    ("decisions", "match"),
    [
        ([decision("drop", (8,))], "object 8 in line 2.*its numbers: 3 to 3"),
        ([decision("split", (3,), None, ((0, 0, 0), (1, 30, 20)))], "0 0 0 in line 2 lies outside"),
        ([decision("split", (3,), None, ((0, 0, 99), (1, 30, 20)))], "0 0 99 in line 2"),
        ([decision("split", (3,), (1, 30, 72))], "none near its place; give two points"),
        ([decision("add", place=(1, 50, 80))], "nothing of middling probability"),
        ([decision("add", place=(9, 50, 80))], "outside of the volume"),
        ([decision("drop", (3,)), decision("split", (3,), line=5)], "line 2 and 'split' in line 5"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(decisions, match):
    with pytest.raises(SettingsError, match=match):
        corrected(dumbbell(), *decisions)


def test_an_object_without_neck_needs_points():
    labels = np.zeros((1, 30, 30), int)
    labels[0, 5:25, 5:25] = 1
    with pytest.raises(SettingsError, match=r"no neck.*give two points"):
        corrected(labels, decision("split", (1,)))
