"""The loop of classifiers: it learns, its seed is enough, the best epoch is kept."""

import numpy as np
import pytest
import torch

from chondria.data.made_up import made_up_digits
from chondria.errors import SettingsError
from chondria.networks.catalog import build_classifier
from chondria.training.classify import ClassifierPlan, Images, predict_classes, train_classifier

LEARN = Images.from_arrays(*made_up_digits(200, 0))
VALIDATION = Images.from_arrays(*made_up_digits(60, 1))


def trained(seed: int = 0, **plan):
    torch.manual_seed(seed)
    network = build_classifier("mlp")
    chosen = ClassifierPlan(**({"epochs": 8, "batch": 10, "rate": 0.1, "seed": seed} | plan))
    return network, train_classifier(network, LEARN, VALIDATION, chosen)


def test_it_learns_what_is_easy() -> None:
    network, history = trained()
    assert history[-1]["train_loss"] < history[0]["train_loss"] / 2
    predicted, loss, accuracy = predict_classes(network, VALIDATION)
    assert accuracy > 0.6
    assert accuracy == pytest.approx(np.mean(predicted == VALIDATION.labels.numpy()))
    assert loss == min(row["validation_loss"] for row in history)


def test_a_seed_is_enough() -> None:
    (one, history), (same, again), (other, _) = trained(1), trained(1), trained(2)
    assert history == again
    pairs = zip(one.state_dict().values(), same.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert not torch.equal(
        one.state_dict()["layers.1.weight"], other.state_dict()["layers.1.weight"]
    )


def test_a_rate_that_is_too_high_is_said() -> None:
    with pytest.raises(SettingsError, match=r"loss became .* at the learning rate 1e\+20"):
        trained(rate=1e20)


def test_grey_and_coloured_images_get_channels() -> None:
    grey = Images.from_arrays(np.zeros((3, 4, 5), np.uint8), np.zeros(3, np.uint8))
    colour = Images.from_arrays(np.zeros((3, 4, 5, 3), np.uint8), np.zeros(3, np.uint8))
    assert tuple(grey.images.shape) == (3, 1, 4, 5)
    assert tuple(colour.images.shape) == (3, 3, 4, 5)
    assert len(grey) == 3
