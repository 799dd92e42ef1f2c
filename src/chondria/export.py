"""Write a model as ONNX, for programs that know nothing of chondria or PyTorch."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from chondria.errors import MissingPackageError, ModelError, SettingsError
from chondria.io.atomic import atomic_target
from chondria.models import CARD_KEY, Model
from chondria.networks.folding import fold_batch_norm

__all__ = ["export_onnx"]

# Probabilities in fp32, summed in another order.
LARGEST_DIFFERENCE = 1e-4


def export_onnx(model: Model, path: Path, *, overwrite: bool = False) -> float:
    """Write a model as an ONNX file that ONNX Runtime computes alike.

    The input ``images`` (batch, 1, Y, X), for a 3-D network (batch, 1, Z, Y, X), is float32,
    normalised as the card says; Y and X are multiples of the network's ``stride_px``, and Z of its
    ``stride_slices``. The output ``probability`` has the same shape; of a model that finds
    boundaries, they are its second channel. The model card is kept as JSON under the metadata key
    ``chondria_card``.

    Parameters
    ----------
    model : Model
        Network and card.
    path : Path
        Ends in ``.onnx``; renamed when whole and compared.
    overwrite : bool
        Whether a file may be replaced.

    Returns
    -------
    float
        Largest difference of a probability, by ONNX Runtime against PyTorch, on random images.

    Raises
    ------
    MissingPackageError
        If the extra ``onnx`` is not installed.
    SettingsError
        If the name has another ending.
    OutputExistsError
        If the file is there already.
    ModelError
        If ONNX Runtime computes something else.
    """
    if path.suffix.lower() != ".onnx":
        raise SettingsError(f"Found the output '{path}'; give a name that ends in .onnx.")
    if not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))):
        raise MissingPackageError(
            "Found no ONNX on this machine; install it with `pip install 'chondria[onnx]'`."
        )
    network = nn.Sequential(fold_batch_norm(model.network), nn.Sigmoid()).eval()
    with atomic_target(path, overwrite) as partial:
        _translate(network, model).save(partial)
        difference = _largest_difference(network, partial, _strides(model))
        if not difference <= LARGEST_DIFFERENCE:
            raise ModelError(
                f"Found probabilities that differ by {difference:.2g} between ONNX Runtime and "
                f"PyTorch; at most {LARGEST_DIFFERENCE:g} is rounding, so no file was written."
            )
    return difference


def _strides(model: Model) -> list[int]:
    """Strides of the axes (y, x) or (z, y, x)."""
    network = model.network
    return [network.stride_slices, network.stride_px, network.stride_px][-network.dimensions :]


def _translate(network: nn.Module, model: Model) -> Any:
    """Make the ONNX program, of any number of images of any size on the grid."""
    axis = torch.export.Dim
    strides = _strides(model)
    names = ("slices", "rows", "columns")[-len(strides) :]
    shape = {0: axis("batch")}
    for number, (name, stride) in enumerate(zip(names, strides, strict=True), 2):
        shape[number] = stride * axis(name) if stride > 1 else axis(name)
    sizes = [n * stride for n, stride in zip((4, 2, 3)[-len(strides) :], strides, strict=True)]
    with _quiet():
        program: Any = torch.onnx.export(
            network,
            (torch.zeros(2, 1, *sizes),),
            input_names=["images"],
            output_names=["probability"],
            dynamic_shapes=(shape,),
            dynamo=True,
            verbose=False,
        )
    program.model.metadata_props[CARD_KEY] = json.dumps(asdict(model.card))
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of its own parts and of packages that nobody needs here."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _largest_difference(network: nn.Module, path: Path, strides: Sequence[int]) -> float:
    from onnxruntime import InferenceSession

    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    sizes = [n * stride for n, stride in zip((3, 6, 5)[-len(strides) :], strides, strict=True)]
    images = torch.randn(1, 1, *sizes, generator=torch.Generator().manual_seed(0))
    (found,) = session.run(None, {"images": images.numpy()})
    with torch.inference_mode():
        return float((torch.from_numpy(found) - network(images)).abs().max())
