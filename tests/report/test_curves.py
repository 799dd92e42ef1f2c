"""Training curves are drawn for every kind of history."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from chondria.report.curves import draw_curves

PLAIN = [{"step": 10.0 * n, "train_loss": 1 / n, "rate": 1e-3, "seconds": 1.0} for n in (1, 2, 3)]
VALIDATED = [
    row | {"validation_loss": 0.5, "validation_iou": 0.7, "iou_one": 0.6, "iou_two": 0.8}
    for row in PLAIN
]


@pytest.mark.parametrize("history", [PLAIN, VALIDATED, VALIDATED[:1]])
def test_picture(tmp_path: Path, history: list[dict[str, float]]) -> None:
    path = draw_curves(history, tmp_path / "curves.png")
    assert path == tmp_path / "curves.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size == (990, 396)
        assert np.asarray(picture.convert("L")).std() > 5


def test_what_is_drawn(tmp_path: Path, monkeypatch) -> None:
    from matplotlib.axes import Axes

    lines: dict[str, list[float]] = {}
    plot = Axes.plot

    def spy(self, x, y, **options):
        lines[options["label"]] = list(y)
        return plot(self, x, y, **options)

    monkeypatch.setattr(Axes, "plot", spy)
    draw_curves(VALIDATED, tmp_path / "curves.png")
    assert lines == {
        "training": [1, 1 / 2, 1 / 3],
        "validation": [0.5] * 3,
        "one": [0.6] * 3,
        "two": [0.8] * 3,
        "mean": [0.7] * 3,
    }
