"""One small interface to what computes a network: from images to logits, whatever the backend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from chondria.inference.compute import Compute
from chondria.inference.device import true_fp32
from chondria.networks.folding import fold_batch_norm
from chondria.networks.network import memory_format
from chondria.networks.quantisation import Ranges, quantise

__all__ = ["Agreement", "Logits", "ready_network"]

# From images (B, 1, Y, X) or (B, 1, Z, Y, X), float32 on the device, to logits of the same shape,
# of one channel or several.
Logits = Callable[[Tensor], Tensor]

GUARD_PX = 256
# Mean difference of probability from fp32 PyTorch that is still called rounding. Trained networks
# differ by 0.002 in bf16; a backend that computes something else differs by tenths.
LARGEST_MEAN_DIFFERENCE = {"fp32": 1e-4, "bf16": 0.02, "int8": 0.03}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Agreement:
    """How a backend's probabilities compare with those of PyTorch in fp32, on one part of a tile.

    Attributes
    ----------
    mean_difference, largest_difference : float or None
        Of the probabilities; None until something was computed.
    fell_back : bool
        Whether they differed too much, so that PyTorch in fp32 took over.
    """

    mean_difference: float | None = None
    largest_difference: float | None = None
    fell_back: bool = False


@contextmanager
def ready_network(
    network: nn.Module,
    compute: Compute,
    agreement: Agreement | None = None,
    calibration: Ranges | None = None,
) -> Iterator[Logits]:
    """Put a network on its device, ready to predict; give its training mode back afterwards.

    The first images that come are also computed by PyTorch in fp32 (a part of one, at most 256
    px square). If the mean difference of the probabilities is more than rounding explains, a
    warning is logged and PyTorch in fp32 computes everything.

    Parameters
    ----------
    network : nn.Module
        From (B, 1, Y, X) or (B, 1, Z, Y, X) to logits of the same shape. Moved to the device, in
        channels-last format.
    compute : Compute
        Device, backend and precision.
    agreement : Agreement, optional
        Filled with what the comparison found.
    calibration : mapping, optional
        Ranges that `chondria.networks.quantisation.measure_ranges` found, for int8.

    Yields
    ------
    callable
        From images to logits; what it gives is valid until it is called again.

    Raises
    ------
    ModelError
        If int8 is asked for and the calibration is not one of this network.
    """
    was_training = network.training
    # PyTorch's stub of `to` does not know the two arguments together.
    cast(Any, network).to(compute.device, memory_format=memory_format(network)).eval()
    try:
        with torch.inference_mode(), true_fp32(compute.device):
            logits_of = _backend(network, compute, calibration or {})
            if logits_of is not network:
                logits_of = _Guarded(logits_of, network, compute, agreement or Agreement())
            yield logits_of
    finally:
        network.train(was_training)


def _backend(network: nn.Module, compute: Compute, calibration: Ranges) -> Logits:
    int8 = compute.precision == "int8"
    network = quantise(network, calibration) if int8 else fold_batch_norm(network)
    if compute.backend == "openvino":
        from chondria.inference.openvino import OpenVinoNetwork

        return OpenVinoNetwork(network, compute.precision)
    return _in_bf16(network, compute.device) if compute.precision == "bf16" else network


def _in_bf16(network: nn.Module, device: torch.device) -> Logits:
    def logits_of(images: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            logits: Tensor = network(images)
        return logits

    return logits_of


class _Guarded:
    """Compares the first images with the network itself, and takes that one if they disagree."""

    def __init__(
        self, logits_of: Logits, network: nn.Module, compute: Compute, agreement: Agreement
    ) -> None:
        self._logits_of, self._network = logits_of, network
        self._compute, self._agreement = compute, agreement
        step = int(network.stride_px)  # type: ignore[arg-type]
        self._side_px = max(1, GUARD_PX // step) * step
        self._compared = False

    def __call__(self, images: Tensor) -> Tensor:
        if not self._compared:
            self._compare(images[:1, ..., : self._side_px, : self._side_px])
            self._compared = True
        return self._logits_of(images)

    def _compare(self, part: Tensor) -> None:
        expected = torch.sigmoid(self._network(part).float())
        difference = (torch.sigmoid(self._logits_of(part).float()) - expected).abs()
        found = self._agreement
        found.mean_difference = float(difference.mean())
        found.largest_difference = float(difference.max())
        said = f"{self._compute}: differs from PyTorch fp32 by {found.mean_difference:.2g} on "
        said += f"average and {found.largest_difference:.2g} at most"
        # Not "greater": a NaN makes every comparison false.
        if found.mean_difference <= LARGEST_MEAN_DIFFERENCE[self._compute.precision]:
            log.info(said)
            return
        log.warning("%s; this is no rounding, so PyTorch fp32 computes instead", said)
        self._logits_of, found.fell_back = self._network, True
