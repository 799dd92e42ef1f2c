"""Matrices: rows are tested on, columns learned from, and what is missing stays empty."""

import csv

import numpy as np
import pytest
from PIL import Image

from chondria.report.matrix import Matrix, draw_matrices, matrix_table, write_matrices

NAN = np.nan


def matrix(name: str = "with", metric: str = "iou") -> Matrix:
    return Matrix(
        name,
        metric,
        ("a", "b"),
        np.array([[2, 1], [2, 0]]),
        np.array([[0.9, 0.5], [0.3, NAN]]),
        np.array([[0.01, NAN], [0.02, NAN]]),
        np.array([[0.87, NAN], [NAN, 0.7]]),
    )


def test_a_table_for_people() -> None:
    table = matrix_table(matrix())
    assert list(table.headings) == ["test \\ training", "a", "b"]
    assert table.lines == [
        ("a", "0.9000 ± 0.0100 [0.8700]", "0.5000"),
        ("b", "0.3000 ± 0.0200", "[0.7000]"),
    ]
    assert table.caption == "iou, with matching, n = 1 or 2; [published]"


def test_files_hold_every_cell(tmp_path) -> None:
    write_matrices([matrix(), matrix("without")], tmp_path, "title", "notes")
    with (tmp_path / "matrix.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    assert rows[1] == {
        "matrix": "with",
        "metric": "iou",
        "test": "a",
        "train": "b",
        "n": "1",
        "mean": "0.5",
        "sd": "",
        "published": "",
    }
    assert (rows[3]["n"], rows[3]["mean"], rows[3]["published"]) == ("0", "", "0.7")
    assert "## iou, without matching" in (tmp_path / "matrix.md").read_text(encoding="utf-8")
    assert (tmp_path / "matrix.html").read_text(encoding="utf-8").count("<table>") == 2


@pytest.mark.parametrize("names", [["with"], ["with", "without"]])
def test_a_heat_map_for_each_metric_and_name(tmp_path, monkeypatch, names) -> None:
    from matplotlib.axes import Axes

    drawn = []
    imshow = Axes.imshow
    monkeypatch.setattr(
        Axes,
        "imshow",
        lambda self, values, **how: drawn.append(values) or imshow(self, values, **how),
    )
    matrices = [matrix(name, metric) for name in names for metric in ("iou", "det")]
    path = draw_matrices(matrices, tmp_path / "m.png", "title")
    assert len(drawn) == len(matrices)
    np.testing.assert_array_equal(drawn[0], matrix().mean)
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).std() > 5
