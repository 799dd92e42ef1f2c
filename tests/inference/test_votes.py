"""Votes of views and of models."""

from pathlib import Path

import numpy as np
import pytest

from chondria.errors import ModelError
from chondria.inference.compute import Compute
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.tta import d4_transforms
from chondria.inference.volumes import predict_volume
from chondria.inference.votes import model_votes, view_votes
from chondria.models import Model, load_model
from chondria.volume import Volume

PLAIN = PredictionSettings(Compute())


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


@pytest.fixture
def lopsided(model: Model) -> Model:
    """The network of `tiny_model` with a filter that looks to one side."""
    import torch

    network = load_model(model.source).network
    with torch.no_grad():
        first = next(layer for layer in network.encoder[0] if isinstance(layer, torch.nn.Conv2d))
        first.weight[0, 0] = torch.tensor([[0.0, -1, 0], [0, -1, 0], [0, 0, 0]])
    return Model(network, model.card)


def predicted(model: Model, volume: Volume, **how) -> np.ndarray:
    sink = np.empty(volume.shape, np.float32)
    predict_volume(model, volume, sink, settings=PredictionSettings(Compute(), **how))
    return sink


def test_the_mean_of_single_views_is_the_average_over_all(lopsided: Model, blobs) -> None:
    views = [predicted(lopsided, blobs[0], view=view) for view in range(len(d4_transforms()))]
    np.testing.assert_allclose(
        np.mean(views, 0), predicted(lopsided, blobs[0], tta="d4"), atol=1e-6
    )
    assert np.abs(views[0] - views[2]).max() > 0.1


def test_views_vote(lopsided: Model, blobs) -> None:
    told: list[tuple[int, int]] = []
    found = view_votes(lopsided, blobs[0], 0.6, PLAIN, lambda *counts: told.append(counts))
    views = [np.rint(255 * predicted(lopsided, blobs[0], view=v)) > 153 for v in range(8)]
    np.testing.assert_array_equal(found.counts, np.sum(views, 0))
    assert found.voters == 8
    assert np.count_nonzero((found.counts > 0) & (found.counts < 8)) > 0
    assert told[-1] == (64, 64)


def test_models_vote_each_at_its_own_threshold(model: Model, blobs) -> None:
    image, truth = blobs
    deaf = model.with_card(threshold=254.9 / 255)
    found = model_votes([model, deaf, model], image, PLAIN)
    assert found.voters == 3
    np.testing.assert_array_equal(found.counts == 0, truth.numpy() == 0)
    assert found.counts[truth.numpy() > 0].min() >= 2


def test_what_is_no_network_has_no_views(model: Model, blobs) -> None:
    from chondria.supervoxels.classifier import SupervoxelClassifier

    other = Model(SupervoxelClassifier.__new__(SupervoxelClassifier), model.card)
    with pytest.raises(ModelError, match="no network"):
        view_votes(other, blobs[0], 0.5, PLAIN)
