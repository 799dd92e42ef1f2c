"""The model of the package on real data, whole, tiled and cropped.

It has learned from these slices: what is tested is that nothing is lost or shifted between a file
and its labels, not how good the model is (recipes/LOG.md).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from chondria.evaluation.objects import as_mask
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import predict_volume
from chondria.io import open_volume, save_volume
from chondria.models import DEFAULT_MODEL, Model, bundled_models, load_model
from chondria.volume import Volume

pytestmark = pytest.mark.slow

LUCCHI_NM = (5.0, 5.0, 5.0)


@pytest.fixture(scope="module")
def model() -> Model:
    assert DEFAULT_MODEL in bundled_models(), "the package comes without its model"
    return load_model()


@pytest.fixture(scope="module")
def crop(data_folder: Path) -> tuple[Volume, np.ndarray]:
    """Odd numbers of slices, rows and columns of the last slices, and their mask."""
    folder = data_folder / "lucchi++" / "train"
    part = np.s_[150:157, 31:632, 17:820]
    image = open_volume(folder / "images").data[part]
    mask = as_mask(open_volume(folder / "labels").data[part])
    assert image.shape == mask.shape == (7, 601, 803)
    return Volume(image, LUCCHI_NM), mask


def predicted(model: Model, volume: Volume, tile_px: int | None) -> np.ndarray:
    sink = np.empty(volume.shape, np.float32)
    settings = PredictionSettings(Compute(), tile_px=tile_px)
    predict_volume(model, volume, sink, settings=settings)
    return sink


def test_segment_an_odd_crop(run_cli, model: Model, crop, tmp_path: Path) -> None:
    image, mask = crop
    path = save_volume(image, tmp_path / "crop.tif")
    truth = save_volume(image.with_data(mask.astype(np.uint8)), tmp_path / "truth.tif")
    run, scores = tmp_path / "run", tmp_path / "scores.json"
    code, _, err = run_cli("segment", path, "-o", run, "--precision", "fp32", "--device", "cpu")
    assert code == 0, err
    labels = open_volume(run / "labels.tif")
    assert labels.shape == image.shape
    assert labels.voxel_size_nm == pytest.approx(LUCCHI_NM)
    code, _, err = run_cli("evaluate", run, truth, "--json", scores)
    assert code == 0, err
    found = json.loads(scores.read_text())
    assert found["iou"] > 0.8
    assert found["det_per_slice"] > 0.7


@pytest.mark.parametrize("as_it_is", [True, False], ids=["as it is", "resampled"])
def test_tiles_equal_the_whole(model: Model, crop, data_folder: Path, as_it_is: bool) -> None:
    # As it is, the slice is wider than the tiles; resampled, it goes through the sink's slices.
    images = open_volume(data_folder / "lucchi++" / "train" / "images", LUCCHI_NM)
    data = images.data[150:151, :601, :] if as_it_is else crop[0].numpy()[:2]
    volume = Volume(data, None if as_it_is else LUCCHI_NM)
    whole = predicted(model, volume, None)
    assert np.ptp(whole) > 0.9
    # 601 is prime: no tile of the three fits the slice evenly.
    for tile_px in (256, 512, 1024):
        tiled = predicted(model, volume, tile_px)
        assert np.abs(tiled - whole).max() < 1e-5, tile_px


def test_a_folder_and_its_slices_give_the_same(run_cli, model: Model, crop, tmp_path: Path) -> None:
    image = Volume(crop[0].numpy()[:3, :301, :401], LUCCHI_NM)
    folder = save_volume(image, tmp_path / "slices", "png-slices")
    tail = ("--voxel-size", "5,5,5", "--precision", "fp32", "--device", "cpu")
    for name, images in (("one", [folder]), ("two", sorted(folder.glob("*.png")))):
        code, _, err = run_cli("predict", *images, "-o", tmp_path / f"{name}.zarr", *tail)
        assert code == 0, err
    one, two = (open_volume(tmp_path / f"{name}.zarr").numpy() for name in ("one", "two"))
    np.testing.assert_array_equal(one, two)


def test_turned_input_is_found_as_well(model: Model, crop) -> None:
    """Mitochondria have no up or down: a quarter turn changes little."""
    image, mask = crop
    small = Volume(image.numpy()[:1], LUCCHI_NM)
    turned = Volume(np.rot90(small.numpy(), axes=(1, 2)).copy(), LUCCHI_NM)
    plain = predicted(model, small, None) > 0.5
    back = np.rot90(predicted(model, turned, None), -1, axes=(1, 2)) > 0.5
    agreement = np.count_nonzero(plain & back) / np.count_nonzero(plain | back)
    assert agreement > 0.85
    assert mask[:1].any()
