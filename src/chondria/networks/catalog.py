"""Every network by its name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any, cast

from torch import nn

from chondria.errors import ModelError
from chondria.networks.unet import UNet

__all__ = ["NETWORKS", "build_network"]


NETWORKS: dict[str, Callable[..., nn.Module]] = {"unet": UNet}


def build_network(name: str, **options: Any) -> UNet:
    """Build a network by name.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    **options
        What that network takes, e.g. ``filters=32``.

    Returns
    -------
    Module
        The network with freshly initialised weights, drawn from torch's global generator.

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
    return cast(UNet, NETWORKS[name](**options))


def _nearest(name: str, allowed: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
