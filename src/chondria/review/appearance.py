"""What the image says: whether a place looks like an object's inside or like what surrounds it.

Learned from the run itself: its objects, whose few errors weigh little, say what is inside. Grey
values, dark and bright lines and edges of insides, outlines and surroundings are a normal
distribution each (quadratic discriminant analysis, Hastie, Tibshirani, Friedman, The Elements of
Statistical Learning, 4.3), as membranes are darker than an inside and cytoplasm is brighter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from chondria.review.boxes import FAR_NM, inner_distance_nm
from chondria.review.crops import SURROUNDINGS_NM, THICK_NM, Crop, crop_object
from chondria.review.scene import Scene

__all__ = ["Appearance", "clearness", "learn_appearance"]

# So deep is an inside; so far on both sides reaches an outline, with its membranes.
INSIDE_NM: Final = 25.0
OUTLINE_NM: Final = 10.0
# Membranes show in smoothed grey values and lines of these widths.
FINE_NM, BROAD_NM = 12.0, 24.0
# Objects that are learned from, slices of each, voxels of it and of its surroundings.
MOST_OBJECTS: Final = 64
MOST_SLICES: Final = 16
MOST_VOXELS: Final = 400
FEWEST_VOXELS: Final = 100
# Log odds beyond these say no more; so much of them makes a place 1 / e as clear.
LEAST, MOST, STEP = -5.0, 10.0, 6.0


@dataclass(frozen=True, eq=False, slots=True)
class Appearance:
    """Normal distributions of what the image shows.

    Attributes
    ----------
    means : ndarray, (3, features)
        Of insides, outlines and surroundings.
    precisions : ndarray, (3, features, features)
        Inverse covariances.
    log_determinants : ndarray, (3,)
        Of the covariances.
    """

    means: NDArray[np.float64]
    precisions: NDArray[np.float64]
    log_determinants: NDArray[np.float64]

    def odds(self, crop: Crop, image: NDArray[Any]) -> NDArray[np.float32]:
        """Give the log odds that places are an outline or surroundings, as likely each, not inside.

        Parameters
        ----------
        crop : Crop
            An object.
        image : ndarray, (Z, Y, X)
            The volume's grey values.

        Returns
        -------
        ndarray of float32, (Z, Y, X)
            Of the crop; 0 outside of the object.
        """
        inside = crop.inside
        seen = _features(crop, image)[:, inside].T
        likelihoods = []
        for mean, precision, log_determinant in zip(
            self.means, self.precisions, self.log_determinants, strict=True
        ):
            away = seen - mean
            likelihoods.append(-(((away @ precision) * away).sum(axis=1) + log_determinant) / 2)
        out = np.zeros(inside.shape, np.float32)
        out[inside] = np.logaddexp(*likelihoods[1:]) - np.log(2) - likelihoods[0]
        return out


def learn_appearance(scene: Scene) -> Appearance | None:
    """Learn what insides and surroundings look like in this volume.

    Parameters
    ----------
    scene : Scene
        Labels and the image.

    Returns
    -------
    Appearance or None
        None where there is no image, or too little of either.
    """
    if scene.image is None or not scene.boxes:
        return None
    numbers = list(scene.boxes)
    chosen = np.linspace(0, len(numbers) - 1, min(MOST_OBJECTS, len(numbers))).round().astype(int)
    generator = np.random.default_rng(0)
    parts: list[list[NDArray[Any]]] = [[], [], []]
    for index in chosen:
        crop = crop_object(scene, numbers[index], MOST_SLICES)
        seen = _features(crop, scene.image)
        for part, mask in zip(parts, _masks(crop), strict=True):
            part.append(generator.permutation(seen[:, mask].T)[:MOST_VOXELS])
    samples = [np.concatenate(part).astype(np.float64) for part in parts]
    if min(map(len, samples)) < FEWEST_VOXELS:
        return None
    spreads = [np.cov(sample.T) for sample in samples]
    # What never varies tells nothing, and must not divide by zero.
    floor = np.diag(1e-6 * np.diag(sum(spreads)) + 1e-9)
    spreads = [spread + floor for spread in spreads]
    return Appearance(
        np.array([sample.mean(axis=0) for sample in samples]),
        np.array([np.linalg.inv(spread) for spread in spreads]),
        np.array([np.linalg.slogdet(spread)[1] for spread in spreads]),
    )


def clearness(crop: Crop, odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tell how far places look like the object's inside.

    Parameters
    ----------
    crop : Crop
        An object.
    odds : ndarray of float32, (Z, Y, X)
        See `Appearance.odds`.

    Returns
    -------
    ndarray of float32, (Z, Y, X)
        1 where they look like its inside mostly does, or more so; at least 0.13; 0 outside.
    """
    inside = crop.inside
    sigmas = _sigmas(FINE_NM, crop)
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigmas)
    known = np.where(inside, np.clip(odds, LEAST, MOST), 0).astype(np.float32)
    smooth = ndimage.gaussian_filter(known, sigmas) / np.maximum(weight, 1e-3)
    excess = (smooth - np.median(smooth[inside])) / STEP
    return np.where(inside, np.exp(-np.clip(excess, 0, 2)), 0).astype(np.float32)


def _sigmas(nm: float, crop: Crop) -> list[float]:
    """Give a width in voxels; none across slices that are seen one by one."""
    return [nm / edge if edge <= THICK_NM else 0.0 for edge in crop.voxel_size_nm]


def _masks(crop: Crop) -> list[NDArray[np.bool_]]:
    """Inside, outline and surroundings of an object, in the slices that hold it."""
    size, inside = crop.measured_size_nm, crop.inside
    held = inside.any(axis=(1, 2)) | (size[0] < FAR_NM)
    away = np.zeros(inside.shape, np.float32)
    away[held] = inner_distance_nm(~inside[held], size) - inner_distance_nm(inside[held], size)
    alone = inside | (crop.labels == 0)
    outline = max(OUTLINE_NM, *crop.voxel_size_nm[1:]) * 1.001
    return [
        away < -INSIDE_NM,
        alone & (np.abs(away) <= outline) & (away != 0),
        alone & (away > outline) & (away <= SURROUNDINGS_NM),
    ]


def _features(crop: Crop, image: NDArray[Any]) -> NDArray[np.float32]:
    """Grey values by those of the object's inside, lines and edges: (features, Z, Y, X)."""
    grey = crop.means(image)

    def smooth(nm: float) -> NDArray[np.float32]:
        return np.asarray(ndimage.gaussian_filter(grey, _sigmas(nm, crop)), np.float32)

    fine, broad = smooth(FINE_NM), smooth(BROAD_NM)
    deep = inner_distance_nm(crop.inside, crop.measured_size_nm) > INSIDE_NM
    typical = fine[deep if deep.any() else crop.inside].mean()
    lines = [feature for values in (fine, broad) for feature in _lines(values)]
    return np.stack([fine - typical, broad - typical, np.hypot(*_slopes(fine)), *lines])


def _lines(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Curvatures across dark and across bright lines in each slice: eigenvalues of the Hessian."""
    dy, dx = _slopes(values)
    (yy, yx), (_, xx) = _slopes(dy), _slopes(dx)
    middle, spread = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    return np.asarray(middle + spread, np.float32), np.asarray(middle - spread, np.float32)


def _slopes(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Differences along y and x; 0 along an axis of one voxel."""
    dy, dx = (
        np.gradient(values, axis=axis) if values.shape[axis] > 1 else np.zeros_like(values)
        for axis in (1, 2)
    )
    return dy, dx
