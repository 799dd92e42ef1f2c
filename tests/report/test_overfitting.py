"""Pictures of a study draw every role, with or without spread and published points."""

import numpy as np
import pytest
from PIL import Image

from chondria.report.overfitting import draw_learning_curves, draw_loss_correlation

COLUMNS = {"loss": {"training": "t", "validation": "v", "test": "u"}}


def history(shift: float, steps: int) -> list[dict[str, float]]:
    return [
        {"step": float(n), "t": 1 / n + shift, "v": 1.1 / n + shift, "u": 1.3 / n - shift}
        for n in range(1, steps + 1)
    ]


@pytest.mark.parametrize("runs", [1, 2])
def test_curves_are_means_over_runs(tmp_path, monkeypatch, runs) -> None:
    from matplotlib.axes import Axes

    lines: dict[str, list[float]] = {}
    plot = Axes.plot

    def spy(self, x, y, *more, **options):
        if "label" in options and options["label"] in COLUMNS["loss"]:
            lines[options["label"]] = list(y)
        return plot(self, x, y, *more, **options)

    monkeypatch.setattr(Axes, "plot", spy)
    curves = [history(0.1 * run, 4) for run in range(runs)]
    ends = {2.0: [history(0.0, 2)[-1]], 4.0: [rows[-1] for rows in curves]}
    path = draw_learning_curves(curves, ends, COLUMNS, tmp_path / "c.png", title="t")
    shift = 0.05 * (runs - 1)
    assert lines["training"] == pytest.approx([1 / n + shift for n in (1, 2, 3, 4)])
    assert lines["test"] == pytest.approx([1.3 / n - shift for n in (1, 2, 3, 4)])
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).std() > 5


@pytest.mark.parametrize("n", [1, 5])
def test_losses_against_losses(tmp_path, n) -> None:
    losses = {role: [0.1 * k for k in range(n)] for role in ("training", "validation", "test")}
    said = {"training": "r = 1", "validation": "r = 1"}
    path = draw_loss_correlation(
        losses, said, tmp_path / "c.png", published=losses if n > 1 else None
    )
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).std() > 5
