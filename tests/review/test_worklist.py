"""The whole list: what is in it, in which order, and what it makes of odd volumes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from chondria.errors import ShapeError
from chondria.review.scene import make_scene
from chondria.review.suspicion import Suspicion
from chondria.review.worklist import find_suspicions, make_worklist, rank

SIZE = (40.0, 10.0, 10.0)


def rods() -> np.ndarray:
    """Two parallel rods of 200 nm width and 1 um length, 200 nm apart; (8, 100, 140) voxels."""
    labels = np.zeros((8, 100, 140), np.uint16)
    labels[2:7, 20:40, 20:120] = 1
    labels[2:7, 60:80, 20:120] = 2
    return labels


def sure(labels: np.ndarray) -> np.ndarray:
    return np.where(labels > 0, 240, 5).astype(np.uint8)


def first(labels: np.ndarray, probability: np.ndarray) -> Suspicion:
    return make_worklist(labels, probability, SIZE)[0].suspicion


def test_a_bridge_between_two_rods_is_the_first_suspicion():
    labels = rods()
    labels[4, 40:60, 70:74] = 1
    labels[labels == 2] = 1
    found = first(labels, sure(labels))
    assert found.kind == "merge"
    assert found.ids == (1,)
    z, y, x = found.place_px
    assert z == 4
    assert 35 <= y <= 65
    assert 66 <= x <= 77


@pytest.mark.parametrize("gap", [0, 2])
def test_a_cut_rod_is_the_first_suspicion(gap):
    labels = rods()
    labels[:, 20:40, 60:][labels[:, 20:40, 60:] > 0] = 3
    labels[:, 20:40, 60 : 60 + gap] = 0
    probability = sure(rods())
    probability[:, 20:40, 60 : 60 + gap] = 100
    found = first(labels, probability)
    assert (found.kind, found.ids) == ("split", (1, 3))
    assert 58 <= found.place_px[2] <= 64


def test_a_slice_that_is_missing_between_two_halves_is_a_split_and_a_miss():
    labels = rods()
    labels[4, 20:40] = 0
    labels[5:, 20:40][labels[5:, 20:40] > 0] = 7
    probability = sure(labels)
    probability[4, 20:40, 20:120] = 110
    entries = make_worklist(labels, probability, SIZE)[:2]
    assert all(entry.score > 0.9 for entry in entries)
    found = [entry.suspicion for entry in entries]
    assert {(one.kind, one.ids) for one in found} == {("split", (1, 7)), ("miss", ())}
    assert {one.place_px[0] for one in found} == {4}


def seen_in_an_image(seam: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rods, and a third beside the first that is joined to it in a row without any neck.

    In the image they have dark outlines in bright surroundings, and so it is where the two are
    joined, if there is a seam.
    """
    labels = rods()
    labels[2:7, 20:40, 120:135] = 1
    true = labels.copy()
    if seam:
        true[:, :40, 65:73] = 0
    image = np.where(true > 0, 110.0, 180.0)
    image[ndimage.binary_dilation(true > 0, np.ones((1, 3, 3)), 2) & (true == 0)] = 60
    image = ndimage.gaussian_filter(image, (0, 1, 1))
    noise = np.random.default_rng(0).normal(0, 15, labels.shape)
    return labels, (image + noise).clip(0, 255).astype(np.uint8)


def test_a_seam_in_the_image_is_the_first_suspicion_where_there_is_no_neck():
    labels, image = seen_in_an_image(seam=True)
    entries = make_worklist(labels, sure(labels), SIZE, image=image)
    found = entries[0].suspicion
    assert (found.kind, found.ids) == ("merge", (1,))
    assert 65 <= found.place_px[2] <= 74
    assert "seam" in found.reason
    assert entries[0].score > 3 * entries[1].score


def test_without_the_image_or_the_seam_nothing_is_suspected_there():
    labels, image = seen_in_an_image(seam=True)
    assert all(entry.score < 0.1 for entry in make_worklist(labels, sure(labels), SIZE))
    labels, image = seen_in_an_image(seam=False)
    found = make_worklist(labels, sure(labels), SIZE, image=image)
    assert all(entry.score < 0.2 for entry in found)


def test_an_object_that_was_taken_away_is_the_first_suspicion():
    labels = rods()
    probability = sure(labels)
    labels[labels == 2] = 0
    probability[probability > 5] //= 2
    probability[labels > 0] = 240
    found = first(labels, probability)
    assert (found.kind, found.ids) == ("miss", ())
    assert rods()[found.place_px] == 2


def test_rods_as_they_are_raise_no_suspicion():
    assert all(entry.score < 0.1 for entry in make_worklist(rods(), sure(rods()), SIZE))


def test_a_doubtful_object_comes_before_a_sure_one():
    probability = sure(rods())
    probability[rods() == 2] = 150
    found = first(rods(), probability)
    assert (found.kind, found.ids) == ("uncertain", (2,))


def test_a_slice_of_other_things_is_listed():
    labels = np.repeat(rods()[3:4], 9, axis=0)
    labels[4] = np.roll(labels[4], 30, axis=0)
    slices = [e for e in make_worklist(labels, sure(labels), SIZE) if e.suspicion.kind == "slice"]
    assert slices[0].suspicion.place_px[0] == 4


def test_flat_objects_are_judged_slice_by_slice():
    labels = rods()[3:5].astype(np.int32)
    labels[1][labels[1] > 0] += 2
    kinds = {s.kind for s in find_suspicions(make_scene(labels, sure(labels), SIZE))}
    assert kinds == {"uncertain"}


def test_identifiers_with_gaps_are_kept():
    names = np.array([0, 9, 2**40], np.uint64)
    labels = names[rods()]
    ids = {e.suspicion.ids for e in make_worklist(labels, sure(labels), SIZE)}
    assert {(9,), (2**40,)} <= ids


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((3, 20, 20), np.int32),
        np.ones((3, 20, 20), np.uint16),
        np.ones((1, 20, 20), np.uint64),
        np.pad(np.full((1, 1, 1), 5, np.int32), 3),
    ],
    ids=["no object", "one that fills all", "one slice", "one voxel"],
)
def test_odd_volumes_have_defined_lists(labels):
    for image in (None, labels):
        entries = make_worklist(labels, sure(labels), SIZE, image=image)
        assert len(entries) == len(np.unique(labels[labels > 0]))


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match="one volume"):
        make_worklist(rods(), sure(rods())[1:], SIZE)
    with pytest.raises(ShapeError, match="image of shape"):
        make_worklist(rods(), sure(rods()), SIZE, image=rods()[1:])


SUSPICIONS = st.lists(
    st.one_of(
        st.builds(
            lambda n, x: Suspicion("uncertain", (n,), (0, 0, 0), {"doubt": x}, ""),
            st.integers(1, 5),
            st.floats(0, 1),
        ),
        st.builds(
            lambda n, x: Suspicion("merge", (n,), (0, 0, 0), {"drop": x}, ""),
            st.integers(1, 5),
            st.floats(0, 1),
        ),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(SUSPICIONS)
def test_ranks_count_up_and_scores_go_down_and_every_object_is_named(found):
    entries = rank(found)
    assert [entry.rank for entry in entries] == list(range(1, len(entries) + 1))
    scores = [entry.score for entry in entries]
    assert scores == sorted(scores, reverse=True)
    doubtful = [e.suspicion.ids for e in entries if e.suspicion.kind == "uncertain"]
    assert len(doubtful) == len(set(doubtful))
    assert {s.ids for s in found} == {e.suspicion.ids for e in entries}


def test_an_object_of_many_necks_lets_others_come_first():
    necks = [Suspicion("merge", (1,), (z, 0, 0), {"drop": 1.0 - z / 100}, "") for z in range(3)]
    other = Suspicion("merge", (2,), (0, 0, 0), {"drop": 0.9}, "")
    entries = rank([*necks, other])
    assert [entry.suspicion.ids for entry in entries] == [(1,), (2,), (1,), (1,)]
    alone = rank(necks[1:])[0].score
    assert entries[2].score == pytest.approx(alone / 2)
