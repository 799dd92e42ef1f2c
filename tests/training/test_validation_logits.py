"""Blocks of slices that do not fit into memory at once are predicted in parts."""

import numpy as np
import pytest
import torch

from chondria.data.normalize import measure_normalisation
from chondria.data.splits import block_split
from chondria.data.training_volume import TrainingVolume
from chondria.networks.catalog import build_network
from chondria.training import validation_logits
from chondria.training.losses import bce
from chondria.training.validation import validate


def test_large_blocks_are_cut_in_the_plane_and_joined(monkeypatch) -> None:
    torch.manual_seed(0)
    network = build_network("xiao", filters=[2, 3, 4])
    images = np.random.default_rng(0).integers(0, 256, (4, 130, 140), np.uint8)
    normal, split = measure_normalisation(images), block_split(4, 2, 0)
    given = [TrainingVolume.from_arrays("a", images, images > 100, normal, split)]
    once = validate(network, given, bce, 4, block_slices=2)
    monkeypatch.setattr(validation_logits, "LARGEST_VALUES", 1)
    shapes = []
    network.register_forward_pre_hook(lambda _, images: shapes.append(images[0].shape))
    tiled = validate(network, given, bce, 4, block_slices=2)
    assert len(shapes) > 1
    assert tiled.loss == pytest.approx(once.loss, rel=1e-5)
    assert tiled.iou == pytest.approx(once.iou, abs=1e-4)
