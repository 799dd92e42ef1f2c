"""Evaluation of files: run folders, masks, label maps."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from chondria.errors import InputNotFoundError, PixelValueError, ShapeError
from chondria.experiments.evaluation import evaluate, find_labels
from chondria.io import save_volume
from chondria.volume import Volume


def test_formats_do_not_matter(blobs, tmp_path: Path) -> None:
    truth = blobs[1]
    one = save_volume(truth, tmp_path / "a.tif")
    two = save_volume(truth, tmp_path / "b.ome.zarr")
    sheet = evaluate(one, two, truth_is_instances=True).as_dict()
    assert sheet["iou"] == sheet["pq"] == 1
    assert sheet["n_truth_objects"] == 4


def test_a_label_map_is_told_from_a_mask(tmp_path: Path) -> None:
    labels = np.zeros((1, 20, 20), np.uint8)
    labels[0, 2:8, 2:8] = 1
    labels[0, 8:14, 2:8] = 2  # touches the first
    truth = save_volume(Volume(labels), tmp_path / "truth.tif")
    mask = save_volume(Volume((labels > 0) * np.uint8(255)), tmp_path / "mask.tif")
    as_labels = evaluate(truth, truth, truth_is_instances=True).as_dict()
    as_mask = evaluate(mask, truth, truth_is_instances=True).as_dict()
    assert as_labels["n_predicted_objects"] == 2
    assert as_mask["n_predicted_objects"] == 1
    assert as_labels["iou"] == as_mask["iou"] == 1
    assert evaluate(truth, mask).as_dict()["n_truth_objects"] == 1


def test_boundaries_need_a_voxel_size(tmp_path: Path) -> None:
    mask = np.zeros((1, 20, 20), np.uint8)
    mask[0, 2:8, 2:8] = 1
    bare = save_volume(Volume(mask), tmp_path / "bare.tif")
    moved = save_volume(Volume(np.roll(mask, 1, 2)), tmp_path / "moved.tif")
    sized = save_volume(Volume(mask, (30.0, 5.0, 5.0)), tmp_path / "sized.tif")
    assert evaluate(moved, bare).as_dict()["boundary_hausdorff95_nm"] is None
    assert evaluate(moved, sized).as_dict()["boundary_hausdorff95_nm"] == pytest.approx(5)
    given = evaluate(moved, sized, voxel_size_nm=(30, 8, 8)).as_dict()
    assert given["boundary_hausdorff95_nm"] == pytest.approx(8)


def test_progress_is_told(blobs, tmp_path: Path) -> None:
    path = save_volume(blobs[1], tmp_path / "a.tif")
    told: list[str] = []
    evaluate(path, path, truth_is_instances=True, progress=told.append)
    assert told == ["objects", "overlaps", "slices", "tiles", "boundaries"]


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    one = save_volume(Volume(np.eye(8, dtype=np.uint8)[None]), tmp_path / "a.tif")
    two = save_volume(Volume(np.eye(9, dtype=np.uint8)[None]), tmp_path / "b.tif")
    grey = save_volume(
        Volume(np.arange(64, dtype=np.uint8).reshape(1, 8, 8)), tmp_path / "grey.tif"
    )
    with pytest.raises(ShapeError, match=r"a\.tif.*b\.tif"):
        evaluate(one, two)
    with pytest.raises(PixelValueError, match="in the truth; a mask holds 0"):
        evaluate(one, grey)
    with pytest.raises(InputNotFoundError):
        evaluate(one, tmp_path / "no.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_probability_map_is_no_label_map(blobs, tmp_path: Path, dtype) -> None:
    labels = blobs[1].numpy()
    truth = save_volume(Volume(labels), tmp_path / "labels.tif")
    smooth = gaussian_filter((labels > 0) * 255.0, (0, 2, 2)).astype(dtype)
    grey = save_volume(Volume(smooth), tmp_path / "probability.tif")
    with pytest.raises(PixelValueError, match=r"probability\.tif'.*threshold the probabilities"):
        evaluate(grey, truth, truth_is_instances=True)


@pytest.mark.parametrize("name", ["labels.npy", "labels.ome.zarr", "labels", "labels.nii"])
def test_labels_of_a_run(tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert find_labels(run) == run  # a folder of slices, perhaps
    (run / "run.json").write_text("{}")
    (run / "labels.npy.json").write_text("{}")
    (run / "probability.npy").touch()
    with pytest.raises(InputNotFoundError, match="no label map in the run folder"):
        find_labels(run)
    (run / name).touch()
    assert find_labels(run) == run / name
