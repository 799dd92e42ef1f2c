"""Eight-bit convolutions: measure the ranges of their inputs, and round inputs and weights to them.

As Jacob et al. (2018, arXiv:1712.05877): inputs to 256 levels between the smallest and the largest
value seen in calibration, zero among them and a thousandth at either end left out; weights to 255
levels, symmetric, for each output channel. The rounded network computes in floating point what
integers would; a backend that recognises the rounding (OpenVINO) computes it in integers. 2-D
convolutions only: 3-D networks are computed in floating point.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from chondria.errors import ModelError
from chondria.networks.folding import fold_batch_norm

__all__ = ["Ranges", "measure_ranges", "quantise"]

Convolution = nn.Conv2d | nn.ConvTranspose2d

# What is left out at either end: a network without normalisation has few values far from all
# others, and to hold them the steps of all would grow (recipes/LOG.md).
OUTLIERS: Final = 1e-3
# Values that are looked at in one batch; more say no more.
VALUES: Final = 2**20

# Smallest and largest input of each convolution, by its name in the network.
Ranges = Mapping[str, tuple[float, float]]


def measure_ranges(network: nn.Module, batches: Iterable[Tensor]) -> dict[str, tuple[float, float]]:
    """Find what the convolutions see (calibration).

    Parameters
    ----------
    network : nn.Module
        In evaluation mode.
    batches : iterable of Tensor, (B, C, Y, X)
        Images as in use, from the training slices.

    Returns
    -------
    dict of str to tuple of float
        For each convolution that `quantise` rounds, the smallest and the largest of its inputs but
        for the outliers, each averaged over the batches.
    """
    folded = fold_batch_norm(network)
    convolutions = _rounded(folded)
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in convolutions}

    def note(name: str, values: Tensor) -> None:
        seen[name].append(_span(values))

    with ExitStack() as hooks, torch.inference_mode():
        for name, convolution in convolutions.items():
            hook = convolution.register_forward_pre_hook(lambda _, given, n=name: note(n, given[0]))
            hooks.callback(hook.remove)
        for batch in batches:
            folded(batch)
    return {
        name: (
            sum(low for low, _ in spans) / len(spans),
            sum(high for _, high in spans) / len(spans),
        )
        for name, spans in seen.items()
    }


def _span(values: Tensor) -> tuple[float, float]:
    flat = values.flatten()
    flat = flat[:: 1 + flat.numel() // VALUES].float()
    low = torch.quantile(flat, OUTLIERS, interpolation="lower")
    high = torch.quantile(flat, 1 - OUTLIERS, interpolation="higher")
    return float(low), float(high)


def quantise(network: nn.Module, ranges: Ranges) -> nn.Module:
    """Copy a network with its convolutions' inputs and weights rounded to eight bits.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode; unchanged.
    ranges : mapping of str to tuple of float
        What `measure_ranges` found.

    Returns
    -------
    nn.Module
        Batch normalisation is folded. The first convolution, which sees the image, and the last,
        which gives the logits, stay as they are: they cost little and matter most.

    Raises
    ------
    ModelError
        If the ranges are not those of this network.
    """
    rounded = deepcopy(fold_batch_norm(network))
    convolutions = _rounded(rounded)
    if convolutions.keys() != ranges.keys():
        raise ModelError(
            "Found no calibration of this network in the model, which int8 needs; models that "
            "`chondria train` writes have one: train again, or choose the precision bf16 or fp32."
        )
    for name, convolution in convolutions.items():
        parent, _, child = name.rpartition(".")
        setattr(rounded.get_submodule(parent), child, _Rounded(convolution, *ranges[name]))
    return rounded


def _rounded(network: nn.Module) -> dict[str, Convolution]:
    """Convolutions that are rounded, in order of their definition: all but the first and last."""
    found = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    }
    return dict(list(found.items())[1:-1])


class _Rounded(nn.Module):
    """A convolution with the inputs and weights that eight bits leave of them."""

    steps: Tensor
    zeros: Tensor

    def __init__(self, convolution: Convolution, low: float, high: float) -> None:
        super().__init__()
        self.convolution = convolution
        low, high = min(low, 0.0), max(high, 0.0)
        self.scale = max(high - low, 1e-6) / 255
        self.zero_point = round(-low / self.scale)
        weight = convolution.weight
        self.axis = 1 if isinstance(convolution, nn.ConvTranspose2d) else 0
        others = [axis for axis in range(weight.dim()) if axis != self.axis]
        self.register_buffer("steps", weight.detach().abs().amax(others).clamp_min(1e-8) / 127)
        self.register_buffer("zeros", torch.zeros(weight.shape[self.axis], dtype=torch.int32))

    def forward(self, features: Tensor) -> Tensor:
        """Round and convolve."""
        features = torch.fake_quantize_per_tensor_affine(
            features, self.scale, self.zero_point, 0, 255
        )
        whole = self.convolution
        weight = torch.fake_quantize_per_channel_affine(
            whole.weight, self.steps, self.zeros, self.axis, -127, 127
        )
        if isinstance(whole, nn.ConvTranspose2d):
            return functional.conv_transpose2d(features, weight, whole.bias, whole.stride)
        return functional.conv2d(features, weight, whole.bias, padding=whole.padding)
