"""Temperature scaling: what it keeps, and that it finds what was planted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chondria.errors import SettingsError
from chondria.trust.level_counts import LevelCounts, block_level_counts, level_logits
from chondria.trust.temperature import PixelCalibration, fit_pixel_calibration, fit_temperature

TEMPERATURES = st.floats(0.1, 10)


def planted(temperature: float, bias: float = 0.0, every: int = 10**6) -> LevelCounts:
    """Counts whose frequencies are what a calibration would make of every level."""
    counts = np.full(256, every, np.int64)
    return LevelCounts(counts, np.rint(counts * PixelCalibration(temperature, bias).levels()))


@given(TEMPERATURES)
def test_a_temperature_keeps_order_and_one_half(temperature: float) -> None:
    calibration = PixelCalibration(temperature)
    p = np.linspace(0, 1, 1001)
    calibrated = calibration.of(p)
    assert np.all(np.diff(calibrated) >= 0)
    assert calibrated[500] == pytest.approx(0.5, abs=1e-12)
    np.testing.assert_array_equal(calibrated[[0, -1]], [0, 1])
    np.testing.assert_array_equal(calibrated > 0.5, p > 0.5)


@given(TEMPERATURES, st.floats(-3, 3), st.integers(1, 254))
def test_a_mask_is_the_same_at_the_calibrated_threshold(temperature, bias, level) -> None:
    calibration = PixelCalibration(temperature, bias)
    levels = calibration.levels()
    assert np.all(np.diff(levels) >= 0)
    threshold = float(calibration.of(level / 255))
    assert threshold == pytest.approx(levels[level])
    assert np.count_nonzero(levels > threshold * (1 + 1e-9)) <= 255 - level


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_planted_temperature_is_found(temperature: float) -> None:
    assert fit_temperature(planted(temperature)).temperature == pytest.approx(temperature, rel=1e-3)


def test_a_planted_bias_is_found_only_where_all_blocks_have_it() -> None:
    found = fit_pixel_calibration([planted(1.5, -1.0)] * 4)
    assert (found.temperature, found.bias) == pytest.approx((1.5, -1.0), rel=1e-3)
    assert fit_pixel_calibration([planted(1.5)] * 4).bias == 0
    contrary = [planted(1.5, -1.0), planted(1.5, 1.0)] * 2
    assert fit_pixel_calibration(contrary).bias == 0


def test_nothing_to_learn_from_changes_nothing() -> None:
    empty = LevelCounts(np.zeros(256, np.int64), np.zeros(256, np.int64))
    assert fit_temperature(empty) == fit_pixel_calibration([]) == PixelCalibration()


def test_degenerate_counts_stay_within_bounds() -> None:
    every = np.full(256, 10, np.int64)
    upside_down = LevelCounts(every, np.arange(255, -1, -1) * 10 // 255)
    perfect = LevelCounts(every, np.where(np.arange(256) > 127, every, 0))
    assert fit_temperature(upside_down).temperature == pytest.approx(20)
    assert fit_temperature(perfect).temperature == pytest.approx(0.05)


@pytest.mark.parametrize(("temperature", "bias"), [(0, 0), (-1, 0), (math.nan, 0), (1, math.inf)])
def test_impossible_calibrations_are_refused(temperature: float, bias: float) -> None:
    with pytest.raises(SettingsError):
        PixelCalibration(temperature, bias)


def test_the_mean_is_the_expected_volume_fraction() -> None:
    rng = np.random.default_rng(0)
    counts = block_level_counts(
        rng.integers(0, 256, (2, 40, 40), dtype=np.uint8), rng.random((2, 40, 40)) < 0.5
    )
    total = sum(counts[1:], counts[0])
    calibration = fit_temperature(total, bias=True)
    # A maximum-likelihood bias makes the mean probability the share that is true.
    share = total.foreground.sum() / total.pixels
    assert calibration.mean(total.every) == pytest.approx(share, abs=1e-4)
    assert level_logits()[[0, 255]].tolist() == pytest.approx([-6.926, 6.926], abs=1e-3)
