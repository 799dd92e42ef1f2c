"""Estimates against simulated tissue whose number and fraction are known."""

import math

import numpy as np
import pytest

from chondria.errors import VoxelSizeError
from chondria.morphometrics.stereology import fraction_with_error, summarise_volume
from chondria.morphometrics.table import measure_objects
from chondria.volume import Volume

SIZE = (20.0, 10.0, 10.0)


def discs(rng: np.random.Generator, density: float, radius: float, side: int) -> np.ndarray:
    """A window of `side` px onto a plane of discs that do not touch; one number each."""
    wide = side + 6 * int(radius)
    count = rng.poisson(density * wide**2)
    y, x = np.mgrid[:wide, :wide]
    labels = np.zeros((wide, wide), np.int32)
    for number, (cy, cx) in enumerate(rng.uniform(0, wide, (count, 2)), start=1):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = number
    margin = 3 * int(radius)
    return labels[None, margin:-margin, margin:-margin]


def test_the_counting_frame_is_unbiased_where_plain_counts_are_not() -> None:
    density, side = 0.0016, 60
    framed, all_of_them, whole = [], [], []
    for seed in range(150):
        labels = discs(np.random.default_rng(seed), density, 5, side)
        volume = Volume(labels, SIZE)
        table = measure_objects(volume)
        summary = summarise_volume(volume, table)
        framed.append(summary.density)
        all_of_them.append(len(table) / summary.extent)
        whole.append(summary.whole_objects / summary.extent)
    per_um2 = density / 0.01**2
    error = np.std(framed) / math.sqrt(len(framed))
    # Discs that cover others whole are fewer than half a per cent here.
    assert np.mean(framed) == pytest.approx(per_um2, abs=3 * error + 0.01 * per_um2)
    assert np.mean(all_of_them) > per_um2 * 1.12
    assert np.mean(whole) < per_um2 * 0.88


def test_the_error_of_the_fraction_is_how_far_samples_of_the_tissue_differ() -> None:
    fractions, errors = [], []
    for seed in range(150):
        labels = discs(np.random.default_rng(1000 + seed), 0.002, 4, 96)
        fraction, error, blocks = fraction_with_error(labels[0] != 0, [10.0, 10.0])
        assert blocks == 36
        fractions.append(fraction)
        errors.append(error)
    expected = 1 - math.exp(-0.002 * math.pi * 16)
    assert np.mean(fractions) == pytest.approx(expected, rel=0.03)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(fractions), rel=0.2)


def test_blocks_are_nearly_cubic_and_cover_the_volume() -> None:
    rng = np.random.default_rng(0)
    mask = rng.random((15, 100, 100)) < 0.2
    fraction, error, blocks = fraction_with_error(mask, [50.0, 5.0, 5.0])
    assert fraction == pytest.approx(mask.mean())
    assert 20 <= blocks <= 60
    assert error == pytest.approx(math.sqrt(0.2 * 0.8 / mask.size), rel=0.5)
    assert math.isnan(fraction_with_error(np.ones((1, 1, 1), bool), [1.0, 1.0, 1.0])[1])
    assert fraction_with_error(np.ones((8, 8, 8), bool), [1.0, 1.0, 1.0])[:2] == (1, 0)


def test_what_touches_the_first_faces_is_not_counted() -> None:
    labels = np.zeros((4, 8, 8), np.uint16)
    for number, place in enumerate(
        [(0, 4, 4), (2, 0, 2), (2, 3, 0), (2, 7, 7), (3, 5, 3), (1, 1, 1)]
    ):
        labels[place] = number + 1
    volume = Volume(labels, SIZE)
    summary = summarise_volume(volume, measure_objects(volume))
    assert (summary.objects, summary.counted_objects, summary.whole_objects) == (6, 3, 1)
    assert summary.extent == pytest.approx(4 * 64 * 2000e-9)
    assert summary.density == pytest.approx(3 / summary.extent)


@pytest.mark.parametrize(("depth", "unit"), [(1, "area"), (2, "volume")])
def test_names_carry_units_and_undefined_is_none(depth: int, unit: str) -> None:
    volume = Volume(np.zeros((depth, 4, 4), np.uint8), SIZE)
    said = summarise_volume(volume, measure_objects(volume)).as_dict()
    assert said[f"{unit}_fraction"] == 0
    assert said["nearest_surface_nm_median"] is None
    assert ("density_per_um2" in said) == (depth == 1)
    with pytest.raises(VoxelSizeError):
        summarise_volume(Volume(volume.data), measure_objects(volume))
