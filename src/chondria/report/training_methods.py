"""A paragraph of methods about a training, ready to paste, with what it cites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chondria.report.markup import said
from chondria.report.methods import CALIBRATION, NETWORKS, MethodsText, lengths

__all__ = ["TrainedModel", "write_training_methods"]

OPTIMIZERS = {
    "sgd": ("stochastic gradient descent with momentum", ""),
    "nesterov": ("stochastic gradient descent with Nesterov momentum", ""),
    "adam": (
        "Adam",
        "D. P. Kingma, J. Ba. Adam: A Method for Stochastic Optimization. ICLR 2015. "
        "arXiv:1412.6980",
    ),
    "adamw": (
        "AdamW",
        "I. Loshchilov, F. Hutter. Decoupled Weight Decay Regularization. ICLR 2019. "
        "arXiv:1711.05101",
    ),
    "rmsprop": ("RMSprop", ""),
    "adagrad": (
        "AdaGrad",
        "J. Duchi, E. Hazan, Y. Singer. Adaptive Subgradient Methods for Online Learning and "
        "Stochastic Optimization. JMLR 12, 2011.",
    ),
}
DICE = (
    "F. Milletari, N. Navab, S.-A. Ahmadi. V-Net: Fully Convolutional Neural Networks for "
    "Volumetric Medical Image Segmentation. 3DV 2016. doi:10.1109/3DV.2016.79"
)
LOSSES = {
    "bce": ("binary cross-entropy", ""),
    "dice": ("the Dice loss", DICE),
    "jaccard": ("one minus the soft Jaccard index", ""),
    "bce_dice": ("binary cross-entropy plus half the Dice loss", DICE),
}
ONE_CYCLE = (
    "L. N. Smith, N. Topin. Super-Convergence: Very Fast Training of Neural Networks Using Large "
    "Learning Rates. 2018. arXiv:1708.07120"
)
AVERAGE = (
    "B. T. Polyak, A. B. Juditsky. Acceleration of Stochastic Approximation by Averaging. SIAM J. "
    "Control Optim. 30(4), 1992. doi:10.1137/0330046"
)
TEMPERATURE = (
    "C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger. On Calibration of Modern Neural Networks. ICML "
    "2017. arXiv:1706.04599"
)
PATCHES = {
    "random": "random patches",
    "tiles": "tiles",
    "whole": "whole slices",
    "pure": "patches of one class",
}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What there is to say of a training, as plain values.

    Attributes
    ----------
    recipe : mapping
        What recipe.yaml holds.
    record : mapping
        What run.json holds.
    parameters : int
        Numbers that were learned.
    calibration : mapping
        In the form of calibration.json; empty where nothing was calibrated.
    """

    recipe: Mapping[str, Any]
    record: Mapping[str, Any]
    parameters: int
    calibration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_network(self) -> bool:
        """Whether it was trained by gradients."""
        return str(self.recipe["network"]["name"]) != "supervoxels"


def write_training_methods(trained: TrainedModel) -> MethodsText:
    """Describe how a model was trained, as a paper would.

    Parameters
    ----------
    trained : TrainedModel
        What is known.

    Returns
    -------
    MethodsText
        Numbered references in the order of the text.
    """
    methods = MethodsText()
    methods.paragraphs.append(" ".join([_model(trained, methods), *_data(trained, methods)]))
    if trained.is_network:
        methods.paragraphs.append(" ".join(_training(trained, methods)))
    methods.paragraphs.append(" ".join(_choices(trained, methods)))
    return methods


def _model(trained: TrainedModel, methods: MethodsText) -> str:
    recipe, record = trained.recipe, trained.record
    name, source = NETWORKS.get(recipe["network"]["name"], ("a model", ""))
    cited = f" {methods.cite(source)}" if source else ""
    start = recipe.get("start_from")
    begun = f", beginning with the weights of {start}" if start else ""
    program = f"chondria {record.get('chondria', '')}".rstrip()
    torch = record.get("packages", {}).get("torch")
    with_torch = f" (PyTorch {torch})" if torch and trained.is_network else ""
    return (
        f"{name[:1].upper()}{name[1:]}{cited} of {trained.parameters:,} parameters was trained "
        f"with {program}{with_torch} to segment mitochondria{begun}."
    )


def _data(trained: TrainedModel, methods: MethodsText) -> Iterator[str]:
    recipe = trained.recipe
    learned = [e for e in trained.record.get("data", ()) if e.get("used_for") != "validation"]
    sources = recipe.get("citations") or []
    cited = f" {methods.cite(*sources)}" if sources else ""
    yield f"It learned from {'; '.join(_set(entry) for entry in learned)}{cited}."
    if size := recipe.get("pixel_size_nm"):
        yield f"Images were resampled to pixels of {lengths(size)} nm."
    if recipe.get("normalisation") == "unit":
        yield "Grey levels were scaled to the range from 0 to 1."
    else:
        yield "Grey levels of each volume were shifted and scaled to mean 0 and deviation 1."
    if held := [text for one in _image_sets(recipe) if (text := _held_out(one))]:
        yield f"For validation were held out {'; '.join(held)}."


def _set(entry: Mapping[str, Any]) -> str:
    size = entry.get("voxel_size_nm")
    parts = [f"slices {entry['slices']}"] if "slices" in entry else []
    parts += [f"voxels of {lengths(size)} nm"] if size else []
    return f"{entry['name']} ({', '.join(parts)})" if parts else str(entry["name"])


def _image_sets(recipe: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    data = recipe.get("data", {})
    return data.get("sets", ()) if data.get("hold_out", True) else ()


def _held_out(one: Mapping[str, Any]) -> str:
    count, gap = one.get("validation_slices", 0), one.get("gap_slices", 0)
    if not count:
        return ""
    behind = f" behind a gap of {gap}" if gap else ""
    return (
        f"the last {count} slices along {one.get('validation_axis', 'z')} of {one['name']}{behind}"
    )


def _training(trained: TrainedModel, methods: MethodsText) -> Iterator[str]:
    settings, record = trained.recipe["training"], trained.record
    loss, loss_source = LOSSES[settings["loss"]]
    optimizer, source = OPTIMIZERS[settings["optimizer"]]
    cited = f" {methods.cite(loss_source)}" if loss_source else ""
    by = f" {methods.cite(source)}" if source else ""
    patch = " × ".join([str(settings["patch_px"])] * 2)
    if settings.get("patch_slices", 1) > 1:
        patch = f"{settings['patch_slices']} × {patch}"
    size = "" if settings["patches"] == "whole" else f" of {patch} px"
    yield (
        f"Training minimised {loss}{cited} by {optimizer}{by} in {record.get('steps', 0)} steps of "
        f"batches of {settings['batch']} {PATCHES[settings['patches']]}{size}."
    )
    rate = f"{settings['rate']:g}"
    if settings["schedule"] == "one_cycle":
        cycle = methods.cite(ONE_CYCLE)
        yield f"The learning rate followed one cycle {cycle} with a peak of {rate}."
    else:
        yield f"The learning rate was {rate}."
    if settings.get("ema_decay"):
        yield (
            f"Weights were averaged over steps {methods.cite(AVERAGE)} with a decay of "
            f"{settings['ema_decay']:g}."
        )
    augmentation = trained.recipe.get("augmentation", {})
    if augmentation.get("set") != "none" or augmentation.get("change"):
        changed = "".join(f", {k} {said(v)}" for k, v in augmentation.get("change", {}).items())
        yield f"Patches were augmented (set '{augmentation.get('set')}' of chondria{changed})."
    yield f"The random seed was {record.get('seed')}."


def _choices(trained: TrainedModel, methods: MethodsText) -> Iterator[str]:
    record, settings = trained.record, trained.recipe.get("training", {})
    scores = record.get("validation", {})
    if trained.is_network and "validation_iou" in scores:
        what = "lowest validation loss" if settings.get("monitor") == "loss" else "highest IoU"
        yield (
            f"The weights of step {record.get('best_step')} were kept, which had the {what} on the "
            f"validation slices (IoU {scores['validation_iou']:.3f}, loss "
            f"{scores['validation_loss']:.3f})."
        )
    elif "validation_iou" in scores:
        yield f"The IoU on the validation slices was {scores['validation_iou']:.3f}."
    else:
        yield "Nothing was held out, so no validation figures are given."
    how = " with the highest IoU on the validation slices" * bool(settings.get("search_threshold"))
    yield f"Voxels of a probability above {record.get('threshold', 0.5):g}{how} were foreground."
    errors = {
        curve["stage"]: curve.get("expected_calibration_error")
        for curve in trained.calibration.get("curves", ())
        if curve.get("name") == "voxels"
    }
    if errors.get("before") is not None and errors.get("after") is not None:
        yield (
            f"Probabilities were calibrated by a temperature {methods.cite(TEMPERATURE)}, which "
            f"changed the expected calibration error {methods.cite(CALIBRATION)} on the validation "
            f"slices from {errors['before']:.4f} to {errors['after']:.4f}."
        )
