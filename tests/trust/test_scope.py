"""What a new volume is told it differs in."""

from dataclasses import replace

import numpy as np
import pytest

from chondria.errors import ShapeError
from chondria.trust.scope import Scope, describe_scope, same_thickness, warnings_of

SEEN = Scope("seen", (40.0, 5.0, 5.0), 800.0, 0.03, 1.5)


def test_alike_is_silent() -> None:
    assert warnings_of(replace(SEEN, name="new", doubt=0.02, contrast=1.7), [SEEN]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"voxel_size_nm": (40.0, 5.0, 8.0)}, "measure 8 nm along x; validated was 5 nm"),
        ({"voxel_size_nm": None}, "is not known"),
        ({"extent_nm": 8000.0}, "number density"),
        ({"doubt": 0.1}, "doubts what it found"),
        ({"contrast": 0.7}, "0.70 standard deviations"),
        ({"contrast": -1.5}, "-1.50 standard deviations"),
    ],
)
def test_each_difference_is_said(change, said) -> None:
    (warning,) = warnings_of(replace(SEEN, name="new", **change), [SEEN])
    assert said in warning
    # One validated volume that is alike is enough.
    assert warnings_of(replace(SEEN, **change), [SEEN, replace(SEEN, **change)]) == [] or (
        change == {"voxel_size_nm": None}
    )


def test_a_volume_as_thick_is_enough_for_lengths() -> None:
    thin = replace(SEEN, extent_nm=120.0)
    assert not same_thickness(SEEN, [thin, replace(SEEN, extent_nm=None)])
    assert same_thickness(SEEN, [thin, replace(SEEN, extent_nm=1600.0)])
    assert not same_thickness(SEEN, [])


def test_nothing_validated_is_said() -> None:
    assert "Nothing was validated" in warnings_of(SEEN, [])[0]


def test_a_volume_is_described_by_what_was_found() -> None:
    labels = np.zeros((2, 10, 10), np.uint8)
    labels[:, :5] = 3
    image = np.where(labels > 0, 50, 150).astype(np.uint8)
    levels = np.where(labels > 0, 204, 0).astype(np.uint8)
    scope = describe_scope("v", image, labels, levels, (40.0, 5.0, 5.0))
    assert scope == Scope("v", (40.0, 5.0, 5.0), 80.0, pytest.approx(0.2), pytest.approx(2.0))
    empty = describe_scope("v", image, labels * 0, levels, None)
    assert (empty.extent_nm, empty.doubt, empty.contrast) == (None, 0, 0)
    with pytest.raises(ShapeError):
        describe_scope("v", image[:1], labels, levels, None)
