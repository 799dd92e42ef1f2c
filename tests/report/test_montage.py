"""The montage shows each test slice under each model's outlines."""

import numpy as np
from PIL import Image

from chondria.report.montage import CELL_PX, SeenSlice, draw_montage


def seen(side: int, predicted: list[str]) -> SeenSlice:
    grey = np.random.default_rng(0).integers(0, 255, (side, side), dtype=np.uint8)
    mask = np.zeros((side, side), bool)
    mask[side // 4 : side // 2, side // 4 : side // 2] = True
    return SeenSlice(grey, mask, {name: np.roll(mask, 3) for name in predicted})


def test_a_cell_for_every_pair_that_there_is(tmp_path, monkeypatch) -> None:
    from matplotlib.axes import Axes

    shapes = []
    imshow = Axes.imshow
    monkeypatch.setattr(
        Axes,
        "imshow",
        lambda self, rgb, **how: shapes.append(rgb.shape) or imshow(self, rgb, **how),
    )
    rows = {"a": seen(40, ["a", "b"]), "b": seen(2 * CELL_PX, ["a"])}
    path = draw_montage(rows, ["a", "b"], tmp_path / "m.png", "title")
    # Large slices are cut, small ones stay as they are; the cell without a mask stays empty.
    assert shapes == [(40, 40, 3), (40, 40, 3), (CELL_PX, CELL_PX, 3)]
    with Image.open(path) as picture:
        assert picture.width == picture.height
