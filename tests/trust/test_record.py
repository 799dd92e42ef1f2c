"""All that is learned of a model's trust, and back from JSON."""

import json

import numpy as np
import pytest

from chondria.errors import ModelError
from chondria.trust.error_units import ErrorTally, ErrorUnits
from chondria.trust.level_counts import LevelCounts
from chondria.trust.propagation import propagate
from chondria.trust.record import ObjectEvidence, TrustRecord, VolumeEvidence, fit_trust
from chondria.trust.scope import Scope


def evidence(seed: int, objects: int = 40) -> VolumeEvidence:
    rng = np.random.default_rng(seed)
    every = rng.integers(1, 1000, (4, 256))
    blocks = [
        LevelCounts(row, (row * np.linspace(0.1, 0.9, 256)).astype(np.int64)) for row in every
    ]
    names = ("log_diameter", "logit_mean_probability", "log_sharpness", "view_agreement")
    features = {name: rng.normal(size=objects) for name in names}
    true = features["log_diameter"] + rng.normal(size=objects) > 0
    found = ObjectEvidence(features, rng.random(objects), true, rng.integers(0, 4, objects))
    sides = rng.random((2, objects, 4))
    errors = (ErrorUnits(*sides, rng.integers(0, 4, objects), True), ErrorTally(*range(9)))
    return VolumeEvidence(
        blocks, found, errors, Scope(f"v{seed}", (5.0, 5.0, 5.0), 100.0, 0.1, 1.0)
    )


def test_a_record_survives_json() -> None:
    record = fit_trust([evidence(0), evidence(1)], {"threshold": 0.5})
    again = TrustRecord.from_dict(json.loads(json.dumps(record.as_dict())))
    assert again.as_dict() == record.as_dict()
    for name in (
        "pixels",
        "pixels_before",
        "pixels_after",
        "objects",
        "objects_after",
        "scopes",
        "tally",
    ):
        assert getattr(again, name) == getattr(record, name)
    assert again.units is not None
    np.testing.assert_allclose(again.units.true, record.units.true, rtol=1e-5)


def test_volumes_are_pooled_and_agreements_used_where_all_have_them() -> None:
    record = fit_trust([evidence(0), evidence(1)])
    assert [len(objects.features) for objects in record.objects] == [3, 4]
    assert record.objects[0].objects == 80
    assert len(record.units) == 80
    assert len(record.scopes) == 2
    assert (
        record.pixels_after.expected_calibration_error
        < record.pixels_before.expected_calibration_error
    )
    assert (
        record.objects_after.expected_calibration_error
        < record.objects_before.expected_calibration_error
    )


def test_pixels_alone_are_enough() -> None:
    record = fit_trust([VolumeEvidence(evidence(0).blocks)])
    assert (record.objects, record.units, record.tally, record.scopes) == ((), None, None, ())
    assert TrustRecord.from_dict(record.as_dict()).as_dict() == record.as_dict()


def test_slices_without_objects_are_a_record_too() -> None:
    record = fit_trust([evidence(0, objects=0)])
    again = TrustRecord.from_dict(json.loads(json.dumps(record.as_dict())))
    assert len(again.units) == 0
    assert again.objects[0].of({}, 1) == [0.5]
    assert propagate(again.units, {"count": 3.0}) == []


@pytest.mark.parametrize("broken", [{}, {"pixels": {"warmth": 1}}])
def test_what_is_no_record_is_refused(broken) -> None:
    with pytest.raises(ModelError, match="chondria calibrate"):
        TrustRecord.from_dict(broken)
