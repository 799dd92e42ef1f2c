"""Classifiers of whole images: layers as the thesis lists, sizes as the literature has them."""

import pytest
import torch

from chondria.errors import ModelError, ShapeError
from chondria.networks.catalog import CLASSIFIERS, build_classifier
from chondria.networks.classifiers import ALEXNET_LAYERS

each = pytest.mark.parametrize("name", list(CLASSIFIERS))
SMALL = {"pictures_cnn": {"filters": 4, "hidden": 8, "image_shape": (3, 32, 40)}}


def build(name: str, seed: int = 0):
    torch.manual_seed(seed)
    return build_classifier(name, **SMALL.get(name, {}))


@each
def test_one_logit_for_each_class_and_a_gradient_for_every_weight(name) -> None:
    network = build(name).train()
    images = torch.rand(2, *network.image_shape)
    logits = network(images)
    assert logits.shape == (2, *network.layer_shapes[-1])
    logits.square().mean().backward()
    for parameter in network.parameters():
        assert parameter.grad.isfinite().all()
        assert parameter.grad.abs().max() > 0


@each
def test_weights_follow_the_seed_and_images_are_independent(name) -> None:
    first, same, other = (build(name, seed).eval() for seed in (1, 1, 2))
    images = torch.rand(2, *first.image_shape)
    with torch.inference_mode():
        assert torch.equal(first(images), same(images))
        assert not torch.equal(first(images), other(images))
        torch.testing.assert_close(first(images)[1:], first(images[1:]), atol=1e-5, rtol=1e-5)


@each
def test_images_of_another_shape_are_refused(name) -> None:
    network = build(name)
    channels, height, width = network.image_shape
    with pytest.raises(ShapeError, match=r"this network takes \("):
        network(torch.zeros(1, channels, height + 1, width))


def parameters(name: str, **options) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in CLASSIFIERS[name](**options).parameters())


def test_sizes_by_hand() -> None:
    assert parameters("mlp") == 784 * 10 + 10 + 10 * 10 + 10
    convolutions = 25 * 32 + 32 + 25 * 32 * 64 + 64
    assert parameters("digits_cnn") == convolutions + 64 * 7 * 7 * 10 + 10
    convolutions = 9 * 3 * 32 + 32 + 9 * 32 * 32 + 32 + 9 * 32 * 64 + 64
    dense = 64 * 37 * 37 * 64 + 64 + 64 * 2 + 2
    assert parameters("pictures_cnn") == convolutions + dense


def test_alexnet_is_the_table_of_the_thesis() -> None:
    with torch.device("meta"):
        network = CLASSIFIERS["alexnet"]()
    assert network.layer_shapes == [shape for _, shape in ALEXNET_LAYERS]
    # About 61 million in the literature, whose convolutions are in two groups: the second, fourth
    # and fifth have half of these weights.
    count = sum(weight.numel() for weight in network.parameters())
    halves = (25 * 96 * 256 + 9 * 384 * 384 + 9 * 384 * 256) // 2
    assert count == 62_378_344
    assert count - halves == 60_965_224


def test_unknown_names_and_options_are_refused() -> None:
    with pytest.raises(ModelError, match=r"no classifier 'mpl' .did you mean 'mlp'"):
        build_classifier("mpl")
    with pytest.raises(ModelError, match=r"'mlp' has no option 'hiden' .did you mean 'hidden'"):
        build_classifier("mlp", hiden=3)
    with pytest.raises(ModelError, match="too small for layer 2"):
        build_classifier("alexnet", image_shape=(3, 16, 16))
