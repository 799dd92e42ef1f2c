"""The picture of outlines: sizes, colours, scale bar."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chondria.report.overview import PANEL_PX, TRUTH, draw_overview, outlined
from chondria.volume import Volume


def square(side: int = 20) -> np.ndarray:
    labels = np.zeros((side, side), np.uint16)
    labels[5:12, 6:15] = 3
    return labels


def is_grey(rgb: np.ndarray) -> np.ndarray:
    return np.ptp(rgb, axis=-1) < 1e-6


def test_only_the_inner_edge_is_coloured() -> None:
    labels = square()
    rgb = outlined(np.full((20, 20), 100, np.uint8), labels)
    inner = np.zeros_like(labels, bool)
    inner[6:11, 7:14] = True
    np.testing.assert_array_equal(~is_grey(rgb), (labels > 0) & ~inner)
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_touching_objects_are_told_apart() -> None:
    labels = square()
    labels[5:12, 10:15] = 4
    rgb = outlined(np.full((20, 20), 100, np.uint8), labels)
    assert not is_grey(rgb[8, 9])
    assert np.abs(rgb[8, 9] - rgb[8, 10]).max() > 0.2


def test_truth_is_green_and_objects_never_are() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[1:4, 1:4] = 1
    rgb = outlined(np.full((20, 20), 100, np.uint8), square(), truth)
    np.testing.assert_allclose(rgb[1, 1], TRUTH, rtol=1e-6)
    assert is_grey(rgb[2, 2])
    labels = np.arange(1, 901, dtype=np.uint32).reshape(30, 30)  # all edge
    colours = outlined(np.zeros((30, 30)), labels)
    assert not np.any((colours[..., 1] > colours[..., 0]) & (colours[..., 1] > colours[..., 2]))


def test_grey_levels_span_the_contrast() -> None:
    image = np.linspace(1000, 3000, 400).reshape(20, 20).astype(np.uint16)
    rgb = outlined(image, np.zeros((20, 20), np.uint8))
    assert is_grey(rgb).all()
    assert rgb.min() == 0
    assert rgb.max() == 1
    assert np.all(np.diff(rgb[..., 0].ravel()) >= 0)
    assert np.isfinite(outlined(np.zeros((4, 4)), np.zeros((4, 4), np.uint8))).all()


def test_steps_keep_every_nth_pixel() -> None:
    rgb = outlined(np.zeros((50, 41)), np.zeros((50, 41), np.uint8), step=3)
    assert rgb.shape == (17, 14, 3)


def sheet_size(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    """Panels, each with a caption of 26 pixels, gaps of 12 between all, and a title."""
    return columns * (width + 12) + 12, rows * (height + 26 + 12) + 26 + 12


@pytest.mark.parametrize(
    ("shape", "panels", "size"),
    [
        # Small slices are enlarged by a whole number, large ones thinned out.
        ((1, 40, 40), 1, sheet_size(1, 1, 17 * 40, 17 * 40)),
        ((2, 40, 40), 2, sheet_size(2, 1, 17 * 40, 17 * 40)),
        ((3, 40, 40), 3, sheet_size(2, 2, 17 * 40, 17 * 40)),
        ((50, 20, 40), 4, sheet_size(2, 2, 17 * 40, 17 * 20)),
        ((1, 300, 3 * PANEL_PX), 1, sheet_size(1, 1, PANEL_PX, 100)),
        ((5, 150, 40), 4, sheet_size(2, 2, 4 * 40, 4 * 150)),
    ],
)
def test_size_of_the_picture(tmp_path: Path, shape, panels: int, size) -> None:
    image = Volume(np.random.default_rng(0).integers(0, 255, shape, np.uint8), (30, 8, 8))
    labels = np.zeros(shape, np.uint8)
    labels[:, 3:9, 4:12] = 1
    read: list[int] = []

    class Spy:
        dtype = labels.dtype

        def __init__(self) -> None:
            self.shape = labels.shape

        def __getitem__(self, z: int) -> np.ndarray:
            read.append(z)
            return labels[z]

    path = draw_overview(image, Spy(), tmp_path / "o.png", title="a title")
    assert path == tmp_path / "o.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size == size
    assert len(set(read)) == panels
    assert min(read) >= 0
    assert max(read) < shape[0]


def test_scale_bar_needs_a_voxel_size(tmp_path: Path) -> None:
    values = np.zeros((1, 60, 80), np.uint8)
    values[0, 0, 0] = 1  # black all over, but for the contrast
    pictures = []
    for size in (None, (30.0, 8.0, 8.0)):
        path = draw_overview(Volume(values, size), values * 0, tmp_path / "o.png")
        with Image.open(path) as picture:
            pictures.append(np.asarray(picture.convert("L")).copy())
    assert pictures[0].shape == pictures[1].shape
    changed = np.argwhere(pictures[0] != pictures[1])
    assert len(changed)
    assert changed[:, 0].min() > pictures[0].shape[0] / 2  # at the bottom
    assert changed[:, 1].max() < pictures[0].shape[1] / 2  # on the left
