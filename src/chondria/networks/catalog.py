"""Every network by its name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from chondria.errors import ModelError
from chondria.networks.attention_unet import AttentionUNet
from chondria.networks.casser import CasserUNet
from chondria.networks.network import Network
from chondria.networks.oztel import OztelClassifier
from chondria.networks.resunet import ResUNet
from chondria.networks.unet import UNet
from chondria.networks.unet3d import UNet3d
from chondria.networks.xiao import XiaoUNet

__all__ = ["NETWORKS", "build_network"]


NETWORKS: dict[str, Callable[..., Network]] = {
    "unet": UNet,
    "resunet": ResUNet,
    "attention_unet": AttentionUNet,
    "casser": CasserUNet,
    "oztel": OztelClassifier,
    "unet3d": UNet3d,
    "xiao": XiaoUNet,
}


def build_network(name: str, **options: Any) -> Network:
    """Build a network by name.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    **options
        What that network takes, e.g. ``filters=32``.

    Returns
    -------
    Network
        With freshly initialised weights, drawn from torch's global generator.

    Raises
    ------
    ModelError
        If the name or an option is unknown.
    """
    if name not in NETWORKS:
        hint = _nearest(name, NETWORKS)
        raise ModelError(f"There is no network '{name}'{hint}; there are: {', '.join(NETWORKS)}.")
    allowed = inspect.signature(NETWORKS[name]).parameters
    for option in options:
        if option not in allowed:
            raise ModelError(
                f"The network '{name}' has no option '{option}'{_nearest(option, allowed)}; there "
                f"are: {', '.join(allowed)}."
            )
    return NETWORKS[name](**options)


def _nearest(name: str, allowed: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
