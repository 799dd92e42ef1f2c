"""Prediction of volumes: resampled to the model's pixels and back onto the input's grid."""

from pathlib import Path

import numpy as np
import pytest

from chondria.data.resample import grid_shape, resample_slice
from chondria.errors import PixelValueError
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import ResampledSink, model_grid, predict_volume
from chondria.io import create_volume, open_volume, save_volume
from chondria.models import Model, load_model
from chondria.volume import Volume


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


def predicted(model: Model, volume: Volume, dtype: type = np.float32, **settings) -> np.ndarray:
    sink = np.full(volume.shape, 77, dtype)
    predict_volume(model, volume, sink, settings=PredictionSettings(**settings))
    return sink


def twice_as_fine(volume: Volume) -> Volume:
    fine = volume.numpy().repeat(2, axis=1).repeat(2, axis=2)
    return Volume(fine, (30.0, 5.0, 5.0))


def test_the_input_s_grid_is_the_output_s(model: Model, blobs) -> None:
    image, truth = blobs
    fine = twice_as_fine(image)
    assert model_grid(model, fine) == (56, 72)
    found = predicted(model, fine)
    assert found.shape == fine.shape
    true = twice_as_fine(truth).numpy() > 0
    overlap = np.count_nonzero((found > 0.5) & true) / np.count_nonzero((found > 0.5) | true)
    assert overlap > 0.93


def test_without_a_voxel_size_the_image_is_taken_as_it_is(model: Model, blobs) -> None:
    image = blobs[0]
    bare = Volume(image.numpy())
    assert model_grid(model, bare) == (56, 72)
    np.testing.assert_array_equal(predicted(model, bare), predicted(model, image))
    assert model_grid(model.with_card(pixel_size_nm=None), twice_as_fine(image)) == (112, 144)


@pytest.mark.parametrize("pixel_nm", [4.0, 10.0, 17.3])
@pytest.mark.parametrize("tile_px", [None, 64])
def test_a_file_gives_what_memory_gives(
    model: Model, blobs, tmp_path: Path, pixel_nm: float, tile_px: int | None
) -> None:
    image = Volume(blobs[0].numpy(), (30.0, pixel_nm, pixel_nm))
    path = save_volume(image, tmp_path / "v.ome.zarr")
    lazy = open_volume(path)
    settings = PredictionSettings(tile_px=tile_px)
    with create_volume(tmp_path / "p.zarr", image.shape, np.float32) as sink:
        predict_volume(model, lazy, sink, settings=settings)
    streamed = open_volume(tmp_path / "p.zarr").numpy()
    whole = predicted(model, image)
    assert np.ptp(whole) > 0.5
    assert np.abs(streamed - whole).max() < 1e-5


def test_bytes_are_rounded_probabilities(model: Model, blobs) -> None:
    for size in ((30.0, 10.0, 10.0), (30.0, 6.0, 6.0)):
        image = Volume(blobs[0].numpy(), size)
        floats, values = predicted(model, image), predicted(model, image, np.uint8)
        np.testing.assert_array_equal(values, np.rint(floats * 255).astype(np.uint8))


def test_each_slice_is_predicted_by_itself(model: Model, blobs) -> None:
    image = Volume(blobs[0].numpy(), (30.0, 6.0, 6.0))
    whole = predicted(model, image)
    shuffled = np.random.default_rng(0).permutation(8)
    again = predicted(model, image.with_data(image.numpy()[shuffled]))
    assert np.abs(again - whole[shuffled]).max() < 1e-5


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_pixels_are_refused_by_name(model: Model, blobs, value: float) -> None:
    values = np.repeat(blobs[0].numpy().astype(np.float32), 5, axis=0)
    values[37, 3, 3] = value  # of 40 slices, 32 are measured; this one is not
    measured = np.linspace(0, 39, 32).round()
    assert 37 not in measured
    for size in ((30.0, 10.0, 10.0), (30.0, 7.0, 7.0)):
        with pytest.raises(PixelValueError, match=r"NaN or infinite pixels in cells\.tif"):
            predict_volume(model, Volume(values, size), np.empty(values.shape), where="cells.tif")


def test_progress_ends_at_the_total(model: Model, blobs) -> None:
    told: list[tuple[int, int]] = []
    sink = np.empty(blobs[0].shape, np.float32)
    predict_volume(model, blobs[0], sink, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (8, 8)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_resampled_sink_hands_on_whole_slices() -> None:
    sink = np.full((2, 30, 44), -1, np.float32)
    values = np.random.default_rng(0).random((2, 15, 22), np.float32)
    resampled = ResampledSink(sink, (15, 22))
    assert resampled.shape == (2, 15, 22)
    resampled[0, 0:10, 0:22] = values[0, :10]
    resampled[1, 0:15, 0:5] = values[1, :, :5]
    assert (sink == -1).all()
    resampled[0, 10:15, 0:22] = values[0, 10:]
    np.testing.assert_array_equal(sink[0], resample_slice(values[0], (30, 44)))
    assert (sink[1] == -1).all()
    resampled[1, 0:15, 5:22] = values[1, :, 5:]
    np.testing.assert_array_equal(sink[1], resample_slice(values[1], (30, 44)))
    with pytest.raises(NotImplementedError):
        resampled[0]


def test_model_grid_rounds(model: Model) -> None:
    volume = Volume(np.zeros((1, 101, 77), np.uint8), (50.0, 4.6, 4.6))
    expected = grid_shape((101, 77), (4.6, 4.6), (10.0, 10.0))
    assert model_grid(model, volume) == expected == (46, 35)
