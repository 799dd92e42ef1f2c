"""Find, outline and measure every mitochondrion in electron microscopy.

The public names below are loaded when they are first used: `import chondria` is instant and loads
neither PyTorch nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chondria.config.recipe import load_recipe
    from chondria.data.phantom import make_phantom
    from chondria.errors import ChondriaError
    from chondria.evaluation.sheet import score
    from chondria.experiments.evaluation import evaluate
    from chondria.experiments.group_comparison import GroupSettings, compare_groups, write_groups
    from chondria.experiments.reporting import write_report
    from chondria.experiments.segmentation import segment
    from chondria.experiments.segmentation_settings import SegmentationSettings
    from chondria.experiments.training import train_recipe
    from chondria.experiments.volume_segmentation import segment_volume
    from chondria.export import export_onnx
    from chondria.inference.volumes import predict_volume
    from chondria.io import open_slices, open_volume, save_volume
    from chondria.models import bundled_models, load_model
    from chondria.morphometrics.table import measure_objects
    from chondria.postprocessing.instances import connected_instances
    from chondria.volume import Volume

    __version__: str

__all__ = [
    "ChondriaError",
    "GroupSettings",
    "SegmentationSettings",
    "Volume",
    "__version__",
    "bundled_models",
    "compare_groups",
    "connected_instances",
    "evaluate",
    "export_onnx",
    "load_model",
    "load_recipe",
    "make_phantom",
    "measure_objects",
    "open_slices",
    "open_volume",
    "predict_volume",
    "save_volume",
    "score",
    "segment",
    "segment_volume",
    "train_recipe",
    "write_groups",
    "write_report",
]

_HOMES = {
    "ChondriaError": "errors",
    "GroupSettings": "experiments.group_comparison",
    "SegmentationSettings": "experiments.segmentation_settings",
    "Volume": "volume",
    "bundled_models": "models",
    "compare_groups": "experiments.group_comparison",
    "connected_instances": "postprocessing.instances",
    "evaluate": "experiments.evaluation",
    "export_onnx": "export",
    "load_model": "models",
    "load_recipe": "config.recipe",
    "make_phantom": "data.phantom",
    "measure_objects": "morphometrics.table",
    "open_slices": "io",
    "open_volume": "io",
    "predict_volume": "inference.volumes",
    "save_volume": "io",
    "score": "evaluation.sheet",
    "segment": "experiments.segmentation",
    "segment_volume": "experiments.volume_segmentation",
    "train_recipe": "experiments.training",
    "write_groups": "experiments.group_comparison",
    "write_report": "experiments.reporting",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("chondria")
    elif name in _HOMES:
        value = getattr(import_module(f"chondria.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'chondria' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
