"""Touching bodies are separated, and single ones left whole, at the voxel sizes of real data.

Bodies are known exactly, and so is the neck at which two meet: its radius in radii of the bodies.
Networks are imitated: the truth is blurred by 8 nm, and correlated noise moves the outlines.
"""

import math
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from chondria.errors import PixelValueError, SettingsError, ShapeError
from chondria.evaluation.instance import instance_scores
from chondria.evaluation.overlap import contingency_table
from chondria.io import open_volume
from chondria.postprocessing.instances import connected_instances
from chondria.postprocessing.separation import separate_instances, smallest_part_voxels

ISOTROPIC, SERIAL = (5.0, 5.0, 5.0), (50.0, 4.6, 4.6)
SIZES = {"5,5,5 nm": ISOTROPIC, "50,4.6,4.6 nm": SERIAL}
Size = tuple[float, float, float]


# ------------------------------------------------------------------------- bodies


def axes_nm(extent_nm: tuple[float, ...], size: Size, flat: bool) -> list[np.ndarray]:
    """Coordinates (z, y, x) in nm of every voxel, 0 in the middle; flat: a single slice."""
    counts = [max(1, round(e / s)) for e, s in zip(extent_nm, size, strict=True)]
    if flat:
        counts[0] = 1
    lines = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(counts, size, strict=True)]
    return list(np.meshgrid(*lines, indexing="ij", sparse=True))


def rod(
    at: list[np.ndarray], start: tuple[float, ...], stop: tuple[float, ...], radius: float
) -> np.ndarray:
    """Distance from the axis in radii: below 1 within a rod with round ends; a ball is short."""
    along = np.subtract(stop, start)
    offset = [c - s for c, s in zip(at, start, strict=True)]
    length = float(along @ along)
    t = sum(o * a for o, a in zip(offset, along, strict=True)) / length if length else 0.0
    t = np.clip(t, 0, 1)
    return np.sqrt(sum((o - t * a) ** 2 for o, a in zip(offset, along, strict=True))) / radius


def ellipsoid(
    at: list[np.ndarray], centre: tuple[float, ...], semi_axes: tuple[float, ...]
) -> np.ndarray:
    return np.sqrt(sum(((c - m) / a) ** 2 for c, m, a in zip(at, centre, semi_axes, strict=True)))


def groups_of(neck: float, r: float, flat: bool) -> list[tuple[float, Callable]]:
    """Width in radii of each group of bodies, and what makes its bodies around an x in nm.

    Equal balls 2h radii apart, where h is the root of 1 - neck^2, meet at a disc of neck radii.
    """
    h = math.sqrt(1 - neck**2) * r

    def ball(z: float, y: float, x: float) -> tuple:
        return rod, (z, y, x), (z, y, x), r

    def oval(y: float, x: float) -> tuple:
        return ellipsoid, (0, y, x), (r, 1.4 * r, r)

    def column(x: float) -> tuple:
        return rod, (-0.8 * r, 0, x), (0.8 * r, 0, x), r

    def end(y: float, x: float) -> tuple:
        return rod, (0, y, x), (0, y + math.copysign(r, y), x), r

    groups: list[tuple[float, Callable]] = [
        (2.6, lambda x: [ball(0, y, x) for y in (-2 * h, 0, 2 * h)]),
        (2.6, lambda x: [oval(y, x) for y in (-1.4 * h, 1.4 * h)]),
        (2.6, lambda x: [end(y, x) for y in (-h, h)]),
        (4.4, lambda x: [end(-h, x - (r + h) / 2), ball(0, -h - r / 2, x + (r + h) / 2)]),
    ]
    if flat:
        return groups
    return [
        *groups,
        (4.4, lambda x: [column(x - h), column(x + h)]),
        (2.6, lambda x: [ball(-h, 0, x), ball(h, 0, x)]),
        (3.7, lambda x: [ball(s * 0.5 * h, s * 0.6 * h, x + s * 0.62 * h) for s in (-1, 1)]),
    ]


@cache
def touching(neck: float, size: Size, flat: bool) -> np.ndarray:
    """Pairs and chains of balls, rods and ellipsoids that meet at necks of such a radius."""
    r = 150.0 if flat or size == SERIAL else 110.0
    groups = groups_of(neck, r, flat)
    width = sum(w for w, _ in groups) * r
    at = axes_nm((4.2 * r, 6.3 * r, width), size, flat)
    shape = np.broadcast_shapes(*(a.shape for a in at))
    nearest, labels, left = np.ones(shape), np.zeros(shape, np.uint16), -width / 2
    for w, bodies in groups:
        for body, *how in bodies(left + w * r / 2):
            depth = body(at, *how)
            labels[depth < nearest] = labels.max() + 1
            nearest = np.minimum(nearest, depth)
        left += w * r
    return labels


def imitated(inside: np.ndarray, size: Size, seed: int = 0) -> np.ndarray:
    """Probabilities as a network would give them, uint8."""
    rng = np.random.default_rng(seed)
    blurred = ndimage.gaussian_filter(inside.astype(np.float32), [8 / s for s in size])
    noise = rng.normal(size=inside.shape).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, [15 / s for s in size])
    noise /= noise.std()
    # Doubt is greatest at outlines; inside, a network is nearly sure.
    noisy = blurred + noise * (0.5 * blurred * (1 - blurred) + 0.04 * blurred)
    return (255 * np.clip(noisy, 0, 1)).astype(np.uint8)


def f1(labels: np.ndarray, truth: np.ndarray) -> float:
    return instance_scores(contingency_table(labels, truth)).f1


def single_axes(size: Size, flat: bool) -> list[np.ndarray]:
    """A smaller volume where voxels are many."""
    scale = 1.0 if flat or size == SERIAL else 0.75
    return axes_nm((400.0 * scale, 900.0 * scale, 1700.0 * scale), size, flat)


def single(name: str, size: Size, flat: bool) -> np.ndarray:
    """Bodies that are one mitochondrion each, 1.2 to 1.6 um long; bool, (Z, Y, X)."""
    r = 110.0
    at = [c / (1.0 if flat or size == SERIAL else 0.75) for c in single_axes(size, flat)]
    z, y, x = at
    whole = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape), bool)
    if name.startswith("rod"):
        tilt = 60 if name == "rod through slices" else 0
        return rod(at, (-tilt, -250, -650), (tilt, 250, 650), r) < 1
    if name == "bent":
        centre = np.sqrt((y + 300) ** 2 + x**2) - 550
        return whole | ((z**2 + centre**2 < r**2) & (y > -150))
    if name == "torus":
        return whole | (z**2 + (np.sqrt(y**2 + x**2) - 280) ** 2 < r**2)
    if name == "branched":
        arms = [(0, 300, 500), (0, -300, 500), (0, 0, -600)]
        return np.minimum.reduce([rod(at, (0, 0, 0), arm, r) for arm in arms]) < 1
    if name == "wave":
        return whole | ((z**2 + (y - 220 * np.sin(x / 200)) ** 2 < (1.1 * r) ** 2) & (abs(x) < 700))
    assert name.startswith("beaded")
    neck = float(name.split()[1])  # radius at the constriction in radii of the bead
    swing = (1 - neck) / 2 * (1 + np.cos(2 * np.pi * x / 520))
    return whole | ((z**2 + y**2 < (1.6 * r * (neck + swing)) ** 2) & (abs(x) < 790))


WHOLE = ("rod", "rod through slices", "bent", "torus", "branched", "wave", "beaded 0.65")


# ---------------------------------------------------------------------- what it is for


@pytest.mark.parametrize("flat", [False, True], ids=["3-D", "2-D"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("neck", [0.15, 0.25])
def test_touching_bodies_are_separated(neck: float, size: Size, flat: bool) -> None:
    truth = touching(neck, size, flat)
    probability = imitated(truth > 0, size)
    mask, dimensions = probability > 127, 2 if flat else 3
    connected = connected_instances(mask, dimensions=dimensions)
    separated = separate_instances(mask, probability, size, dimensions=dimensions)
    assert f1(connected, truth) < 0.7
    assert f1(separated, truth) >= 0.95
    np.testing.assert_array_equal(separated[mask] > 0, True)


@pytest.mark.parametrize("flat", [False, True], ids=["3-D", "2-D"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("name", WHOLE)
def test_single_bodies_stay_whole(name: str, size: Size, flat: bool) -> None:
    inside = single(name, size, flat)
    probability = imitated(inside, size)
    mask = probability > 127
    assert connected_instances(mask).max() == 1
    assert separate_instances(mask, probability, size).max() == 1


@pytest.mark.parametrize("name", ["rod", "torus", "branched", "wave", "beaded 0.65"])
def test_noise_cuts_nothing(name: str) -> None:
    inside = single(name, SERIAL, False)
    for seed in range(1, 4):
        probability = imitated(inside, SERIAL, seed)
        assert separate_instances(probability > 127, probability, SERIAL).max() == 1


def test_a_membrane_that_the_network_sees_cuts_a_wide_contact() -> None:
    """Two balls with a neck of 0.75 radii are one, unless the probability dips between them."""
    at = axes_nm((320.0, 320.0, 600.0), ISOTROPIC, False)
    h = 140 * math.sqrt(1 - 0.75**2)
    one, other = (rod(at, (0, 0, s * h), (0, 0, s * h), 140.0) < 1 for s in (-1, 1))
    probability = imitated(one | other, ISOTROPIC)
    truth = np.where(one | other, 1 + (at[2] > 0), 0)
    assert separate_instances(probability > 127, probability, ISOTROPIC).max() == 1
    dip = 1 - 0.45 * np.exp(-((at[2] / 20) ** 2) / 2)  # two membranes
    probability = np.maximum(probability * dip, 128 * (one | other)).astype(np.uint8)
    mask = probability > 127
    assert connected_instances(mask).max() == 1
    assert f1(separate_instances(mask, probability, ISOTROPIC), truth) == 1


def test_where_two_bodies_are_cut() -> None:
    """The cut is the plane of the neck, to a point of the grid (10 nm)."""
    at = axes_nm((320.0, 320.0, 700.0), ISOTROPIC, False)
    bodies = [rod(at, (0, 0, x), (0, 0, x), 150.0) < 1 for x in (-140.0, 140.0)]
    inside = bodies[0] | bodies[1]
    parts = separate_instances(inside, inside.astype(np.float32), ISOTROPIC)
    assert parts.max() == 2
    x = np.broadcast_to(at[2], inside.shape)
    left = parts[inside & (x < -10)]
    assert np.unique(left).size == np.unique(parts[inside & (x > 10)]).size == 1


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_slices_are_separated_as_they_are_alone(size: Size) -> None:
    plane = touching(0.25, size, True)
    stack = np.concatenate([plane, plane[:, ::-1], np.zeros_like(plane), plane]) > 0
    values = stack.astype(np.float32)
    together = separate_instances(stack, values, size, dimensions=2)
    alone = [
        separate_instances(s, v, size, dimensions=2) for s, v in zip(stack, values, strict=True)
    ]
    assert [np.unique(s[s > 0]).size for s in together] == [a.max() for a in alone] == [9, 9, 0, 9]


# ------------------------------------------------------------------------ properties


@settings(deadline=None, max_examples=8)
@given(flips=st.lists(st.booleans(), min_size=3, max_size=3), order=st.permutations(range(3)))
def test_turned_volumes_are_separated_alike(flips: list[bool], order: list[int]) -> None:
    """Blocks of the grid and ties may fall otherwise: the cut moves by a point, no object does."""
    truth = turnable()
    probability = imitated(truth > 0, ISOTROPIC)

    def turned(volume: np.ndarray) -> np.ndarray:
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
        return np.ascontiguousarray(volume[steps].transpose(order))

    plain = separate_instances(probability > 127, probability, ISOTROPIC)
    values = turned(probability)
    found = separate_instances(values > 127, values, ISOTROPIC)
    assert plain.max() == found.max() == truth.max() == 4
    assert instance_scores(contingency_table(found, turned(plain)), 0.95).f1 == 1


@cache
def turnable() -> np.ndarray:
    at = axes_nm((330.0, 350.0, 850.0), ISOTROPIC, False)
    balls = [(20, -30, -310), (0, 40, -110), (-20, -20, 90), (10, 30, 300)]
    depths = [rod(at, ball, ball, 110.0) for ball in balls]
    return np.where(np.min(depths, 0) < 1, np.argmin(depths, 0) + 1, 0)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**20),
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    dimensions=st.sampled_from([2, 3]),
    size=st.sampled_from([None, ISOTROPIC, SERIAL, (200.0, 100.0, 100.0)]),
)
def test_parts_are_parts_of_components(seed, shape, dimensions, size) -> None:
    rng = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(rng.random(shape), 1.0).astype(np.float32)
    mask = values > np.median(values)
    found = separate_instances(mask, values, size, dimensions=dimensions, smallest_um3=0.0)
    ids = np.unique(found[found > 0])
    assert ids.tolist() == list(range(1, ids.size + 1))
    assert (found[mask] > 0).all()
    filled = connected_instances(found > 0, dimensions=dimensions)
    for number in ids:
        assert np.unique(filled[found == number]).size == 1
    again = separate_instances(mask, values, size, dimensions=dimensions, smallest_um3=0.0)
    np.testing.assert_array_equal(found, again)
    whole = separate_instances(mask, values, size, dimensions=dimensions, neck_ratio=0)
    assert whole.max() == filled.max()


# ----------------------------------------------------------------------- holes and sizes


def test_holes_are_filled_and_make_no_necks() -> None:
    inside = single("rod", ISOTROPIC, False)
    probability = imitated(inside, ISOTROPIC)
    z, y, x = (n // 2 for n in inside.shape)
    holes = np.zeros_like(inside)
    holes[z - 5 : z + 5, y - 8 : y + 8, x - 14 : x + 14] = True  # wide, but closed in 3-D
    holes[:, y - 12 : y - 6, x - 30 : x - 24] = inside[:, y - 12 : y - 6, x - 30 : x - 24]
    probability[holes] = 20
    mask = probability > 127
    found = separate_instances(mask, probability, ISOTROPIC)
    assert found.max() == 1
    assert (found[holes] == 1).mean() > 0.9  # the small one is open where it leaves the rod
    assert connected_instances(mask)[holes].max() == 0


def test_a_ring_keeps_its_hole() -> None:
    inside = single("torus", ISOTROPIC, True)
    found = separate_instances(inside, inside.astype(np.float32), ISOTROPIC, dimensions=2)
    np.testing.assert_array_equal(found > 0, inside)


def test_small_parts_stay_with_their_neighbour() -> None:
    at = axes_nm((400.0, 400.0, 700.0), ISOTROPIC, False)
    large = rod(at, (0, 0, -100), (0, 0, -100), 180.0) < 1
    knob = rod(at, (0, 0, 130), (0, 0, 130), 60.0) < 1  # 0.0009 um3
    values = (large | knob).astype(np.float32)
    assert separate_instances(values, values, ISOTROPIC).max() == 1
    assert separate_instances(values, values, ISOTROPIC, smallest_um3=0.0005).max() == 2


def test_the_smallest_part_follows_the_voxel_size() -> None:
    assert smallest_part_voxels(ISOTROPIC, flat=False) == pytest.approx(math.pi / 6 * 30**3)
    assert smallest_part_voxels(SERIAL, flat=True) == pytest.approx(math.pi / 4 * (150 / 4.6) ** 2)
    assert smallest_part_voxels((200.0, 90.0, 90.0), flat=False) == 27
    assert smallest_part_voxels(None, flat=True) == pytest.approx(math.pi * 16)


# ---------------------------------------------------------------------------- extremes


@pytest.mark.parametrize("size", [None, ISOTROPIC, SERIAL])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 50), (40, 1, 50), (6, 40, 50)])
def test_empty_full_and_one_voxel(shape: tuple[int, ...], dimensions: int, size) -> None:
    def found(mask: np.ndarray) -> np.ndarray:
        values = np.where(mask, 255, 0).astype(np.uint8)
        return separate_instances(mask, values, size, dimensions=dimensions)

    empty = np.zeros(shape, bool)
    assert found(empty).max() == 0
    assert found(empty).shape == shape
    assert found(~empty).max() == (shape[0] if dimensions == 2 else 1)
    empty[tuple(n // 2 for n in shape)] = True
    assert (found(empty) == empty).all()


def test_an_image_is_one_slice() -> None:
    mask = np.zeros((30, 40), bool)
    mask[5:25, 5:35] = True
    assert separate_instances(mask, mask.astype(np.float32), None).shape == (1, 30, 40)


def test_without_any_probability_nothing_is_cut() -> None:
    truth = touching(0.2, ISOTROPIC, True)
    zeros = np.zeros(truth.shape, np.uint8)
    expected = connected_instances(truth > 0).max()
    assert separate_instances(truth > 0, zeros, ISOTROPIC).max() == expected


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"neck_ratio": 1.5}, SettingsError, "neck ratio 1.5"),
        ({"neck_ratio": math.nan}, SettingsError, "neck ratio nan"),
        ({"smallest_um3": -1.0}, SettingsError, "-1 um3"),
        ({"dimensions": 4}, SettingsError, "4 dimensions"),
        ({"probability": np.ones((2, 3, 3))}, ShapeError, r"\(2, 3, 3\)"),
        ({"probability": np.ones((2, 3, 4), int)}, PixelValueError, "int64"),
        ({"probability": np.full((2, 3, 4), np.nan)}, PixelValueError, "nan"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict, error: type, said: str) -> None:
    arguments = {"mask": np.ones((2, 3, 4), bool), "probability": np.ones((2, 3, 4))}
    arguments |= {"voxel_size_nm": ISOTROPIC} | change
    with pytest.raises(error, match=said):
        separate_instances(**arguments)


# --------------------------------------------------------------------------- real data


@pytest.mark.slow
def test_a_whole_real_volume_in_seconds(data_folder: Path) -> None:
    """Of all outlines that people drew in Lucchi++, few look like two mitochondria that touch."""
    masks = open_volume(data_folder / "lucchi++" / "train" / "labels").data[:]
    mask = np.asarray(masks) > 0
    connected = connected_instances(mask)
    started = time.process_time()
    separated = separate_instances(mask, (255 * mask).astype(np.uint8), ISOTROPIC)
    assert time.process_time() - started < 25
    assert connected.max() <= separated.max() <= 1.15 * connected.max()


# ---------------------------------------------------------------------- along outlines


def outlines(labels: np.ndarray, size: Size) -> np.ndarray:
    """What a network would say of outlines of 20 nm to each side, uint8."""
    marked = np.zeros(labels.shape, np.float32)
    for plane, truth in zip(marked, labels, strict=True):
        y, x = np.ogrid[-4:5, -4:5]
        disc = np.hypot(y * size[1], x * size[2]) <= 20
        plane[:] = ndimage.maximum_filter(truth, footprint=disc) != ndimage.minimum_filter(
            truth, footprint=disc
        )
    blurred = ndimage.gaussian_filter(marked, [0, 10 / size[1], 10 / size[2]])
    return (255 * blurred).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_wide_contacts_are_cut_along_outlines(size: Size) -> None:
    truth = touching(0.8, size, flat=True)
    probability, boundary = imitated(truth > 0, size), outlines(truth, size)
    how = {"dimensions": 2}
    without = separate_instances(probability > 127, probability, size, **how)
    found = separate_instances(probability > 127, probability, size, boundary=boundary, **how)
    assert f1(without, truth) < 0.3
    assert f1(found, truth) >= 0.95
    floats = boundary.astype(np.float32) / 255
    again = separate_instances(probability > 127, probability, size, boundary=floats, **how)
    assert f1(again, found) == 1


@pytest.mark.parametrize("name", ["bent", "branched", "beaded 0.65"])
def test_outlines_of_single_bodies_cut_nothing(name: str) -> None:
    inside = single(name, SERIAL, flat=True)
    probability, boundary = imitated(inside, SERIAL), outlines(inside.astype(np.uint8), SERIAL)
    mask = probability > 127
    assert separate_instances(mask, probability, SERIAL, boundary=boundary).max() == 1


def test_no_outlines_change_nothing_and_bad_ones_are_refused() -> None:
    truth = touching(0.25, SERIAL, flat=True)
    mask = truth > 0
    none = np.zeros(mask.shape, np.uint8)
    np.testing.assert_array_equal(
        separate_instances(mask, mask.astype(np.float32), SERIAL, boundary=none),
        separate_instances(mask, mask.astype(np.float32), SERIAL),
    )
    with pytest.raises(ShapeError, match="boundaries of shape"):
        separate_instances(mask, mask.astype(np.float32), SERIAL, boundary=none[..., 1:])
    with pytest.raises(PixelValueError):
        separate_instances(mask, mask.astype(np.float32), SERIAL, boundary=none - 1.5)
