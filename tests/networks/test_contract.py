"""What the rest of the package may take for granted of every network in the catalog."""

import inspect

import pytest
import torch
from torch import nn

from chondria.errors import ModelError, ShapeError
from chondria.networks.catalog import NETWORKS, build_network

# Small variants, so that the contract takes seconds; a network that is not named here is built
# with its defaults.
SHALLOW = {"filters": 3, "levels": 3, "dropout": (0.1, 0.1, 0.2, 0.3)}
SMALL = dict.fromkeys(("unet", "resunet", "attention_unet", "casser"), SHALLOW)
SMALL["oztel"] = {"filters": 4}

each_network = pytest.mark.parametrize("name", list(NETWORKS))


def small(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(name, **SMALL.get(name, {}))


@each_network
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 4, 4), (2, 5, 3), (3, 1, 6)])
def test_logits_lie_on_the_grid_of_the_images(name, batch, height, width) -> None:
    network = small(name).eval()
    step = network.stride_px
    images = torch.randn(batch, 1, height * step, width * step)
    logits = network(images)
    assert logits.shape == images.shape
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()
    # Logits and not probabilities: the losses apply the sigmoid.
    assert network(20 * images).abs().max() > 1


@each_network
def test_every_parameter_gets_a_finite_gradient(name) -> None:
    network = small(name).train()
    images = torch.randn(4, 1, 4 * network.stride_px, 4 * network.stride_px)
    network(images).square().mean().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@each_network
def test_other_sizes_are_refused_naming_the_size_to_use(name) -> None:
    network = small(name)
    step = network.stride_px
    if step == 1:
        pytest.skip("takes every size")
    with pytest.raises(ShapeError, match=f"{2 * step}x{3 * step}"):
        network(torch.zeros(1, 1, step + 1, 3 * step - 1))
    with pytest.raises(ShapeError, match=f"pad to {step}x{step}"):
        network(torch.zeros(1, 1, step, step - 1))


@each_network
def test_evaluation_is_deterministic_and_images_are_independent(name) -> None:
    network = small(name).eval()
    images = torch.randn(2, 1, 4 * network.stride_px, 4 * network.stride_px)
    with torch.inference_mode():
        assert torch.equal(network(images), network(images))
        alone, together = network(images[1:]), network(images)[1:]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)


@each_network
def test_weights_follow_the_seed(name) -> None:
    first, same, other = (small(name, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@each_network
def test_state_survives_a_round_trip(name, tmp_path) -> None:
    network, other = small(name, 1).eval(), small(name, 2).eval()
    images = torch.randn(1, 1, 4 * network.stride_px, 4 * network.stride_px)
    assert not torch.equal(network(images), other(images))
    torch.save(network.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(network(images), other(images))


def side_px(network: nn.Module) -> int:
    """An image with a block in its middle that sees no border."""
    needed = 2 * network.halo_px + 5 * network.stride_px
    return -(-needed // network.stride_px) * network.stride_px


@each_network
def test_pixels_beyond_the_halo_change_nothing(name) -> None:
    network = small(name).eval()
    halo, step, side = network.halo_px, network.stride_px, side_px(network)
    images = torch.randn(1, 1, side, side)
    block = torch.arange(side) // step * step  # where each pixel's block begins
    with torch.inference_mode():
        before = network(images)
        for at in (0, side // 2, side // 2 + 3, side - 1):
            changed = images.clone()
            changed[..., at, at] += 100
            after = network(changed)
            far = (at < block - halo) | (at >= block + step + halo)
            assert far.any()
            # All rows, or all columns, of blocks that are farther away.
            assert torch.equal(before[..., far, :], after[..., far, :])
            assert torch.equal(before[..., far], after[..., far])
            assert not torch.equal(before, after)


@each_network
def test_the_halo_is_reached_and_not_exceeded(name) -> None:
    network = small(name).eval().double()
    halo, step, side = network.halo_px, network.stride_px, side_px(network)
    # Rectifiers cut paths at random; with positive weights and images none is cut.
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.01)
    images = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    first = side // 2 // step * step
    block = network(images)[0, 0, first : first + step, first : first + step]
    (gradient,) = torch.autograd.grad(block.sum(), images)
    touched = gradient[0, 0].nonzero()
    # A halo that is too large costs time in every tile.
    reached = first - int(touched.min()), int(touched.max()) - (first + step - 1)
    assert max(reached) == halo
    # Kernels of an even side see one pixel more on one side, at every level.
    assert min(reached) >= halo - step


@each_network
def test_a_shift_by_the_stride_shifts_the_logits(name) -> None:
    network = small(name).eval()
    step, side = network.stride_px, side_px(network)
    halo = -(-network.halo_px // step) * step
    images = torch.randn(1, 1, side + 2 * step, side + step)
    with torch.inference_mode():
        here = network(images[..., :side, :side])
        there = network(images[..., 2 * step :, step:])
    # Blocks of the whole image that see no border of either part.
    rows, columns = slice(halo + 2 * step, side - halo), slice(halo + step, side - halo)
    overlap = here[..., rows, columns]
    expected = there[..., halo : side - halo - 2 * step, halo : side - halo - step]
    assert overlap.numel() > 0
    torch.testing.assert_close(overlap, expected, atol=1e-5, rtol=1e-5)


@each_network
def test_an_unknown_option_names_the_nearest(name) -> None:
    option = next(iter(inspect.signature(NETWORKS[name]).parameters))
    with pytest.raises(ModelError, match=rf"no option '{option}x' \(did you mean '{option}'\?\)"):
        build_network(name, **{f"{option}x": 1})


@pytest.mark.parametrize(("name", "hint"), [("unett", "did you mean 'unet'"), ("vgg", "there are")])
def test_an_unknown_network_names_the_nearest(name, hint) -> None:
    with pytest.raises(ModelError, match=f"no network '{name}'.*{hint}"):
        build_network(name)
