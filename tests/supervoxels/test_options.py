"""Options of supervoxels are checked before any work."""

import pytest

from chondria.errors import ModelError
from chondria.supervoxels.options import SupervoxelOptions


def test_a_recipe_may_say_nothing_or_anything() -> None:
    assert SupervoxelOptions.of({}) == SupervoxelOptions()
    found = SupervoxelOptions.of({"scales_nm": [5, 10], "trees": 7, "smoothing": 0})
    assert (found.scales_nm, found.trees, found.smoothing) == ((5, 10), 7, 0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tree": 5}, "no option 'tree' .did you mean 'trees'"),
        ({"region_nm": 0}, "Found region_nm '0'"),
        ({"region_nm": "40 nm"}, "give a number above 0"),
        ({"region_nm": True}, "give a number above 0"),
        ({"compactness": float("nan")}, "give a number above 0"),
        ({"share": 1.5}, "at most 1"),
        ({"smoothing": -1}, "at least 0"),
        ({"trees": 0}, "whole number of at least 1"),
        ({"trees": 2.5}, "whole number"),
        ({"hops": -1}, "whole number of at least 0"),
        ({"scales_nm": []}, "list of lengths"),
        ({"scales_nm": 10}, "list of lengths"),
        ({"scales_nm": [10, -1]}, "lengths in nm above 0"),
    ],
)
def test_anything_else_is_one_sentence(options, sentence) -> None:
    with pytest.raises(ModelError, match=sentence):
        SupervoxelOptions.of(options)
