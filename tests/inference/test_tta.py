"""Averaging over the flips and rotations of the square."""

import pytest
import torch
from torch import nn

from chondria.inference.tta import IDENTITY, SquareSymmetry, d4_transforms, mean_probability


def images(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_eight_different_views_the_identity_first() -> None:
    picture = torch.arange(6.0).reshape(2, 3)
    images = [transform.apply(picture) for transform in d4_transforms()]
    views = {(image.shape, *image.flatten().tolist()) for image in images}
    assert len(views) == 8
    assert d4_transforms()[0] == IDENTITY


@pytest.mark.parametrize("transform", d4_transforms())
def test_inverted_is_the_image_again(transform: SquareSymmetry) -> None:
    batch = images(2, 1, 4, 6)
    assert torch.equal(transform.invert(transform.apply(batch)), batch)


def test_a_quarter_turn_known_by_hand() -> None:
    picture = torch.tensor([[1, 2], [3, 4]])
    assert SquareSymmetry(1).apply(picture).tolist() == [[2, 4], [1, 3]]
    assert SquareSymmetry(0, flipped=True).apply(picture).tolist() == [[2, 1], [4, 3]]


def test_a_network_that_commutes_with_the_square_is_not_changed() -> None:
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, -3.0, 2.0], [1.0, 2.0, 1.0]])
    network = nn.Conv2d(1, 1, 3, padding=1)
    with torch.inference_mode():
        network.weight.copy_(kernel)
        batch = images(2, 1, 16, 32)
        averaged = mean_probability(network, batch, d4_transforms())
        torch.testing.assert_close(averaged, torch.sigmoid(network(batch)), atol=1e-6, rtol=0)


def test_the_mean_of_the_eight_probabilities() -> None:
    network = nn.Conv2d(1, 1, 3, padding=1)
    with torch.inference_mode():
        batch = images(1, 1, 8, 12)
        views = [batch.rot90(turns, (2, 3)) for turns in range(4)]
        views += [batch.flip(3).rot90(turns, (2, 3)) for turns in range(4)]
        back = [torch.sigmoid(network(view)).rot90(-i % 4, (2, 3)) for i, view in enumerate(views)]
        expected = torch.stack(back[:4] + [view.flip(3) for view in back[4:]]).mean(0)
        averaged = mean_probability(network, batch, d4_transforms())
        torch.testing.assert_close(averaged, expected, atol=1e-6, rtol=0)
        assert (averaged - mean_probability(network, batch)).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("batch_px", "shapes"),
    [
        (0, [(2, 1, 8, 12)] * 4 + [(2, 1, 12, 8)] * 4),
        (3 * 192, [(6, 1, 8, 12), (2, 1, 8, 12), (6, 1, 12, 8), (2, 1, 12, 8)]),
        (10**6, [(8, 1, 8, 12), (8, 1, 12, 8)]),
    ],
)
def test_views_of_one_shape_go_together(batch_px, shapes) -> None:
    network, seen = nn.Conv2d(1, 1, 3, padding=1), []
    network.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    with torch.inference_mode():
        batch = images(2, 1, 8, 12)
        together = mean_probability(network, batch, d4_transforms(), batch_px)
        assert seen == shapes
        one_by_one = mean_probability(network, batch, d4_transforms())
    torch.testing.assert_close(together, one_by_one, atol=1e-6, rtol=0)


def test_probabilities_are_float32_whatever_the_logits() -> None:
    averaged = mean_probability(lambda x: x.bfloat16(), images(1, 1, 4, 4), d4_transforms())
    assert averaged.dtype == torch.float32


def test_no_view_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mean_probability(lambda x: x, images(1, 1, 4, 4), ())
