"""A network computed by OpenVINO, on a CPU: 1.3 times as fast as PyTorch (recipes/LOG.md)."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from chondria.inference.device import Precision

__all__ = ["OpenVinoNetwork"]

# What is not rounded to integers is computed in bf16, where the processor has it.
HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}
SHAPES_KEPT = 4


class OpenVinoNetwork:
    """From images (B, 1, Y, X) to logits of the same shape, on the CPU.

    The network is traced once, as it is now: later changes of its weights are not seen. It is
    compiled anew for each shape of images, which takes a fraction of a second; the last few
    are kept.

    Parameters
    ----------
    network : nn.Module
        On the CPU, in fp32 and evaluation mode; with the attribute ``stride_px``.
    precision : {"fp32", "bf16", "int8"}
        Said to OpenVINO explicitly: by itself it takes bf16 wherever the processor has it. For
        int8 the network is one that `chondria.networks.quantisation.quantise` rounded.
    """

    def __init__(self, network: nn.Module, precision: Precision) -> None:
        from openvino import Core

        self._core = Core()
        self._options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",  # every thread works on one image
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._model = _convert(network)
        self._requests: dict[tuple[int, ...], Any] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Compute logits; they are overwritten by the next call with images of this shape."""
        request = self._request(tuple(images.shape))
        request.infer([images.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(request.get_output_tensor().data)

    def _request(self, shape: tuple[int, ...]) -> Any:
        if shape not in self._requests:
            while len(self._requests) >= SHAPES_KEPT:
                del self._requests[next(iter(self._requests))]
            model = self._model.clone()
            model.reshape(list(shape))
            compiled = self._core.compile_model(model, "CPU", self._options)
            self._requests[shape] = compiled.create_infer_request()
        return self._requests[shape]


def _convert(network: nn.Module) -> Any:
    """Trace a network and translate it; six times as fast as `openvino.convert_model`."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.passes import ConstantFolding, Manager

    side = 4 * int(network.stride_px)  # type: ignore[arg-type]
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        # Tracing is deprecated, and it warns of the check of the input's shape.
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        traced = trace(network, torch.zeros(1, 1, side, side), check_trace=False)
    frontend = FrontEndManager().load_by_framework("pytorch")
    decoder = TorchScriptPythonDecoder(traced)  # named: it must outlive the conversion
    model = frontend.convert(frontend.load(decoder))
    # Only ranges that are constants let OpenVINO compute rounded convolutions in integers.
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    return model
