"""The slices of a page: which of them, how fine and how well, so that the page stays small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chondria.report.encoding import (
    Runs,
    averaged,
    encode_picture,
    encode_runs,
    find_runs,
    sampled,
    to_bytes,
)
from chondria.volume import ArraySource

__all__ = ["Detail", "LabelLayer", "SliceSet", "encode_slices"]

EDGES_PX = (1024, 768, 512)
QUALITIES = (85, 70, 55, 45, 38, 32, 28, 24, 20)
PROBABILITY_QUALITY = 60
# A probability map is smooth: above this edge, half of its pixels say the same.
PROBABILITY_EDGE_PX = 512
TRIED_SLICES = 5
# What the slices that were not tried may need beyond those that were.
SPARE = 1.04


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a volume is shown.

    Attributes
    ----------
    step_px : int
        Pixels of the volume along y and x in one that is shown.
    stride : int
        Every so many slices one is shown.
    quality : int
        Of the pictures, as JPEG counts it.
    """

    step_px: int
    stride: int
    quality: int


@dataclass(eq=False, slots=True)
class LabelLayer:
    """A label map whose objects are known by their place in a list.

    Attributes
    ----------
    source : ArraySource, (Z, Y, X)
        0 is background, each other number one object.
    ids : list of int
        Of the objects; what the volume holds beyond them is added when it is met.
    anchors : dict of int to tuple of int
        (z, y, x) on the volume's grid in the middle of each object's longest shown row, by its
        place in `ids`.
    places : dict of int to int
        Place of each id.
    """

    source: ArraySource
    ids: list[int] = field(default_factory=list)
    anchors: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    places: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {number: place for place, number in enumerate(self.ids)}

    def encode(self, z: int, step_px: int, longest: dict[int, int]) -> str:
        """Encode one slice.

        Parameters
        ----------
        z : int
            Which slice.
        step_px : int
            See `Detail`.
        longest : dict of int to int
            The longest run so far of each object, by its place; kept up to date, with the anchors.
        """
        plane = sampled(np.asarray(self.source[z]), step_px)
        runs = find_runs(plane.view(np.uint8) if plane.dtype == np.bool_ else plane)
        present, dense = np.unique(runs.values, return_inverse=True)
        places = np.array([self._place(int(number)) for number in present], np.int64)
        order = np.lexsort((runs.lengths, dense))
        best = order[np.searchsorted(dense[order], np.arange(len(present)), side="right") - 1]
        for place, run in zip(places.tolist(), best.tolist(), strict=True):
            if runs.lengths[run] > longest.get(place, 0):
                longest[place] = int(runs.lengths[run])
                middle = int(runs.starts[run] + runs.lengths[run] // 2)
                self._anchor(place, z, divmod(middle, plane.shape[1]), step_px)
        return encode_runs(Runs(runs.starts, runs.lengths, places[dense] + 1))

    def _anchor(self, place: int, z: int, pixel: tuple[int, int], step_px: int) -> None:
        """Note where an object is shown: in the middle of a shown pixel."""
        y, x = (
            min(at * step_px + step_px // 2, length - 1)
            for at, length in zip(pixel, self.source.shape[1:], strict=True)
        )
        self.anchors[place] = (z, y, x)

    def _place(self, number: int) -> int:
        """Find an object's place in the list, which may grow."""
        if number not in self.places:
            self.places[number] = len(self.ids)
            self.ids.append(number)
        return self.places[number]


@dataclass(frozen=True, eq=False, slots=True)
class SliceSet:
    """Encoded slices.

    Attributes
    ----------
    detail : Detail
        How fine they are.
    z : list of int
        Which slices of the volume.
    shape_px : tuple of int
        Rows and columns of each.
    probability_px : tuple of int
        Rows and columns of each probability map.
    texts : dict of str to list of str
        ``image``, ``probability`` and the layers of labels by key: one text for each slice.
    """

    detail: Detail
    z: list[int]
    shape_px: tuple[int, int]
    probability_px: tuple[int, int]
    texts: dict[str, list[str]]

    @property
    def nbytes(self) -> int:
        """Number of characters of all texts."""
        return sum(len(text) for texts in self.texts.values() for text in texts)


def encode_slices(
    image: ArraySource | None,
    probability: ArraySource | None,
    layers: Mapping[str, LabelLayer],
    largest_bytes: int,
) -> SliceSet:
    """Encode slices as finely as their room allows.

    Pictures lose quality first, then size, and at last slices are left out.

    Parameters
    ----------
    image : ArraySource, (Z, Y, X), optional
        Any grey levels; the 0.5 % darkest and brightest are cut off.
    probability : ArraySource, (Z, Y, X), optional
        uint8, 255 is certainty, or floats from 0 to 1.
    layers : mapping of str to LabelLayer
        Label maps of the same grid by key, at least one.
    largest_bytes : int
        Room for all texts.

    Returns
    -------
    SliceSet
        No larger than that, unless a single coarse slice is.
    """
    shape = next(iter(layers.values())).source.shape
    every = range(shape[0])
    encoder = _Encoder(image, probability, layers, None if image is None else _window(image))
    details = list(_details(shape))
    for detail in details:
        shown = every[detail.stride // 2 :: detail.stride] or every[:1]
        tried = sorted({shown[i * len(shown) // TRIED_SLICES] for i in range(TRIED_SLICES)})
        found = encoder.encode(tried, detail)
        if found.nbytes * SPARE * len(shown) / len(tried) <= largest_bytes:
            found = encoder.encode(shown, detail)
            if found.nbytes <= largest_bytes:
                return found
    return encoder.encode(shown, details[-1])


def _details(shape: Sequence[int]) -> Iterator[Detail]:
    """Give details from the finest to a single coarse slice."""
    long_edge = max(shape[1:])
    steps = [-(-long_edge // edge) for edge in EDGES_PX]
    for quality in QUALITIES:
        yield Detail(steps[0], 1, quality)
    stride = 1
    while True:
        for step in steps[1:]:
            yield Detail(step, stride, QUALITIES[3])
        if stride >= shape[0]:
            return
        stride *= 2


@dataclass(frozen=True, eq=False, slots=True)
class _Encoder:
    """Encodes slices of the layers that there are."""

    image: ArraySource | None
    probability: ArraySource | None
    layers: Mapping[str, LabelLayer]
    window: tuple[float, float] | None

    def encode(self, slices: Sequence[int], detail: Detail) -> SliceSet:
        step, shape = detail.step_px, next(iter(self.layers.values())).source.shape
        rows, columns = (-(-length // step) for length in shape[1:])
        halving = 2 if max(rows, columns) > PROBABILITY_EDGE_PX else 1
        texts: dict[str, list[str]] = {}
        if self.image is not None and self.window is not None:
            texts["image"] = [
                encode_picture(
                    to_bytes(averaged(np.asarray(self.image[z]), step), self.window), detail.quality
                )
                for z in slices
            ]
        if self.probability is not None:
            texts["probability"] = [
                _encode_probability(np.asarray(self.probability[z]), step * halving) for z in slices
            ]
        for key, layer in self.layers.items():
            layer.anchors.clear()
            longest: dict[int, int] = {}
            texts[key] = [layer.encode(z, step, longest) for z in slices]
        coarse = tuple(-(-length // (step * halving)) for length in shape[1:])
        return SliceSet(detail, list(slices), (rows, columns), (coarse[0], coarse[1]), texts)


def _encode_probability(plane: NDArray[Any], step_px: int) -> str:
    window = (0.0, 1.0) if plane.dtype.kind == "f" else (0.0, float(np.iinfo(plane.dtype).max))
    return encode_picture(to_bytes(averaged(plane, step_px), window), PROBABILITY_QUALITY)


def _window(image: ArraySource) -> tuple[float, float]:
    """Find grey levels between which nearly all of an image lies, the same for every slice."""
    depth = image.shape[0]
    some = sorted({i * depth // TRIED_SLICES for i in range(TRIED_SLICES)})
    values = np.concatenate([np.asarray(image[z])[::2, ::2].ravel() for z in some])
    values = values.astype(np.float32)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high)
