"""Time every measure of every object of a label map.

Without a label map, one of 50 rods in 165 x 768 x 1024 voxels of 5 nm is made up; grey values and
probabilities are made up in any case. Prints processor time beside wall time, as machines are
shared, then one line of JSON.

    python benchmarks/measure.py [--labels LABELS] [--repeats 3]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from timing import interleaved, medians, print_record

from chondria.io import open_volume
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.stereology import summarise_volume
from chondria.volume import Volume

__all__ = ["main"]

SHAPE, OBJECTS = (165, 768, 1024), 50


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    labels = rods() if options.labels is None else open_volume(options.labels)
    labels = labels.with_data(labels.numpy())
    image = labels.with_data((labels.numpy() * 37 % 251).astype(np.uint8))
    processor: list[float] = []

    def measure() -> None:
        before = time.process_time()
        table = measure_everything(labels, image=image, probability=image)
        summarise_volume(labels, table)
        processor.append(time.process_time() - before)

    seconds = interleaved({"measure": measure}, options.repeats)
    spent = float(np.median(processor[1:]))
    print(f"{labels.shape}: {medians(seconds)['measure']:.1f} s, {spent:.1f} s of processor")
    print_record("cpu", vars(options), seconds, shape=labels.shape, processor_s=spent)


def rods() -> Volume:
    """Straight rods of 50 px thickness and up to 500 px length, at random."""
    rng = np.random.default_rng(0)
    labels = np.zeros(SHAPE, np.uint16)
    for number in range(1, OBJECTS + 1):
        ends = rng.uniform(0, SHAPE, (2, 3))
        way = ends[1] - ends[0]
        way *= min(500 / np.linalg.norm(way), 1)
        low = np.maximum(np.minimum(ends[0], ends[0] + way) - 26, 0).astype(int)
        high = np.minimum(np.maximum(ends[0], ends[0] + way) + 27, SHAPE).astype(int)
        box = tuple(map(slice, low, high))
        grid = np.moveaxis(np.mgrid[box], 0, -1) - ends[0]
        share = np.clip(grid @ way / (way @ way), 0, 1)
        inside = np.sum((grid - share[..., None] * way) ** 2, axis=-1) <= 25**2
        labels[box][inside] = number
    return Volume(labels, (5.0, 5.0, 5.0))


if __name__ == "__main__":
    main()
