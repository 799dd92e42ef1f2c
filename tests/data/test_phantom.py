"""Phantoms: reproducible, exactly labelled, true to scale."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from chondria.data.phantom import Phantom, PhantomStyle, make_phantom
from chondria.data.phantom_organelles import Kind
from chondria.data.phantom_tissue import Tissue, grow_tissue
from chondria.errors import ChondriaError, SettingsError, ShapeError, VoxelSizeError

CLEAN = PhantomStyle(noise_sd=0, grain_sd=0, illumination_sd=0, shift_sd_nm=0)
SHAPE, VOXEL_NM = (8, 128, 128), (20.0, 12.0, 12.0)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(SHAPE, VOXEL_NM, seed=3)


@pytest.fixture(scope="module")
def clean() -> Phantom:
    return make_phantom(SHAPE, VOXEL_NM, seed=3, style=CLEAN)


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return grow_tissue((160.0, 1500.0, 1500.0), PhantomStyle(), np.random.default_rng(5))


def test_the_same_seed_gives_the_same_bytes(phantom: Phantom) -> None:
    again = make_phantom(SHAPE, VOXEL_NM, seed=3)
    assert phantom.image.numpy().tobytes() == again.image.numpy().tobytes()
    assert phantom.labels.numpy().tobytes() == again.labels.numpy().tobytes()


def test_another_seed_gives_other_tissue(phantom: Phantom) -> None:
    other = make_phantom((1, *SHAPE[1:]), VOXEL_NM, seed=4)
    assert (other.labels.numpy()[0] > 0).tobytes() != (phantom.labels.numpy()[0] > 0).tobytes()


def test_image_and_labels_share_shape_and_voxel_size(phantom: Phantom) -> None:
    assert phantom.image.shape == phantom.labels.shape == SHAPE
    assert phantom.image.voxel_size_nm == phantom.labels.voxel_size_nm == VOXEL_NM
    assert phantom.image.dtype == np.uint8
    assert phantom.labels.dtype == np.uint16


def test_every_instance_is_one_connected_piece_numbered_from_1(phantom: Phantom) -> None:
    labels = phantom.labels.numpy()
    numbers = np.unique(labels)
    assert len(numbers) > 3
    assert numbers.tolist() == list(range(len(numbers)))
    for number in numbers[1:]:
        assert ndimage.label(labels == number, np.ones((3, 3, 3)))[1] == 1


@pytest.mark.parametrize("fraction", [0.0, 0.1])
def test_mitochondria_fill_the_asked_fraction(fraction: float) -> None:
    style = replace(CLEAN, mitochondria_fraction=fraction)
    labels = make_phantom((4, 80, 80), (40, 20, 20), seed=1, style=style).labels.numpy()
    assert np.mean(labels > 0) == pytest.approx(fraction, rel=0.2)


def test_the_picture_has_the_grey_values_of_a_micrograph(phantom: Phantom) -> None:
    image = phantom.image.numpy()
    assert 110 < image.mean() < 160
    assert 20 < image.std() < 60
    assert np.mean((image == 0) | (image == 255)) < 0.01


def test_mitochondria_are_darker_than_the_cytoplasm_around(clean: Phantom) -> None:
    image, inside = clean.image.numpy(), clean.labels.numpy() > 0
    apart = ndimage.distance_transform_edt(~inside, VOXEL_NM)
    around = image[(apart > 40) & (apart < 150)]
    assert image[inside].mean() < np.median(around) - 20


def test_the_outline_has_two_dark_membranes_and_a_paler_gap() -> None:
    style = replace(CLEAN, psf_nm=0, granularity=0, crista_contrast=0, pale_fraction=0)
    made = make_phantom((25, 200, 200), (4, 4, 4), seed=2, style=style)
    depth = ndimage.distance_transform_edt(made.labels.numpy() > 0, (4, 4, 4))[9:16]
    image = made.image.numpy()[9:16].astype(float)
    outer, gap, inner, matrix = (
        image[(depth > low) & (depth <= high)].mean()
        for low, high in ((3, 8), (13, 17), (21, 27), (40, 70))
    )
    assert outer < gap - 15
    assert inner < gap - 15
    assert outer < matrix - 5


def test_a_shifted_section_takes_its_labels_along() -> None:
    style = replace(CLEAN, shift_sd_nm=24, mitochondria_fraction=0.15)
    shape, voxel = (4, 128, 128), (30, 8, 8)
    still = make_phantom(shape, voxel, seed=6, style=replace(style, shift_sd_nm=0))
    moved = make_phantom(shape, voxel, seed=6, style=style)
    steps = []
    for z in range(4):
        of_labels = _step(still.labels.numpy()[z] > 0, moved.labels.numpy()[z] > 0)
        of_image = _step(still.image.numpy()[z], moved.image.numpy()[z])
        assert np.abs(of_labels - of_image).max() <= 1
        steps.append(of_image)
    assert np.abs(steps).max() >= 2
    assert len({tuple(step) for step in steps}) > 1


def _step(still: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Whole-pixel displacement (y, x) that explains `moved` best."""
    reach, inner = 10, slice(10, -10)
    steps = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    target = moved[inner, inner].astype(np.float32)
    costs = [np.abs(np.roll(still, s, (0, 1))[inner, inner] - target).sum() for s in steps]
    return np.array(steps[int(np.argmin(costs))])


def test_the_same_box_holds_the_same_mitochondria_at_any_anisotropy() -> None:
    fine = make_phantom((12, 80, 80), (10, 16, 16), seed=7, style=CLEAN).labels.numpy() > 0
    coarse = make_phantom((4, 80, 80), (30, 16, 16), seed=7, style=CLEAN).labels.numpy() > 0
    assert coarse.any()
    # Every coarse slice has the height of the middle one of three fine slices.
    assert np.mean(fine[1::3] != coarse) < 1e-3
    assert coarse.mean() == pytest.approx(fine.mean(), rel=0.03)


def test_pixel_size_scales_the_picture_not_the_tissue() -> None:
    fine = make_phantom((1, 180, 180), (30, 6, 6), seed=7, style=CLEAN).labels.numpy() > 0
    coarse = make_phantom((1, 60, 60), (30, 18, 18), seed=7, style=CLEAN).labels.numpy() > 0
    assert coarse.any()
    assert np.mean(fine[:, 1::3, 1::3] != coarse) < 1e-3


@pytest.mark.parametrize("shape", [(1, 96, 64), (1, 1, 1), (3, 1, 40)])
def test_a_box_may_be_one_slice_or_one_voxel(shape: tuple[int, int, int]) -> None:
    made = make_phantom(shape, (30, 8, 8), seed=0, style=PhantomStyle.serial_section())
    assert made.image.shape == made.labels.shape == shape


def test_mitochondria_lie_inside_one_cell_and_never_share_space(tissue: Tissue) -> None:
    taken = np.zeros(tissue.neuropil.lattice.shape, int)
    mitochondria = [b.field for b in tissue.bodies if b.kind is Kind.MITOCHONDRION]
    assert len(mitochondria) > 3
    for field in mitochondria:
        inside = field.values < 0
        assert len(np.unique(tissue.neuropil.cell[field.box][inside])) == 1
        assert tissue.neuropil.depth_nm[field.box][inside].min() > 10
        taken[field.box] += inside
    assert taken.max() == 1


def test_vesicles_lie_in_cells_outside_other_bodies(tissue: Tissue) -> None:
    assert len(tissue.vesicles) > 50
    at = tissue.neuropil.lattice.index(tissue.vesicles[:, :3])
    assert tissue.neuropil.depth_nm[at].min() > 0
    for body in tissue.bodies:
        inside = np.zeros(tissue.neuropil.lattice.shape, bool)
        inside[body.field.box] = body.field.values < 0
        assert not inside[at].any()


def test_there_are_distractors() -> None:
    style = replace(CLEAN, dark_bodies_per_um3=8, mitochondria_fraction=0)
    grown = grow_tissue((160.0, 1500.0, 1500.0), style, np.random.default_rng(5))
    assert {b.kind for b in grown.bodies} >= {Kind.LYSOSOME, Kind.VACUOLE}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_a_random_style_is_valid_and_reproducible(seed: int) -> None:
    style = PhantomStyle.random(np.random.default_rng(seed))
    assert style == PhantomStyle.random(np.random.default_rng(seed))
    assert style.white_level - style.black_level > 60
    assert style.mitochondrion_density[0] > style.cytoplasm_density[0] + 0.1


def test_a_random_style_makes_a_phantom() -> None:
    style = PhantomStyle.random(np.random.default_rng(1))
    image = make_phantom((2, 96, 96), (40, 8, 8), seed=1, style=style).image.numpy()
    assert image.std() > 10


@pytest.mark.parametrize("voxel", [(-5, 5, 5), (5, 0, 5), (5, 5), (5, 5, 5000), (0.005, 5, 5)])
def test_impossible_voxel_sizes_are_refused(voxel: tuple[float, ...]) -> None:
    with pytest.raises(VoxelSizeError, match="voxel size"):
        make_phantom((1, 32, 32), voxel)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(32, 32), (0, 32, 32), (-1, 32, 32), (1.5, 32, 32)])
def test_impossible_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="three positive"):
        make_phantom(shape, (5, 5, 5))  # type: ignore[arg-type]


def test_a_box_that_would_take_hours_is_refused() -> None:
    with pytest.raises(ShapeError, match="cubic micrometres"):
        make_phantom((1000, 4096, 4096), (40, 5, 5))


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(SettingsError, match="seed -1"):
        make_phantom((1, 32, 32), seed=-1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise_sd", -1.0),
        ("psf_nm", float("nan")),
        ("neurite_diameter_nm", 0.0),
        ("mitochondria_fraction", 0.9),
        ("mitochondrion_length_nm", (900.0, 300.0)),
        ("mitochondrion_density", (0.5,)),
        ("granularity", (0.1, 0.2)),
        ("black_level", 250.0),
    ],
)
def test_an_impossible_style_names_its_culprit(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        PhantomStyle(**{name: value})  # type: ignore[arg-type]


def test_every_style_number_refuses_minus_one() -> None:
    for field in fields(PhantomStyle):
        bad = (-1.0, -1.0) if isinstance(field.default, tuple) else -1.0
        with pytest.raises(ChondriaError, match=field.name):
            PhantomStyle(**{field.name: bad})  # type: ignore[arg-type]
