"""What the rest of the package may take for granted of every network in the catalog."""

import inspect
import re

import pytest
import torch
from torch import Tensor, nn

from chondria.config.recipe import BOUNDARY_NETWORKS
from chondria.errors import ModelError, ShapeError
from chondria.networks.catalog import NETWORKS, build_network

# Small variants, so that the contract takes seconds; a network that is not named here is built
# with its defaults.
SHALLOW = {"filters": 3, "levels": 3, "dropout": (0.1, 0.1, 0.2, 0.3)}
SMALL = dict.fromkeys(("unet", "resunet", "attention_unet", "casser"), SHALLOW)
SMALL["oztel"] = {"filters": 4}
SMALL["unet3d"] = {"filters": (3, 4, 5), "pool_slices": (1, 2), "dropout": (0.1, 0.1, 0.2)}
SMALL["xiao"] = {"filters": (3, 4, 5)}

each_network = pytest.mark.parametrize("name", list(NETWORKS))


def small(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(name, **SMALL.get(name, {}))


def steps(network: nn.Module) -> list[int]:
    """Strides along the axes of an image, (y, x) or (z, y, x)."""
    plane = [network.stride_px, network.stride_px]
    return plane if network.dimensions == 2 else [network.stride_slices, *plane]


def halos(network: nn.Module) -> list[int]:
    plane = [network.halo_px, network.halo_px]
    return plane if network.dimensions == 2 else [network.halo_slices, *plane]


def size(network: nn.Module, *multiples: int) -> list[int]:
    """An image of so many strides along y and x, and of 3 along z if it has that axis."""
    return [n * step for n, step in zip((3, *multiples)[-network.dimensions :], steps(network))]  # noqa: B905


def block_in_the_middle(network: nn.Module) -> list[tuple[int, int, int]]:
    """For each axis, a size whose middle block sees no border, its stride and its halo."""
    axes = []
    for step, halo in zip(steps(network), halos(network), strict=True):
        needed = 2 * halo + 5 * step
        axes.append((-(-needed // step) * step, step, halo))
    return axes


@each_network
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 4, 4), (2, 5, 3), (3, 1, 6)])
def test_logits_lie_on_the_grid_of_the_images(name, batch, height, width) -> None:
    network = small(name).eval()
    images = torch.randn(batch, 1, *size(network, height, width))
    logits = network(images)
    assert logits.shape == images.shape
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()
    # Logits and not probabilities: the losses apply the sigmoid.
    assert network(20 * images).abs().max() > 1


@each_network
def test_what_is_supervised_has_the_shape_of_the_images_and_begins_with_the_logits(name) -> None:
    network = small(name).eval()
    images = torch.randn(2, 1, *size(network, 4, 5))
    outputs = network.supervised(images)
    assert outputs[0][0] == 1
    assert torch.equal(outputs[0][1], network(images))
    assert all(0 < weight <= 1 and logits.shape == images.shape for weight, logits in outputs)


@each_network
def test_every_parameter_gets_a_finite_gradient(name) -> None:
    network = small(name).train()
    images = torch.randn(4, 1, *size(network, 4, 4))
    sum(logits.square().mean() for _, logits in network.supervised(images)).backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().max() > 0, parameter_name


@each_network
def test_other_sizes_are_refused_naming_the_size_to_use(name) -> None:
    network = small(name)
    if max(steps(network)) == 1:
        pytest.skip("takes every size")
    *slices, step, _ = steps(network)
    before = "".join(f"{2 * n}x" for n in slices)
    depth = [2 * n - (n > 1) for n in slices]
    with pytest.raises(ShapeError, match=f"pad to {before}{2 * step}x{3 * step}"):
        network(torch.zeros(1, 1, *depth, step + 1, 3 * step - 1))
    with pytest.raises(ShapeError, match=f"pad to {before}{step}x{step}"):
        network(torch.zeros(1, 1, *depth, step, step - 1))


@each_network
def test_other_axes_are_refused(name) -> None:
    network = small(name)
    axes = "B, C, Y, X" if network.dimensions == 2 else "B, C, Z, Y, X"
    for shape in ((1, *size(network, 1, 1)), (1, 1, 1, *size(network, 1, 1))):
        with pytest.raises(ShapeError, match=re.escape(f"takes ({axes})")):
            network(torch.zeros(shape))


@each_network
def test_evaluation_is_deterministic_and_images_are_independent(name) -> None:
    network = small(name).eval()
    images = torch.randn(2, 1, *size(network, 4, 4))
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
    images = torch.randn(1, 1, *size(network, 4, 4))
    assert not torch.equal(network(images), other(images))
    torch.save(network.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(network(images), other(images))


@each_network
def test_pixels_beyond_the_halo_change_nothing(name) -> None:
    network = small(name).eval()
    axes = block_in_the_middle(network)
    images = torch.randn(1, 1, *(side for side, _, _ in axes))
    with torch.inference_mode():
        before = network(images)
        for share, more in ((0, 0), (0.5, 0), (0.5, 3), (1, -1)):
            at = [min(int(share * side) + more, side - 1) for side, _, _ in axes]
            changed = images.clone()
            changed[..., *at] += 100
            after = network(changed)
            assert not torch.equal(before, after)
            for axis, ((side, step, halo), place) in enumerate(zip(axes, at, strict=True), 2):
                block = torch.arange(side) // step * step  # where each pixel's block begins
                far = (place < block - halo) | (place >= block + step + halo)
                assert far.any()
                # All rows, all columns, or all slices, of blocks that are farther away.
                far = far.nonzero()[:, 0]
                assert torch.equal(before.index_select(axis, far), after.index_select(axis, far))


@each_network
def test_the_halo_is_reached_and_not_exceeded(name) -> None:
    network = small(name).eval().double()
    axes = block_in_the_middle(network)
    # Rectifiers cut paths at random; with positive weights and images none is cut.
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.01)
    shape = [side for side, _, _ in axes]
    images = torch.rand(1, 1, *shape, dtype=torch.float64, requires_grad=True)
    firsts = [side // 2 // step * step for side, step, _ in axes]
    middle = [slice(first, first + axis[1]) for first, axis in zip(firsts, axes, strict=True)]
    (gradient,) = torch.autograd.grad(network(images)[0, 0, *middle].sum(), images)
    touched = gradient[0, 0].nonzero()
    for axis, ((_, step, halo), first) in enumerate(zip(axes, firsts, strict=True)):
        low, high = touched[:, axis].min(), touched[:, axis].max()
        # A halo that is too large costs time in every tile.
        reached = first - int(low), int(high) - (first + step - 1)
        assert max(reached) == halo
        # Kernels of an even side see one pixel more on one side, at every level.
        assert min(reached) >= halo - step


@each_network
def test_a_shift_by_the_stride_shifts_the_logits(name) -> None:
    network = small(name).eval()
    axes = block_in_the_middle(network)
    shifts = [step * (2 - number % 2) for number, (_, step, _) in enumerate(axes)]
    sizes = [side + shift for (side, _, _), shift in zip(axes, shifts, strict=True)]
    images = torch.randn(1, 1, *sizes)

    def part(starts: list[int]) -> Tensor:
        place = [slice(at, at + axis[0]) for at, axis in zip(starts, axes, strict=True)]
        with torch.inference_mode():
            return network(images[..., *place])

    here, there = part([0] * len(axes)), part(shifts)
    # Blocks of the whole image that see no border of either part.
    inside, shifted = [], []
    for (side, step, halo), shift in zip(axes, shifts, strict=True):
        margin = -(-halo // step) * step
        inside.append(slice(margin + shift, side - margin))
        shifted.append(slice(margin, side - margin - shift))
    assert here[..., *inside].numel() > 0
    torch.testing.assert_close(here[..., *inside], there[..., *shifted], atol=1e-5, rtol=1e-5)


@each_network
def test_an_unknown_option_names_the_nearest(name) -> None:
    option = next(iter(inspect.signature(NETWORKS[name]).parameters))
    with pytest.raises(ModelError, match=rf"no option '{option}x' \(did you mean '{option}'\?\)"):
        build_network(name, **{f"{option}x": 1})


@pytest.mark.parametrize(("name", "hint"), [("unett", "did you mean 'unet"), ("vgg", "there are")])
def test_an_unknown_network_names_the_nearest(name, hint) -> None:
    with pytest.raises(ModelError, match=f"no network '{name}'.*{hint}"):
        build_network(name)


# --- with a second channel ---


def test_the_networks_that_learn_outlines_are_those_of_2d_with_channels_to_choose() -> None:
    can = [
        name
        for name, network in NETWORKS.items()
        if "channels_out" in inspect.signature(network).parameters and network.dimensions == 2
    ]
    assert tuple(can) == BOUNDARY_NETWORKS


@pytest.mark.parametrize("name", BOUNDARY_NETWORKS)
def test_a_second_channel_lies_on_the_grid_and_is_learned(name) -> None:
    torch.manual_seed(0)
    network = build_network(name, **SMALL[name], channels_out=2)
    logits = network(torch.randn(2, 1, *size(network, 2, 3)))
    assert logits.shape == (2, 2, *size(network, 2, 3))
    logits[:, 1].square().mean().backward()
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
