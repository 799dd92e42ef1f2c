"""One sheet with every metric of a prediction."""

import json

import numpy as np
import pytest

from chondria.errors import PixelValueError, SettingsError, ShapeError, VoxelSizeError
from chondria.evaluation.sheet import MetricRow, score

PROMISED = {
    *("iou", "iou_per_tile", "voc", "dice", "precision", "recall", "accuracy"),
    *("det", "det_per_slice", "ap50", "ap75", "f1_50", "f1_75", "pq"),
    *("vi_split", "vi_merge", "adapted_rand_error"),
    *("n_truth_objects", "n_predicted_objects"),
    *("true_positives", "false_positives", "false_negatives"),
}


def two_bars() -> np.ndarray:
    """Two touching bars through five slices, as instances."""
    truth = np.zeros((5, 8, 8), np.uint16)
    truth[:, 2:4, 1:7], truth[:, 4:6, 1:7] = 300, 301
    return truth


def test_a_perfect_prediction() -> None:
    truth = two_bars()
    sheet = score(truth, truth, truth_is_instances=True, prediction_is_instances=True).as_dict()
    assert sheet.keys() >= PROMISED
    ones = PROMISED - {"vi_split", "vi_merge", "adapted_rand_error"}
    ones -= {name for name in PROMISED if name.startswith(("n_", "true", "false"))}
    assert {name: sheet[name] for name in ones} == dict.fromkeys(ones, 1.0)
    assert sheet["vi_split"] == sheet["vi_merge"] == sheet["adapted_rand_error"] == 0
    assert sheet["n_truth_objects"] == sheet["true_positives"] == 2


def test_a_mask_joins_what_touches() -> None:
    truth = two_bars()
    mask = (truth > 0).astype(np.uint8) * 255
    assert score(mask, mask).as_dict()["n_truth_objects"] == 1
    against_instances = score(mask, truth, truth_is_instances=True).as_dict()
    assert against_instances["n_truth_objects"] == 2
    assert against_instances["n_predicted_objects"] == against_instances["merged_objects"] == 1
    assert against_instances["det"] == 1 - 5 / 20
    assert against_instances["det_per_slice"] == 1 - 5 / 20
    assert against_instances["iou"] == 1.0


def test_the_sheet_is_json() -> None:
    truth = two_bars() > 0
    sheet = score(np.zeros_like(truth), truth, voxel_size_nm=(5, 5, 5)).as_dict()
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
    assert sheet["boundary_hausdorff95_nm"] is None
    assert {type(value) for value in sheet.values()} == {float, int, type(None)}


def test_every_row_says_what_it_is_averaged_over() -> None:
    truth = two_bars() > 0
    sheet = score(truth, truth, tile_px=4, voxel_size_nm=(5, 5, 5))
    rows = {row.name: row for row in sheet.rows()}
    assert len(rows) == len(sheet.rows())
    assert all(row.averaged_over for row in rows.values())
    assert rows["iou"] == MetricRow("iou", 1.0, "all voxels of the volume")
    assert rows["iou_per_tile"].averaged_over == "20 tiles of 4 px, empty ones count 0"
    assert rows["det"].averaged_over == "1 true 3-D objects"
    assert rows["det_per_slice"].averaged_over == "5 true 2-D profiles, slice by slice"
    assert rows["boundary_mean_distance_nm"].value == 0.0


def test_one_slice_has_2d_objects() -> None:
    image = two_bars()[0] > 0
    rows = {row.name: row.averaged_over for row in score(image, image).rows()}
    assert rows["det"] == "1 true 2-D objects"
    assert not any("3-D" in scope for scope in rows.values())


def test_empty_volumes_have_defined_scores() -> None:
    nothing, truth = np.zeros((5, 8, 8), bool), two_bars() > 0
    both = score(nothing, nothing).as_dict()
    assert [both[name] for name in ("iou", "voc", "dice", "det", "ap50", "pq")] == [1.0] * 6
    for pair in ((nothing, truth), (truth, nothing)):
        one = score(*pair).as_dict()
        assert [one[name] for name in ("iou", "dice", "det", "ap50", "f1_75", "pq")] == [0.0] * 6


def test_arrays_may_be_read_only_and_of_any_layout() -> None:
    truth = two_bars()
    expected = score(truth, truth, truth_is_instances=True, prediction_is_instances=True).as_dict()
    truth = np.asfortranarray(truth)
    truth.setflags(write=False)
    found = score(truth, truth, truth_is_instances=True, prediction_is_instances=True)
    assert found.as_dict() == expected
    mask = truth > 0
    mask.setflags(write=False)
    assert score(mask, mask).as_dict()["iou"] == 1.0


def test_the_steps_are_told() -> None:
    steps: list[str] = []
    image = two_bars() > 0
    score(image, image, progress=steps.append)
    assert steps == ["objects", "overlaps", "slices", "tiles"]
    steps.clear()
    score(image, image, voxel_size_nm=(5, 5, 5), progress=steps.append)
    assert steps[-1] == "boundaries"


def test_unusable_input_is_refused() -> None:
    truth = two_bars()
    with pytest.raises(ShapeError, match=r"\(4, 8, 8\).*\(5, 8, 8\)"):
        score(truth[1:], truth)
    with pytest.raises(PixelValueError, match="0, 300, 301 in the truth"):
        score(truth > 0, truth)
    with pytest.raises(PixelValueError, match="in the prediction"):
        score(truth / 600, truth, truth_is_instances=True)
    with pytest.raises(SettingsError, match="tile"):
        score(truth > 0, truth > 0, tile_px=-1)
    with pytest.raises(VoxelSizeError):
        score(truth > 0, truth > 0, voxel_size_nm=(5, 5))
