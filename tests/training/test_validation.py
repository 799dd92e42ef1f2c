"""Validation figures against counts made by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from chondria.data.normalize import Normalisation
from chondria.data.splits import Split, block_split
from chondria.data.training_volume import TrainingVolume
from chondria.networks.network import Network
from chondria.training.losses import bce
from chondria.training.validation import (
    THRESHOLDS,
    Validation,
    VolumeScore,
    threshold_ious,
    validate,
)


class Threshold(nn.Module):
    """A network whose logit is ten times the normalised grey level; it notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.modes: list[bool] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(images.shape))
        self.modes.append(self.training)
        return 10 * images


def volume(name, images, masks, split) -> TrainingVolume:
    normal = Normalisation(100.0, 50.0)
    return TrainingVolume.from_arrays(name, images, masks, normal, split)


def columns(found, true, n_slices=4):
    """Slices of 10 columns and 6 rows: bright in the columns found, masked in those true."""
    images = np.full((n_slices, 6, 10), 50, np.uint8)
    masks = np.zeros((n_slices, 6, 10), bool)
    images[..., found] = 150
    masks[..., true] = True
    return images, masks


def test_iou_is_one_global_count_over_the_validation_slices() -> None:
    images, masks = columns(slice(0, 4), slice(2, 8))
    images[2], masks[2] = 50, False  # an empty slice adds nothing to the count
    result = validate(Threshold(), [volume("a", images, masks, block_split(4, 2, 1))], bce, 1)
    assert [score.name for score in result.volumes] == ["a"]
    assert result.iou == pytest.approx(2 / 8)


def test_only_validation_slices_are_looked_at() -> None:
    images, masks = columns(slice(0, 5), slice(0, 5))
    masks[:2] = ~masks[:2]  # wrong everywhere on the training side
    network = Threshold()
    result = validate(network, [volume("a", images, masks, Split(range(2), range(2, 4)))], bce, 1)
    assert result.iou == 1
    assert len(network.shapes) == 2


def test_loss_is_the_mean_over_pixels_of_normalised_slices() -> None:
    images, masks = columns(slice(0, 4), slice(0, 6))
    result = validate(Threshold(), [volume("a", images, masks, block_split(4, 2, 0))], bce, 1)
    right, wrong = math.log1p(math.exp(-10)), math.log1p(math.exp(10))
    assert result.loss == pytest.approx(0.8 * right + 0.2 * wrong, rel=1e-5)


@pytest.mark.parametrize(("stride", "padded"), [(1, (6, 10)), (4, (8, 12)), (8, (8, 16))])
def test_slices_are_mirrored_up_and_cut_back(stride, padded) -> None:
    images, masks = columns(slice(0, 4), slice(2, 8))
    network = Threshold()
    given = [volume("a", images, masks, block_split(4, 1, 0))]
    result = validate(network, given, bce, stride)
    assert network.shapes == [(1, 1, *padded)]
    assert result == validate(Threshold(), given, bce, 1)


def test_totals_are_plain_means_over_volumes() -> None:
    scores = VolumeScore("a", 1.0, 0.5), VolumeScore("b", 3.0, 0.7)
    assert Validation(scores).loss == 2.0
    assert Validation(scores).iou == pytest.approx(0.6)


def test_volumes_without_validation_slices_are_passed_over() -> None:
    images, masks = columns(slice(0, 4), slice(0, 4))
    without = volume("without", images, masks, block_split(4, 0, 0))
    with_slices = volume("with", images, masks, block_split(4, 1, 0))
    assert validate(Threshold(), [without], bce, 1) is None
    result = validate(Threshold(), [without, with_slices], bce, 1)
    assert [score.name for score in result.volumes] == ["with"]


def test_nothing_to_find_and_nothing_found_scores_one() -> None:
    images, masks = columns(slice(0, 0), slice(0, 0))
    assert (
        validate(Threshold(), [volume("a", images, masks, block_split(4, 1, 0))], bce, 1).iou == 1
    )


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_evaluated_and_put_back(training) -> None:
    network = Threshold().train(training)
    images, masks = columns(slice(0, 4), slice(0, 4))
    validate(network, [volume("a", images, masks, block_split(4, 1, 0))], bce, 1)
    assert network.modes == [False]
    assert network.training is training


def test_bf16_scores_about_the_same() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(1, 1, 3, padding=1)
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16), np.uint8)
    given = [volume("a", images, images > 100, block_split(2, 1, 0))]
    full, half = (validate(network, given, bce, 1, precision=p) for p in ("fp32", "bf16"))
    assert half.loss == pytest.approx(full.loss, rel=0.05)
    assert half.loss != full.loss


# --- thresholds ---


class Logit(nn.Module):
    """A network that is as sure as its input is bright."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.logit(images)


def test_every_threshold_is_scored_on_the_validation_slices_only() -> None:
    rng = np.random.default_rng(0)
    # No grey level lies at a threshold, where rounding would decide.
    images = (rng.integers(0, 62, (4, 12, 13)) * 4 + 1).astype(np.uint8)
    masks = rng.random(images.shape) < images / 250
    masks[:2] = ~masks[:2]
    normal = Normalisation(0.0, 250.0)
    given = [
        TrainingVolume.from_arrays("a", images, masks, normal, block_split(4, 2, 0)),
        TrainingVolume.from_arrays("b", images[::-1].copy(), masks, normal, block_split(4, 3, 0)),
        TrainingVolume.from_arrays("c", images, masks, normal, block_split(4, 0, 0)),
    ]
    found = threshold_ious(Logit(), given, 8)
    assert list(found) == list(THRESHOLDS)
    assert (min(found), max(found), len(found)) == (0.05, 0.95, 19)
    for threshold, iou in found.items():
        scores = []
        for one in given[:2]:
            chosen = list(one.split.validation)
            true = one.masks[chosen].numpy() > 0
            predicted = one.images[chosen].numpy() / 250 >= threshold
            scores.append((true & predicted).sum() / (true | predicted).sum())
        assert iou == pytest.approx(np.mean(scores), abs=1e-9), threshold
    assert max(found.values()) - min(found.values()) > 0.1


def test_a_threshold_that_finds_nothing_where_nothing_is_scores_one() -> None:
    images, masks = columns(slice(0, 4), slice(0, 0))
    split = block_split(4, 1, 0)
    normal = Normalisation(0.0, 300.0)  # the columns are as sure as 0.5, and the rest 1/6
    found = threshold_ious(
        Logit(), [TrainingVolume.from_arrays("a", images, masks, normal, split)], 1
    )
    assert [found[t] for t in (0.05, 0.45, 0.55, 0.95)] == [0, 0, 1, 1]


# --- blocks of slices, for 3-D networks ---


class Deep(Network):
    """Logits are ten times the normalised grey level; it notes the depths that it is given."""

    dimensions = 3
    stride_px, halo_px, values_per_px, stride_slices = 4, 6, 8, 2

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.check_shape(images)
        self.shapes.append(tuple(images.shape[2:]))
        return 10 * images


@pytest.mark.parametrize(
    ("n_slices", "blocks"), [(4, [4]), (5, [4, 4]), (1, [2]), (3, [4]), (8, [4, 4])]
)
def test_a_3d_network_sees_blocks_and_counts_every_slice_once(n_slices, blocks) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (10, 6, 10), np.uint8)
    given = volume("a", images, rng.random(images.shape) > 0.5, block_split(10, n_slices, 1))
    network = Deep()
    result = validate(network, [given], bce, 4, block_slices=4)
    assert [shape[0] for shape in network.shapes] == blocks
    flat = validate(Threshold(), [given], bce, 1)
    assert result.iou == flat.iou
    assert result.loss == pytest.approx(flat.loss, rel=1e-5)


def test_blocks_of_every_nth_slice_run_from_the_first_to_the_last() -> None:
    images, masks = columns(slice(0, 4), slice(2, 8), n_slices=12)
    given = volume("a", images, masks, block_split(12, 9, 0, every=4))
    network = Deep()
    assert list(given.split.validation) == [3, 7, 11]
    assert validate(network, [given], bce, 4, block_slices=4).iou == pytest.approx(2 / 8)
    assert sum(shape[0] for shape in network.shapes) == 12  # nine slices, mirrored up
