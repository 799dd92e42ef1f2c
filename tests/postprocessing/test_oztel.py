"""Oztel's filters beside definitions written down pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import label

from chondria.errors import SettingsError, ShapeError
from chondria.postprocessing.oztel import drop_spurious, refine_boundaries

SHAPES = array_shapes(min_dims=3, max_dims=3, max_side=9)
MASKS = arrays(np.bool_, SHAPES)


# ------------------------------------------------------------------- spurious


@given(mask=MASKS, seed=st.integers(0, 99), least=st.floats(0, 1))
def test_components_of_a_slice_stay_by_their_mean(mask: np.ndarray, seed: int, least: float):
    probability = np.random.default_rng(seed).integers(0, 256, mask.shape, dtype=np.uint8)
    expected = np.zeros_like(mask)
    for z, plane in enumerate(mask):
        components, count = label(plane, np.ones((3, 3)))
        for number in range(1, count + 1):
            where = components == number
            expected[z] |= where & (probability[z][where].mean() / 255 >= least)
    found = drop_spurious(mask, probability, least)
    # A mean may lie on the bound, to rounding.
    assert np.count_nonzero(found != expected) == 0 or abs(least * 255 - round(least * 255)) < 1e-9


def test_slices_are_judged_on_their_own() -> None:
    mask = np.ones((2, 4, 4), bool)
    probability = np.stack([np.full((4, 4), 0.9), np.full((4, 4), 0.7)])
    assert drop_spurious(mask, probability).mean(axis=(1, 2)).tolist() == [1, 0]


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_means_out_of_bounds_are_refused(least: float) -> None:
    with pytest.raises(SettingsError, match=r"between 0 and 1, such as 0\.8"):
        drop_spurious(np.ones((1, 2, 2), bool), np.ones((1, 2, 2)), least)


# ----------------------------------------------------------------- boundaries


def disc(radius: float, centre: tuple[float, float] = (20, 24)) -> np.ndarray:
    y, x = np.mgrid[:40, :48]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(
    "drawn", [disc(9), disc(15), disc(12, (22, 22))], ids=["inside", "outside", "beside"]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_outline_moves_onto_the_edge(drawn: np.ndarray, dtype: type) -> None:
    noise = np.random.default_rng(0).normal(0, 6, drawn.shape)
    image = np.where(disc(12), 80, 160) + noise
    found = refine_boundaries(drawn[None], image[None].astype(dtype), 4)[0]
    assert iou(drawn, disc(12)) < 0.8
    assert iou(found, disc(12)) > 0.95


@given(mask=MASKS, seed=st.integers(0, 99), reach=st.integers(0, 4))
def test_no_outline_moves_further_than_its_reach(mask: np.ndarray, seed: int, reach: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, mask.shape, dtype=np.uint8)
    found = refine_boundaries(mask, image, reach)
    for before, after in zip(mask, found, strict=True):
        for y, x in np.argwhere(before != after):
            others = np.argwhere(before != before[y, x])
            assert np.hypot(*(others - (y, x)).T).min() <= reach
    assert (found.shape, found.dtype) == (mask.shape, np.bool_)


def test_what_is_too_thin_to_be_eroded_stays() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 40, 48), dtype=np.uint8)
    thin = disc(12)[None].copy()
    thin[0, 20, 23:25] = False  # a gap
    thin[0, 2:4, 2:30] = True  # a thread
    found = refine_boundaries(thin, image, 3)
    assert found[0, 2:4, 2:30].all()
    assert not found[0, 20, 23:25].any()
    assert not np.array_equal(found, thin)


def test_empty_and_full_slices_and_no_reach_stay() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 40, 48), dtype=np.uint8)
    mask = np.stack([np.zeros_like(disc(9)), ~np.zeros_like(disc(9)), disc(9)])
    np.testing.assert_array_equal(refine_boundaries(mask, image, 3)[:2], mask[:2])
    np.testing.assert_array_equal(refine_boundaries(mask, image, 0), mask)


def test_an_object_at_the_border_is_not_drawn_back_from_it() -> None:
    drawn, true = disc(15, (0, 24)), disc(12, (0, 24))
    image = np.where(true, 80, 160)
    found = refine_boundaries(drawn[None], image[None], 4)[0]
    assert found[0, 14:35].all()
    assert iou(found, true) > 0.95


def test_what_does_not_fit_is_refused() -> None:
    mask = np.ones((1, 4, 4), bool)
    with pytest.raises(ShapeError, match="of one volume"):
        refine_boundaries(mask, np.ones((1, 4, 5)), 3)
    with pytest.raises(ShapeError, match="of one volume"):
        drop_spurious(mask, np.ones((1, 4, 5)))
    with pytest.raises(SettingsError, match="0 or more"):
        refine_boundaries(mask, np.ones((1, 4, 4)), -1)
