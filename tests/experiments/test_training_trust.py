"""What the end of a training learns of its trust, on validation slices only."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from chondria.data.normalize import measure_normalisation
from chondria.data.splits import Split
from chondria.data.training_volume import TrainingVolume
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.training_trust import learned_trust
from chondria.experiments.validation_slices import gather_validation
from chondria.experiments.volume_segmentation import segment_volume
from chondria.models import Model, load_model
from chondria.training.validation import validation_map
from chondria.trust.record import TrustRecord


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model).with_card(
        data=[{"name": "blobs", "voxel_size_nm": (30.0, 5.0, 5.0)}], threshold=0.4
    )


def volume(blobs, validation: list[int]) -> TrainingVolume:
    image, labels = (v.numpy() for v in blobs)
    train = [z for z in range(8) if z not in validation]
    normalisation = measure_normalisation(image, "volume", "blobs")
    return TrainingVolume.from_arrays(
        "blobs", image, labels > 0, normalisation, Split(train, validation)
    )


def learned(model: Model, blobs, validation: list[int]) -> TrustRecord:
    of = volume(blobs, validation)
    seen = gather_validation([of], model.card, partial(validation_map, model.network, stride_px=2))
    return TrustRecord.from_dict(learned_trust(seen, model.card))


def test_the_map_is_that_of_a_segmentation(model, blobs) -> None:
    found = validation_map(model.network, volume(blobs, list(range(8))), 2)
    settings = SegmentationSettings(device="cpu", precision="fp32", backend="torch")
    expected = segment_volume(model, blobs[0], settings).probability.numpy()
    np.testing.assert_array_equal(found, expected)


def test_pixels_objects_and_errors_of_the_validation_slices(model, blobs) -> None:
    record = learned(model, blobs, [4, 5, 6, 7])
    assert record.pixels_before.count == 4 * 56 * 72
    truth = blobs[1].numpy()[4:]
    assert record.tally.true_objects == record.tally.predicted_objects == np.unique(truth).size - 1
    assert record.tally.true_voxels == np.count_nonzero(truth)
    # At the model's pixel size, in slices as thick as they are.
    assert record.scopes[0].voxel_size_nm == (30, 10, 10)
    assert record.settings["threshold"] == 0.4
    assert record.units.predicted[:, 2].sum() == pytest.approx(np.count_nonzero(truth) * 3e-6)


def test_single_slices_and_unknown_sizes_calibrate_pixels_only(model, blobs) -> None:
    assert learned(model, blobs, [3, 5, 7]).tally is None
    unknown = model.with_card(data=[{"name": "blobs", "voxel_size_nm": None}])
    record = learned(unknown, blobs, [4, 5])
    assert (record.tally, record.objects) == (None, ())
    assert record.pixels_before.count == 2 * 56 * 72


def test_without_validation_nothing_is_claimed(model, blobs) -> None:
    none = gather_validation([volume(blobs, [])], model.card, None)
    assert learned_trust(none, model.card) == {}
