"""Choose where and how precisely to compute; never a silent fall back to something slower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, cast, get_args

import torch

from chondria.errors import DeviceError, SettingsError

__all__ = ["Precision", "choose_device", "choose_precision", "describe_device", "true_fp32"]

Precision = Literal["fp32", "bf16", "int8"]

GIB = 2**30


def choose_device(name: str = "auto") -> torch.device:
    """Find the device to compute on.

    Parameters
    ----------
    name : str
        ``auto`` takes the best there is: CUDA, then Apple's MPS, then the CPU. ``cpu``, ``cuda``,
        ``cuda:N`` and ``mps`` are taken at their word.

    Returns
    -------
    torch.device
        A device that exists, with its index where it is a CUDA device.

    Raises
    ------
    DeviceError
        If the device named is not on this machine; the message says which are.
    """
    present = _present()
    wanted = present[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise DeviceError(
            f"Found no device '{name}' that PyTorch {torch.__version__} can use on this machine; "
            f"there is {' and '.join(present)}: choose one of these, or 'auto'."
        )
    return torch.device(wanted)


def describe_device(device: torch.device) -> str:
    """Say in a few words what a device is, for people to read.

    Parameters
    ----------
    device : torch.device
        As `choose_device` returns it.

    Returns
    -------
    str
        Such as ``CPU, 2 threads`` or ``CUDA device 0, NVIDIA A100, 80 GiB``.
    """
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        return f"CUDA device {device.index}, {card.name}, {card.total_memory / GIB:.0f} GiB"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def choose_precision(name: str, device: torch.device) -> Precision:
    """Decide how precisely the network computes.

    Parameters
    ----------
    name : {"auto", "fp32", "bf16", "int8"}
        ``auto`` is bf16 where the device computes with it natively, which is two to three times
        as fast, and fp32 elsewhere, where bf16 would be emulated slowly. Never int8, which costs
        accuracy.
    device : torch.device
        Where.

    Returns
    -------
    str
        ``fp32``, ``bf16`` or ``int8``.

    Raises
    ------
    SettingsError
        If the name is another one.
    """
    if name == "auto":
        return "bf16" if _has_native_bf16(device) else "fp32"
    if name not in get_args(Precision):
        raise SettingsError(f"Found the precision '{name}'; allowed are auto, fp32, bf16 and int8.")
    return cast(Precision, name)


@contextmanager
def true_fp32(device: torch.device) -> Iterator[None]:
    """Let CUDA convolutions compute in fp32 while the context lasts, not in TF32.

    PyTorch rounds the factors of float32 convolutions to 10 bits by default, which would break
    the promise that tiles give the result of the whole slice to fp32 rounding.

    Parameters
    ----------
    device : torch.device
        Other devices than CUDA are left as they are.
    """
    before = torch.backends.cudnn.allow_tf32
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _present() -> list[str]:
    """Names of the devices of this machine, the best first."""
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*(f"cuda:{index}" for index in cuda), *mps, "cpu"]


def _has_native_bf16(device: torch.device) -> bool:
    """Tell whether matrix products of bf16 numbers are instructions of the device."""
    if device.type == "cuda":
        # Ampere (8.0) is the first; older cards only emulate.
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # Private names, which may go or be missing: then the answer is no.
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, probe, bool)() for probe in probes)
    return False
