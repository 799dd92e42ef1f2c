"""Predict a whole volume with a model: resampled to its pixel size, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.data.normalize import Normalisation, measure_normalisation
from chondria.data.resample import ResampledSource, grid_shape, resample_slice
from chondria.errors import ModelError, PixelValueError, SettingsError, ShapeError
from chondria.inference.backends import Agreement
from chondria.inference.compute import Compute, choose_compute
from chondria.inference.predict import predict
from chondria.inference.predict_blocks import check_torch, predict_blocks
from chondria.inference.prediction_settings import PredictionSettings
from chondria.inference.supervoxels import predict_supervoxels
from chondria.inference.tta import d4_transforms
from chondria.io.slabs import ArraySink
from chondria.models import Model
from chondria.networks.network import Network
from chondria.supervoxels.classifier import SupervoxelClassifier
from chondria.volume import Volume, VoxelSize

__all__ = ["ResampledSink", "choose_compute_for", "model_grid", "predict_volume"]


class ResampledSink:
    """Takes tiles on the model's grid and hands whole slices on, resampled to the input's grid.

    Parameters
    ----------
    sink : ArraySink, (Z, Y, X)
        On the input's grid; of a float type or uint8.
    shape_yx : tuple of int
        Slices on the model's grid. All tiles of a slice must come before those of the next but
        one, as `predict` writes them.
    """

    def __init__(self, sink: ArraySink, shape_yx: tuple[int, int]) -> None:
        self._sink = sink
        self.shape: tuple[int, ...] = (int(sink.shape[0]), *shape_yx)
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self._slices: dict[int, NDArray[np.float32]] = {}
        self._missing: dict[int, int] = {}

    def __getitem__(self, key: Any) -> Any:
        """Refuse: what was written has been handed on."""
        raise NotImplementedError("a ResampledSink is only written to")

    def __setitem__(self, key: Any, values: Any) -> None:
        """Take the tile ``[z, y0:y1, x0:x1]``."""
        z, *yx = key
        if z not in self._slices:
            self._slices[z] = np.empty(self.shape[1:], np.float32)
            self._missing[z] = self._slices[z].size
        self._slices[z][tuple(yx)] = values
        self._missing[z] -= values.size
        if self._missing[z] == 0:
            self._hand_on(z, self._slices.pop(z))

    def _hand_on(self, z: int, model_slice: NDArray[np.float32]) -> None:
        _, height, width = self._sink.shape
        values = resample_slice(model_slice, (height, width))
        if np.dtype(self._sink.dtype) == np.uint8:
            values = np.rint(values * 255).clip(0, 255)
        self._sink[z, :, :] = values


def model_grid(model: Model, volume: Volume) -> tuple[int, int]:
    """Count the pixels (y, x) of a slice at the model's pixel size, where both are known."""
    shape = volume.shape[1:]
    if model.card.pixel_size_nm is None or volume.voxel_size_nm is None:
        return shape
    return grid_shape(shape, volume.voxel_size_nm[1:], model.card.pixel_size_nm)


def choose_compute_for(
    model: Model,
    volume: Volume,
    device: str = "auto",
    precision: str = "auto",
    backend: str = "auto",
    tta: str = "none",
    blending: str = "none",
) -> Compute:
    """Find the fastest way to predict this volume, or the one that is asked for.

    Supervoxels are no network: NumPy computes them, whatever is asked for.

    Parameters
    ----------
    model, volume
        What will be predicted.
    device, precision, backend : str
        See `chondria.inference.compute.choose_compute`, which says what is raised too. For a 3-D
        model ``auto`` is PyTorch, and other backends and int8 are refused.
    tta, blending : str
        See `PredictionSettings`.
    """
    if isinstance(model.predictor, SupervoxelClassifier):
        choose_compute(device, precision, backend)  # what is not there is refused all the same
        return Compute(backend="numpy")
    if _is_volumetric(model):
        check_torch(backend, precision)
        backend = "torch"
    views = 1 if tta == blending == "none" else len(d4_transforms())
    pixels = views * volume.shape[0] * math.prod(model_grid(model, volume))
    return choose_compute(device, precision, backend, pixels)


def predict_volume(
    model: Model,
    volume: Volume,
    sink: ArraySink,
    *,
    settings: PredictionSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
    where: str = "the image",
    boundary: ArraySink | None = None,
) -> Agreement:
    """Predict the probability of mitochondria in every voxel of a volume.

    Parameters
    ----------
    model : Model
        Network or other predictor, and card; the card says pixel size and normalisation.
    volume : Volume, (Z, Y, X)
        Any real type; read lazily. Without a voxel size it is taken to be at the model's.
    sink : ArraySink, (Z, Y, X)
        Takes the probabilities on the volume's own grid: floats 0 to 1, or uint8 ``round(255 p)``.
    settings : PredictionSettings
        Device, backend, precision, tiles, averaging over flips and rotations.
    progress : callable, optional
        Told how many tiles of how many are done.
    where : str
        What to call the volume in an error.
    boundary : ArraySink, (Z, Y, X), optional
        Takes the probabilities of outlines in the same way, of a model that finds them.

    Returns
    -------
    Agreement
        How the probabilities compare with those of PyTorch in fp32.

    Raises
    ------
    PixelValueError
        If a pixel is NaN or infinite, or the volume is constant.
    ShapeError
        If the model is three-dimensional and the volume a single slice.
    SettingsError
        If windows should be blended of what is no 2-D network.
    ModelError
        If boundaries are asked for of a model that does not find them.
    """
    settings = settings or PredictionSettings()
    _check_fits(model, volume, settings, where)
    if boundary is not None and not model.card.boundary_nm:
        raise ModelError(
            f"Found no boundary channel in the model '{model.card.name}'; train one with "
            "network.boundary_nm, or separate without it."
        )
    normalisation = measure_normalisation(volume.data, model.card.normalisation, where)
    shape = model_grid(model, volume)
    source = ResampledSource(volume.data, shape)
    target = _on_grid(sink, shape)
    outlines = None if boundary is None else _on_grid(boundary, shape)
    normalize = _finite(normalisation, where)
    if isinstance(model.predictor, SupervoxelClassifier):
        predict_supervoxels(
            model.predictor,
            source,
            target,
            normalize=normalize,
            voxel_size_nm=_voxel_size_of(volume, shape),
            tta=settings.tta,
            progress=progress,
        )
        return Agreement()
    if _is_volumetric(model):
        return predict_blocks(
            model.network,
            source,
            target,
            block_slices=model.card.patch_slices,
            normalize=normalize,
            settings=settings,
            progress=progress,
        )
    return predict(
        model.network,
        source,
        target,
        normalize=normalize,
        settings=settings,
        progress=progress,
        calibration=model.card.calibration,
        boundary=outlines,
    )


def _on_grid(sink: ArraySink, shape_yx: tuple[int, int]) -> ArraySink:
    """Take slices on the model's grid; where it is the sink's own, the sink does."""
    return sink if shape_yx == tuple(sink.shape[1:]) else ResampledSink(sink, shape_yx)


def _check_fits(model: Model, volume: Volume, settings: PredictionSettings, where: str) -> None:
    """Refuse what the model cannot see, or not in the way that is asked for."""
    name, network = model.card.name, model.card.network
    volumetric = _is_volumetric(model)
    if volumetric and volume.shape[0] == 1:
        raise ShapeError(
            f"Found a single slice in {where} for the model '{name}', whose network '{network}' is "
            "three-dimensional; give a volume of several slices, or choose a 2-D model."
        )
    whole = volumetric or isinstance(model.predictor, SupervoxelClassifier)
    if settings.blending != "none" and whole:
        raise SettingsError(
            f"Found the blending '{settings.blending}' for the model '{name}' ({network}), but "
            "only 2-D networks see slices in windows; choose the blending none, or tta d4."
        )


def _is_volumetric(model: Model) -> bool:
    return isinstance(model.predictor, Network) and model.predictor.dimensions == 3


def _voxel_size_of(volume: Volume, shape_yx: tuple[int, int]) -> VoxelSize | None:
    """Give the voxel size of a volume on another grid in the plane, if it is known."""
    if volume.voxel_size_nm is None:
        return None
    (z, y, x), (height, width) = volume.voxel_size_nm, volume.shape[1:]
    return z, y * height / shape_yx[0], x * width / shape_yx[1]


def _finite(
    normalisation: Normalisation, where: str
) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Normalise, refusing what would silently poison everything that the network sees of it."""

    def normalize(pixels: NDArray[Any]) -> NDArray[np.float32]:
        values = normalisation(pixels)
        if pixels.dtype.kind == "f" and not np.isfinite(values).all():
            raise PixelValueError(
                f"Found NaN or infinite pixels in {where}; every pixel must be a finite number: "
                "replace them first."
            )
        return values

    return normalize
