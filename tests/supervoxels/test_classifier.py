"""Supervoxels find what a threshold cannot: dark bodies among dark lines."""

import numpy as np
import pytest

from chondria.errors import ModelError, PixelValueError
from chondria.supervoxels.classifier import (
    Example,
    SupervoxelClassifier,
    describe,
    fit_classifier,
)
from chondria.supervoxels.options import SupervoxelOptions

OPTIONS = SupervoxelOptions(region_nm=40, scales_nm=(10, 20, 40), hops=1, trees=15, share=1.0)


def bodies(seed: int, z_nm: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Dark balls of 120 nm radius, which count, among lines as dark, which do not."""
    rng = np.random.default_rng(seed)
    shape = (round(400 / z_nm), 80, 80)
    z, y, x = np.indices(shape)
    mask = np.zeros(shape, bool)
    for centre in rng.uniform((0, 100, 100), (400, 700, 700), (6, 3)):
        near = (z * z_nm - centre[0]) ** 2 + (10 * y - centre[1]) ** 2 + (10 * x - centre[2]) ** 2
        mask |= near < 120**2
    lines = ((x + y + seed) % 17 < 3) & ((x // 24 + y // 24) % 2 == 0)
    grey = rng.normal(1, 0.3, shape) - 2.5 * (mask | lines)
    return grey.astype(np.float32), mask


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


def fitted(size_nm=(20.0, 10.0, 10.0), options=OPTIONS, seed=0) -> SupervoxelClassifier:
    image, mask = bodies(1, size_nm[0])
    example = Example.of(describe(image, size_nm, options), mask, range(len(image)))
    return fit_classifier([example], size_nm, options, seed)


@pytest.fixture(scope="module")
def classifier() -> SupervoxelClassifier:
    return fitted()


def test_it_beats_every_threshold(classifier) -> None:
    image, mask = bodies(2)
    found = classifier.predict(image)
    assert found.shape == image.shape
    assert found.dtype == np.float32
    by_threshold = max(iou(image < level, mask) for level in np.linspace(-2.5, 1, 30))
    assert iou(found > 0.5, mask) > max(0.75, by_threshold + 0.15)


def test_thick_slices_are_learned_from_as_well() -> None:
    image, mask = bodies(2, 50.0)
    found = fitted((50.0, 10.0, 10.0)).predict(image)
    assert iou(found > 0.5, mask) > 0.7


def test_what_is_stored_predicts_the_same(classifier) -> None:
    image, _ = bodies(3)
    again = SupervoxelClassifier.from_arrays(
        {"region_nm": 40, "scales_nm": [10, 20, 40], "hops": 1, "trees": 15, "share": 1.0},
        classifier.arrays(),
    )
    assert again.options == classifier.options
    assert again.voxel_size_nm == classifier.voxel_size_nm
    assert np.array_equal(again.predict(image), classifier.predict(image))


@pytest.mark.parametrize("size", [None, np.ones(2), np.array([30, 0, 10])])
def test_a_damaged_voxel_size_is_refused(classifier, size) -> None:
    arrays = classifier.arrays() | {"voxel_size_nm": size}
    with pytest.raises(ModelError, match="without a voxel size"):
        SupervoxelClassifier.from_arrays({}, {k: v for k, v in arrays.items() if v is not None})


def test_the_seed_decides(classifier) -> None:
    image, _ = bodies(3)
    assert np.array_equal(fitted().predict(image), classifier.predict(image))
    assert not np.array_equal(fitted(seed=1).predict(image), classifier.predict(image))


@pytest.mark.parametrize("shape", [(1, 40, 40), (1, 1, 1), (2, 3, 50)])
@pytest.mark.parametrize("constant", [True, False])
def test_any_shape_and_a_constant_image_have_probabilities(classifier, shape, constant) -> None:
    image = np.ones(shape) if constant else np.random.default_rng(0).normal(size=shape)
    found = classifier.predict(image.astype(np.float32), (40, 10, 10))
    assert found.shape == shape
    assert ((found >= 0) & (found <= 1)).all()


def test_only_the_slices_that_serve_are_learned_from() -> None:
    image, mask = bodies(1)
    described = describe(image, (20, 10, 10), OPTIONS)
    wrong = mask.copy()
    wrong[10:] = ~wrong[10:]
    examples = [Example.of(described, truth, range(10)) for truth in (mask, wrong)]
    assert np.array_equal(examples[0].inside, examples[1].inside)
    one, two = (fit_classifier([e], (20, 10, 10), OPTIONS, 0).predict(image) for e in examples)
    assert np.array_equal(one, two)


def test_scores_are_those_of_the_painted_volume(classifier) -> None:
    image, mask = bodies(2)
    described = describe(image, (20, 10, 10), OPTIONS)
    (found,) = classifier.stages(described, [15])
    painted = found[described.regions.labels][3:9]
    loss, score = Example.of(described, mask, range(3, 9)).score(found)
    assert score == pytest.approx(iou(painted > 0.5, mask[3:9]))
    told = np.where(mask[3:9], painted, 1 - painted)
    assert loss == pytest.approx(-np.log(told.clip(1e-6, 1)).mean(), rel=1e-6)


@pytest.mark.parametrize("value", [True, False])
def test_one_kind_only_is_refused(value) -> None:
    image, mask = bodies(1)
    example = Example.of(describe(image[:2], (20, 10, 10), OPTIONS), mask[:2] * 0 == value, [0, 1])
    with pytest.raises(PixelValueError, match="both kinds are needed"):
        fit_classifier([example], (20, 10, 10), OPTIONS, 0)
