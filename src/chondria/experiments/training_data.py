"""From a recipe's data settings to volumes that a sampler can cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.config.recipe import ImageSet, PhantomSet, Recipe
from chondria.data.boundary import boundary_target
from chondria.data.normalize import Normalisation, NormalisationKind, measure_normalisation
from chondria.data.phantom import make_phantom
from chondria.data.phantom_style import PhantomStyle
from chondria.data.registry import advising_fetch
from chondria.data.resample import grid_shape, resample_mask, resample_slices
from chondria.data.splits import Part, Split, block_split, split_volume
from chondria.data.training_volume import TrainingVolume
from chondria.errors import PixelValueError, SettingsError, ShapeError, VoxelSizeError
from chondria.evaluation.objects import as_label_map, as_mask
from chondria.experiments.stack_part import open_stack_part
from chondria.io import data_hash
from chondria.volume import Volume

__all__ = ["TrainingData", "load_training_data"]

TrainingData = list[tuple[TrainingVolume, dict[str, Any]]]


def load_training_data(
    recipe: Recipe, data_root: Path, say: Callable[[str], None] = lambda _: None
) -> TrainingData:
    """Read, check and resample every set of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Its `data`, `pixel_size_nm` and `normalisation` are used.
    data_root : Path
        Where the sets' paths start.
    say : callable
        Told what is being read.

    Returns
    -------
    list of (TrainingVolume, dict)
        Each volume with its line for the model card: name, shape, voxel size, hash.

    Raises
    ------
    ChondriaError
        If images or masks cannot be used; the sentence names the set.
    """
    loaded: TrainingData = []
    for settings in recipe.data.sets:
        say(f"reading {settings.name}")
        loaded += _load_images(settings, recipe, data_root)
    for phantom in recipe.data.phantoms:
        for index in range(phantom.count):
            say(f"making {phantom.name} {index + 1} of {phantom.count}")
            loaded.append(_make_phantom(phantom, index, recipe))
    return loaded


def _load_images(settings: ImageSet, recipe: Recipe, root: Path) -> TrainingData:
    size, slices = settings.voxel_size_nm, settings.slices
    with advising_fetch(settings.images, root):
        images = open_stack_part(root / settings.images, size, slices)
        masks = open_stack_part(root / settings.masks, size or images.voxel_size_nm, slices)
    if images.shape != masks.shape:
        raise ShapeError(
            f"Found images of shape {images.shape} and masks of shape {masks.shape} in the set "
            f"'{settings.name}'; every image needs a mask of its own size."
        )
    parts = split_volume(
        images.shape,
        settings.validation_axis,
        settings.validation_slices if recipe.data.hold_out else 0,
        settings.gap_slices,
        settings.validate_every,
    )
    # Outlines are those of instances, where the masks number them.
    read = as_label_map if recipe.network.boundary_nm else as_mask
    labels = read(masks.numpy(), str(root / settings.masks))
    if not labels.any():
        raise PixelValueError(
            f"Found no foreground in {root / settings.masks}; a network cannot learn from empty "
            "masks: check that these are the masks."
        )
    card = {
        "name": settings.name,
        "voxel_size_nm": images.voxel_size_nm,
        "images_sha256": data_hash(images),
        "masks_sha256": data_hash(masks),
    }
    return [_load_part(part, images, labels, settings, recipe, card) for part in parts]


def _load_part(
    part: Part,
    images: Volume,
    labels: NDArray[Any],
    settings: ImageSet,
    recipe: Recipe,
    card: dict[str, Any],
) -> tuple[TrainingVolume, dict[str, Any]]:
    labels = labels[part.box]
    split = part.split
    if settings.skip_empty:
        split = Split([z for z in split.train if labels[z].any()], split.validation)
    slices = split.train or split.validation
    first = settings.slices[0] if settings.slices else 0
    card = card | {
        "used_for": "training" if split.train else "validation",
        "slices": f"{first + slices[0]}-{first + slices[-1]} ({len(slices)})",
        "box_zyx": [
            [start + side.start, start + side.stop]
            for start, side in zip((first, 0, 0), part.box, strict=True)
        ],
    }
    cut = images.with_data(images.data[part.box])
    return _to_training(settings.name, cut, labels, recipe, split, settings.weight), card


def _make_phantom(
    settings: PhantomSet, index: int, recipe: Recipe
) -> tuple[TrainingVolume, dict[str, Any]]:
    seed = settings.seed + index
    style = PhantomStyle.random(np.random.default_rng(seed))
    phantom = make_phantom(settings.shape, settings.voxel_size_nm, seed=seed, style=style)
    split = block_split(settings.shape[0], 0, 0)
    name = f"{settings.name}-{seed}"
    card = {
        "name": name,
        "slices": f"0-{settings.shape[0] - 1}",
        "voxel_size_nm": settings.voxel_size_nm,
        "seed": seed,
    }
    weight = settings.weight / settings.count
    labels = phantom.labels.numpy()
    return _to_training(name, phantom.image, labels, recipe, split, weight), card


def _to_training(
    name: str,
    images: Volume,
    labels: NDArray[Any],
    recipe: Recipe,
    split: Split,
    weight: float,
) -> TrainingVolume:
    """Resample to the model's pixel size and to bytes."""
    pixels = images.numpy()
    if not np.isfinite(pixels).all():
        raise PixelValueError(
            f"Found {np.count_nonzero(~np.isfinite(pixels))} NaN or infinite pixels in the set "
            f"'{name}'; every pixel must be a finite number: replace them before training."
        )
    normalisation = measure_normalisation(pixels, recipe.normalisation, f"the set '{name}'")
    mask: NDArray[np.bool_] = labels != 0
    outlines = _outlines(name, images, labels, recipe) if recipe.network.boundary_nm else None
    if recipe.pixel_size_nm is not None:
        if images.voxel_size_nm is None:
            raise VoxelSizeError(
                f"Found no voxel size in the set '{name}', but the recipe's pixel size is "
                f"{recipe.pixel_size_nm} nm; give the set a voxel_size_nm."
            )
        shape = grid_shape(images.shape[1:], images.voxel_size_nm[1:], recipe.pixel_size_nm)
        pixels, mask = resample_slices(pixels, shape), resample_mask(mask, shape)
        outlines = None if outlines is None else resample_mask(outlines, shape)
    if pixels.dtype != np.uint8:
        pixels, normalisation = _to_bytes(pixels, normalisation, recipe.normalisation)
    return TrainingVolume.from_arrays(name, pixels, mask, normalisation, split, weight, outlines)


def _outlines(name: str, images: Volume, labels: NDArray[Any], recipe: Recipe) -> NDArray[np.bool_]:
    """Mark the outlines of objects, on the data's own grid."""
    if images.voxel_size_nm is None:
        raise VoxelSizeError(
            f"Found no voxel size in the set '{name}', but network.boundary_nm is a length; give "
            "the set a voxel_size_nm."
        )
    width_nm, (_, *size) = recipe.network.boundary_nm, images.voxel_size_nm
    largest = max(*size, *(recipe.pixel_size_nm or ()))
    if width_nm < largest:
        raise SettingsError(
            f"Found network.boundary_nm {width_nm:g} with pixels of {largest:g} nm in the set "
            f"'{name}'; outlines must be at least a pixel wide to each side."
        )
    return boundary_target(labels, (size[0], size[1]), width_nm)


def _to_bytes(
    pixels: NDArray[Any], normalisation: Normalisation, kind: NormalisationKind
) -> tuple[NDArray[np.uint8], Normalisation]:
    """Quantise pixels; the network sees what it will see of the same image when it predicts."""
    mean, deviation = normalisation.mean, normalisation.deviation
    # Mean +- 4 deviations keep the contrast of an image; a unit is the range of its type.
    low, span = (0.0, deviation) if kind == "unit" else (mean - 4 * deviation, 8 * deviation)
    scale = 255 / span
    values = ((pixels - low) * scale).clip(0, 255).round().astype(np.uint8)
    return values, Normalisation((mean - low) * scale, deviation * scale)
