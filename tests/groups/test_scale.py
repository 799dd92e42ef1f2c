import numpy as np
import pytest

from chondria.errors import SettingsError
from chondria.groups.scale import choose_scale, is_measure, is_shape, is_size


def test_sizes_are_told_by_their_unit():
    assert all(map(is_size, ("volume_um3", "area_um2", "skeleton_length_um", "feret_max_nm")))
    others = ("sphericity", "density_per_um3", "centroid_z_nm", "voxels", "nearest_centroid_nm")
    assert not any(map(is_size, others))
    assert is_shape("sphericity")
    assert not any(map(is_measure, ("id", "bbox_z_start_px", "centroid_y_px", "touches_border")))


def test_sizes_are_compared_as_logarithms():
    values = [np.array([1.0, 2.0]), np.array([])]
    assert choose_scale("volume_um3", values) == "log"
    assert choose_scale("sphericity", values) == "linear"
    assert choose_scale("sphericity", values, "log") == "log"
    assert choose_scale("skeleton_length_um", [np.array([0.0, 1.0])]) == "linear"
    assert choose_scale("volume_um3", [np.array([])]) == "log"


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(SettingsError, match="Found 0 in 'skeleton_length_um'"):
        choose_scale("skeleton_length_um", [np.array([0.0, 1.0])], "log")
    with pytest.raises(SettingsError, match="auto, log, linear"):
        choose_scale("volume_um3", [], "sqrt")
