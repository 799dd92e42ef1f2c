"""Crops: true proportions, and places at the border."""

import numpy as np
import pytest
from PIL import Image

from chondria.report.crops import GAP_PX, PANEL_PX, draw_crop


@pytest.mark.parametrize("place", [(0, 0, 0), (9, 199, 299), (5, 100, 150)])
@pytest.mark.parametrize("field_nm", [500.0, None])
def test_views_have_true_proportions_everywhere(tmp_path, place, field_nm):
    image = np.random.default_rng(0).integers(0, 255, (10, 200, 300), np.uint8)
    labels = np.zeros(image.shape, np.uint16)
    labels[2:8, 50:150, 50:250] = 1
    path = draw_crop(image, labels, place, (40.0, 5.0, 5.0), tmp_path / "crop.png", field_nm)
    with Image.open(path) as picture:
        width, height = picture.size
    assert width == 3 * PANEL_PX + 2 * GAP_PX
    # 10 slices of 40 nm beside 500 nm or 1500 nm; the slice itself is 1000 nm high.
    assert height == pytest.approx(PANEL_PX * (1 if field_nm else 2 / 3), abs=1)


def test_one_slice_can_be_drawn(tmp_path):
    image = np.zeros((1, 30, 30), np.uint8)
    path = draw_crop(image, image, (0, 15, 15), (40.0, 10.0, 10.0), tmp_path / "crop.png")
    assert path.is_file()
