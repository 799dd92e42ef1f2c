"""A model: a network, what it was trained for, and where that stands. One safetensors file.

What stands in a network's place, such as a classifier of supervoxels, is kept in the same way: as
arrays by name, with a card.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from chondria import __version__
from chondria.data.normalize import NormalisationKind
from chondria.errors import InputNotFoundError, ModelError
from chondria.networks.catalog import build_network
from chondria.networks.network import Network
from chondria.supervoxels.classifier import SupervoxelClassifier
from chondria.supervoxels.options import SUPERVOXELS

__all__ = ["DEFAULT_MODEL", "Model", "ModelCard", "bundled_models", "load_model", "save_model"]

DEFAULT_MODEL = "mito-em"
WEIGHTS = Path(__file__).parent / "weights"
CARD_KEY = "chondria_card"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, where it comes from and how it is meant to be used.

    Attributes
    ----------
    name, description : str
        For people.
    network : str
        Name in the catalog, or ``supervoxels``.
    options : dict
        Of the network.
    pixel_size_nm : tuple of float or None
        Pixel size (y, x) that it was trained at; inputs are resampled to it.
    normalisation : {"volume", "unit"}
        Of the grey levels.
    patch_slices : int
        Slices of a training patch; a 3-D network predicts blocks of as many.
    boundary_nm : float
        Half the width of the outlines that the second channel of its network finds; 0 where the
        network has the foreground only.
    threshold : float
        Probability from which a pixel is foreground, chosen on validation slices.
    z_median_nm : float
        Extent of the median along z that smooths the mask; 0 for none.
    smallest_diameter_nm : float
        Objects smaller than a sphere (in a single slice, a disc) of this diameter are dropped.
    largest_doubt : float
        Objects of which the network is so many times less sure than of the average voxel are
        dropped (`chondria.postprocessing.confidence.ObjectConfidence`); 0 keeps all.
    data : list of dict
        Training sets: name, voxel size, slices, hash.
    terms : str
        Terms of use of the weights.
    citations : list of str
        Of the training data.
    validation : dict
        Figures on the validation slices, and the step of the weights that have them.
    calibration : dict
        What the convolutions see of the training slices, for int8
        (`chondria.networks.quantisation`).
    trust : dict
        What validation slices say of how far to trust it
        (`chondria.trust.record.TrustRecord.as_dict`); empty where nobody looked.
    chondria : str
        Version that trained it.
    """

    name: str
    description: str
    network: str
    options: dict[str, Any]
    pixel_size_nm: tuple[float, float] | None
    normalisation: NormalisationKind = "volume"
    patch_slices: int = 1
    boundary_nm: float = 0.0
    threshold: float = 0.5
    z_median_nm: float = 0.0
    smallest_diameter_nm: float = 0.0
    largest_doubt: float = 0.0
    data: list[dict[str, Any]] = field(default_factory=list)
    terms: str = ""
    citations: list[str] = field(default_factory=list)
    validation: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, tuple[float, float]] = field(default_factory=dict)
    trust: dict[str, Any] = field(default_factory=dict)
    chondria: str = __version__


@dataclass(frozen=True, slots=True)
class Model:
    """What predicts, a network in evaluation mode or a classifier of supervoxels, with its card."""

    predictor: Network | SupervoxelClassifier
    card: ModelCard
    source: str = "memory"

    @property
    def network(self) -> Network:
        """The network.

        Raises
        ------
        ModelError
            If something else predicts.
        """
        if isinstance(self.predictor, SupervoxelClassifier):
            raise ModelError(
                f"Found supervoxels in the model '{self.card.name}'; this needs a network: give "
                "the model of one."
            )
        return self.predictor

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the file that it was loaded from; None of one that has none."""
        path = _path_of(self.source)
        return sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        if isinstance(self.predictor, SupervoxelClassifier):
            return sum(array.size for array in self.predictor.arrays().values())
        return sum(weight.numel() for weight in self.predictor.parameters())

    def with_card(self, **changes: Any) -> Model:
        """Change fields of the card."""
        return replace(self, card=replace(self.card, **changes))


def bundled_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def load_model(name: str | Path = DEFAULT_MODEL) -> Model:
    """Load a bundled model by name, or a model file.

    Parameters
    ----------
    name : str or Path
        A name that `bundled_models` lists, or the path of a ``.safetensors`` file.

    Returns
    -------
    Model
        In evaluation mode, on the CPU, in fp32.

    Raises
    ------
    InputNotFoundError
        If there is no such model.
    ModelError
        If the file is a pickle, damaged, no chondria model, or holds another network's weights.
    """
    path = _path_of(name)
    if not path.is_file():
        raise InputNotFoundError(
            f"There is no model '{name}': give the path of a .safetensors file or one of "
            f"{', '.join(bundled_models()) or 'none (no model comes with this build)'}."
        )
    card, weights = _read(path)
    return Model(_predictor(card, weights, path), card, str(name))


def _path_of(name: str | Path) -> Path:
    """Find the file of a bundled model by its name; any other name is a path."""
    return WEIGHTS / f"{name}.safetensors" if str(name) in bundled_models() else Path(name)


def _predictor(
    card: ModelCard, weights: dict[str, torch.Tensor], path: Path
) -> Network | SupervoxelClassifier:
    """Build what the card names, and give it what was learned."""
    if card.network == SUPERVOXELS:
        arrays = {name: value.numpy() for name, value in weights.items()}
        return SupervoxelClassifier.from_arrays(card.options, arrays)
    with torch.device("meta"):  # first weights would only be thrown away
        network = build_network(card.network, **card.options)
    try:
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        raise ModelError(
            f"The weights in {path} do not fit the network '{card.network}' with the options "
            f"{card.options}: they belong to another network."
        ) from error
    return network.eval()


def save_model(model: Model, path: str | Path) -> Path:
    """Write a model as safetensors in half precision; renamed when whole.

    Parameters
    ----------
    model : Model
        Floating-point weights of a network are rounded to fp16.
    path : str or Path
        Ends in ``.safetensors``.

    Returns
    -------
    Path
        Where it lies.
    """
    path = Path(path)
    weights = _weights(model.predictor)
    temporary = path.with_name(f".{path.name}.part")
    # Not `save_file`, whose file its owner alone may read.
    temporary.write_bytes(save(weights, {CARD_KEY: json.dumps(asdict(model.card))}))
    temporary.replace(path)
    return path


def _weights(predictor: Network | SupervoxelClassifier) -> dict[str, torch.Tensor]:
    """Give everything that was learned, as it is stored."""
    if isinstance(predictor, SupervoxelClassifier):
        # As they are: a rounded threshold sends a region down another branch.
        return {name: torch.from_numpy(array) for name, array in predictor.arrays().items()}
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in predictor.state_dict().items()
    }


def _read(path: Path) -> tuple[ModelCard, dict[str, torch.Tensor]]:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise ModelError(
            f"Found a pickle in {path}; it could run any code, so only .safetensors files that "
            "`chondria train` wrote are loaded."
        )
    try:
        with safe_open(path, framework="pt") as file:
            card = (file.metadata() or {}).get(CARD_KEY)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"Cannot read {path} as safetensors ({error}); give a model that `chondria train` "
            "wrote."
        ) from error
    if card is None:
        raise ModelError(
            f"Found no chondria model card in {path}; its weights are another program's: give a "
            "model that `chondria train` wrote."
        )
    return _parse_card(card, path), {
        name: value.float() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def _parse_card(text: str, path: Path) -> ModelCard:
    try:
        fields = json.loads(text)
        size = fields["pixel_size_nm"]
        fields["pixel_size_nm"] = size and (size[0], size[1])
        ranges = fields.get("calibration", {}).items()
        fields["calibration"] = {name: (low, high) for name, (low, high) in ranges}
        return ModelCard(**fields)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(
            f"Cannot read the model card in {path} ({error}): it is damaged or of another version "
            f"than chondria {__version__}; train or download the model anew."
        ) from error
