"""Learning curves of every kind of history."""

import pytest

from chondria.report.learning_curves import counted_in, learning_curves

PLAIN = [{"step": 10.0 * n, "train_loss": 1 / n, "rate": 1e-3, "seconds": 1.0} for n in (1, 2, 3)]
VALIDATED = [row | {"validation_loss": 0.5, "validation_iou": 0.7} for row in PLAIN]


def test_without_validation_there_is_the_loss_only() -> None:
    (loss,) = learning_curves(PLAIN, kept=30.0)
    assert (loss.name, loss.along, loss.mark) == ("Loss", "step", (30.0, "kept"))
    assert loss.x == [10, 20, 30]
    assert loss.lines == {"training": [1, 1 / 2, 1 / 3]}


def test_one_volume_and_several() -> None:
    loss, iou = learning_curves([row | {"iou_one": 0.7} for row in VALIDATED])
    assert loss.lines == {"training": [1, 1 / 2, 1 / 3], "validation": [0.5] * 3}
    assert iou.lines == {"validation, one": [0.7] * 3}
    _, iou = learning_curves([row | {"iou_one": 0.6, "iou_two": 0.8} for row in VALIDATED])
    assert iou.lines == {"one": [0.6] * 3, "two": [0.8] * 3, "mean of validation": [0.7] * 3}


def test_what_is_watched_has_lines_of_its_own() -> None:
    rows = [row | {"iou_one": 0.7, "test_loss": 2.0, "test_iou": 0.3} for row in VALIDATED]
    loss, iou = learning_curves(rows)
    assert loss.lines["test"] == [2.0] * 3
    assert iou.lines == {"validation, one": [0.7] * 3, "test": [0.3] * 3}


def test_a_row_may_lack_a_value() -> None:
    (loss,) = learning_curves([PLAIN[0], VALIDATED[1]])
    assert loss.lines["validation"] == [None, 0.5]


@pytest.mark.parametrize(("network", "counted"), [("unet", "step"), ("supervoxels", "tree")])
def test_what_is_counted(network: str, counted: str) -> None:
    assert counted_in(network) == counted
