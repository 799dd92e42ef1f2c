"""Whole volumes through a classifier of supervoxels: any type, grid and sink."""

from dataclasses import replace

import numpy as np
import pytest

from chondria.data.normalize import measure_normalisation
from chondria.errors import SettingsError
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.volumes import choose_compute_for, predict_volume
from chondria.models import Model, ModelCard
from chondria.supervoxels.classifier import (
    Example,
    SupervoxelClassifier,
    describe,
    fit_classifier,
)
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions
from chondria.volume import Volume

OPTIONS = SupervoxelOptions(scales_nm=(10, 30), hops=0, trees=20, share=1.0)


@pytest.fixture(scope="module")
def model(blobs) -> Model:
    image, labels = (volume.numpy() for volume in blobs)
    normal = ((image - image.mean()) / image.std()).astype(np.float32)
    size = blobs[0].voxel_size_nm
    example = Example.of(describe(normal, size, OPTIONS), labels > 0, range(len(image)))
    card = ModelCard("regions", "", SUPERVOXELS, {}, pixel_size_nm=(10.0, 10.0))
    return Model(fit_classifier([example], size, OPTIONS, 0), card)


def predicted(model: Model, volume: Volume, dtype=np.float32, tta="none", progress=None):
    sink = np.empty(volume.shape, dtype)
    settings = PredictionSettings(Compute(), tta=tta)
    agreement = predict_volume(model, volume, sink, settings=settings, progress=progress)
    assert agreement.mean_difference is None
    return sink


def test_it_is_what_the_classifier_says_of_normalised_pixels(model, blobs) -> None:
    image = blobs[0].numpy()
    assert isinstance(model.predictor, SupervoxelClassifier)
    normal = measure_normalisation(image)(image)
    expected = model.predictor.predict(normal, blobs[0].voxel_size_nm)
    assert np.array_equal(predicted(model, blobs[0]), expected)
    by_byte = predicted(model, blobs[0], np.uint8)
    assert np.array_equal(by_byte, np.rint(255 * predicted(model, blobs[0])))


def test_another_pixel_size_is_resampled_and_back(model, blobs) -> None:
    image = blobs[0].numpy().repeat(2, 1).repeat(2, 2)
    fine = predicted(model, Volume(image, (30.0, 5.0, 5.0)))
    assert fine.shape == image.shape
    found, true = fine > 0.5, blobs[1].numpy().repeat(2, 1).repeat(2, 2) > 0
    assert np.count_nonzero(found & true) / np.count_nonzero(found | true) > 0.7


def test_without_a_voxel_size_that_of_the_training_is_taken(model, blobs) -> None:
    bare = predicted(model, Volume(blobs[0].numpy()))
    assert np.array_equal(bare, predicted(model, blobs[0]))
    other = predicted(model, blobs[0].with_data(blobs[0].numpy()[:, :40, :50]))
    assert other.shape == (8, 40, 50)


def test_averaged_over_flips_and_rotations_a_turned_image_gives_the_turned(model, blobs) -> None:
    told = []
    whole = predicted(model, blobs[0], tta="d4", progress=lambda *step: told.append(step))
    assert told == [(i, 8) for i in range(1, 9)]
    turned = Volume(np.rot90(blobs[0].numpy(), axes=(1, 2)).copy(), (30.0, 10.0, 10.0))
    back = np.rot90(predicted(model, turned, tta="d4"), -1, axes=(1, 2))
    assert back == pytest.approx(whole, abs=1e-5)


def test_numpy_computes_it_whatever_is_asked_for(model, blobs) -> None:
    compute = choose_compute_for(model, blobs[0])
    assert compute.backend == "numpy"
    assert str(compute).endswith("NumPy fp32")


def test_the_card_decides_on_the_grid(model, blobs) -> None:
    free = replace(model, card=replace(model.card, pixel_size_nm=None))
    assert np.array_equal(predicted(free, blobs[0]), predicted(model, blobs[0]))


def test_windows_of_supervoxels_are_refused(model, blobs) -> None:
    sink = np.empty(blobs[0].shape, np.float32)
    settings = PredictionSettings(Compute(), blending="spline")
    with pytest.raises(SettingsError, match="only 2-D networks see slices in windows"):
        predict_volume(model, blobs[0], sink, settings=settings)
