"""Where, with what and how precisely a network is computed."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import torch

from chondria.errors import MissingPackageError, SettingsError
from chondria.inference.device import Precision, choose_device, choose_precision, describe_device

__all__ = ["Backend", "Compute", "choose_compute"]

Backend = Literal["torch", "openvino", "numpy"]

# OpenVINO needs half a second to be imported and to compile a network, and then wins between 0.09
# and 0.3 s for every million pixels of a U-Net 32, by the processor (recipes/LOG.md).
WORTH_COMPILING_PX = 2**22


@dataclass(frozen=True, slots=True)
class Compute:
    """A device, a backend that computes on it, and the precision of its arithmetic.

    Attributes
    ----------
    device : torch.device
        Where.
    precision : {"fp32", "bf16", "int8"}
        Of the network; probabilities are always computed in float32. Integers are for OpenVINO
        and models with a calibration only.
    backend : {"torch", "openvino", "numpy"}
        With what; OpenVINO computes on the CPU only, NumPy computes what is no network.

    Raises
    ------
    SettingsError
        If a name is unknown, or the backend cannot compute on the device.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "fp32"
    backend: Backend = "torch"

    def __post_init__(self) -> None:
        for name, kind in (("precision", Precision), ("backend", Backend)):
            if (found := getattr(self, name)) not in get_args(kind):
                allowed = ", ".join(get_args(kind))
                raise SettingsError(f"Found {name} '{found}'; allowed are {allowed}.")
        if self.backend == "openvino" and self.device.type != "cpu":
            raise SettingsError(
                f"Found the backend openvino for the device '{self.device}'; it computes on the "
                "CPU only: choose the device cpu or the backend torch."
            )
        if self.precision == "int8" and self.backend != "openvino":
            raise SettingsError(
                f"Found the precision int8 for the backend {self.backend}; only OpenVINO on a CPU "
                "computes with integers: choose the backend openvino, or bf16 or fp32."
            )

    def __str__(self) -> str:
        """Say it for people, such as ``CPU, 2 threads, OpenVINO bf16``."""
        said = {"torch": "PyTorch", "openvino": "OpenVINO", "numpy": "NumPy"}[self.backend]
        return f"{describe_device(self.device)}, {said} {self.precision}"


def choose_compute(
    device: str = "auto", precision: str = "auto", backend: str = "auto", pixels: float = math.inf
) -> Compute:
    """Find the fastest way to compute on this machine, or the one that is asked for.

    Parameters
    ----------
    device, precision : str
        See `chondria.inference.device`.
    backend : {"auto", "torch", "openvino"}
        ``auto`` is OpenVINO on a CPU where it is installed and the work is worth its start, and
        PyTorch elsewhere.
    pixels : float
        How many pixels the network will see, all flips and rotations counted.

    Returns
    -------
    Compute
        A way that exists on this machine.

    Raises
    ------
    DeviceError
        If the device is not there.
    MissingPackageError
        If OpenVINO is asked for and not installed.
    SettingsError
        If a name is unknown, or the backend cannot compute on the device.
    """
    where = choose_device(device)
    if backend not in ("auto", "torch", "openvino"):
        raise SettingsError(f"Found the backend '{backend}'; allowed are auto, torch and openvino.")
    chosen = backend
    if backend == "auto":
        worth_it = pixels >= WORTH_COMPILING_PX or precision == "int8"
        possible = where.type == "cpu" and _has_openvino()
        chosen = "openvino" if worth_it and possible else "torch"
    if chosen == "openvino" and not _has_openvino():
        raise MissingPackageError(
            "Found no OpenVINO on this machine; install it with `pip install 'chondria[openvino]'` "
            "or choose the backend torch."
        )
    return Compute(where, choose_precision(precision, where), cast(Backend, chosen))


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None
