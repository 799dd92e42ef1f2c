"""Every network by its name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from torch.nn import Module

from chondria.errors import ModelError
from chondria.networks.attention_unet import AttentionUNet
from chondria.networks.casser import CasserUNet
from chondria.networks.classifiers import Classifier, alexnet, digits_cnn, mlp, pictures_cnn
from chondria.networks.network import Network
from chondria.networks.oztel import OztelClassifier
from chondria.networks.resunet import ResUNet
from chondria.networks.unet import UNet
from chondria.networks.unet3d import UNet3d
from chondria.networks.xiao import XiaoUNet

__all__ = ["CLASSIFIERS", "NETWORKS", "build_classifier", "build_network"]


Built = TypeVar("Built", bound=Module)

NETWORKS: dict[str, Callable[..., Network]] = {
    "unet": UNet,
    "resunet": ResUNet,
    "attention_unet": AttentionUNet,
    "casser": CasserUNet,
    "oztel": OztelClassifier,
    "unet3d": UNet3d,
    "xiao": XiaoUNet,
}


CLASSIFIERS: dict[str, Callable[..., Classifier]] = {
    "mlp": mlp,
    "digits_cnn": digits_cnn,
    "pictures_cnn": pictures_cnn,
    "alexnet": alexnet,
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
    return _build(NETWORKS, "network", name, options)


def build_classifier(name: str, **options: Any) -> Classifier:
    """Build a classifier of whole images by name, as `build_network` does of `CLASSIFIERS`."""
    return _build(CLASSIFIERS, "classifier", name, options)


def _build(
    catalog: Mapping[str, Callable[..., Built]], kind: str, name: str, options: dict[str, Any]
) -> Built:
    if name not in catalog:
        hint = _nearest(name, catalog)
        raise ModelError(f"There is no {kind} '{name}'{hint}; there are: {', '.join(catalog)}.")
    allowed = inspect.signature(catalog[name]).parameters
    for option in options:
        if option not in allowed:
            raise ModelError(
                f"The {kind} '{name}' has no option '{option}'{_nearest(option, allowed)}; there "
                f"are: {', '.join(allowed)}."
            )
    return catalog[name](**options)


def _nearest(name: str, allowed: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
