"""Errors planted in label maps: what share of them stands among the first of the worklist.

Merges, splits and misses are planted in 8 % (--share) of the objects; the worklist's first entries,
as many as 10 % of the objects, are looked at. "Known set aside" leaves out what the first 10 % of
the unplanted labels' own worklist points to, as if that had been reviewed before.

    python benchmarks/worklist_recall.py --sets cdeep3m vnc --seeds 5
    python benchmarks/worklist_recall.py --sets lucchi --dimensions 2 --every 16
    python benchmarks/worklist_recall.py --sets vnc --slices 12 15 --probability P.tif [--own]

The image is looked at, unless --blind is said. With --probability, of those slices alone, a model's
belief takes the place of the blurred truth; with --own its objects take the place of the true ones.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import numpy as np
from scipy import ndimage

from chondria.io import open_volume
from chondria.postprocessing.instances import connected_instances, remove_small_objects
from chondria.review.planting import believed_probability, plant_errors
from chondria.review.recall import points_to, ranks_of
from chondria.review.scene import make_scene
from chondria.review.worklist import find_suspicions, rank

SETS = {
    "cdeep3m": ("cdeep3m/train/labels", (40.0, 5.9, 5.9)),
    "vnc": ("vnc/train/labels", (50.0, 4.6, 4.6)),
    "lucchi": ("lucchi++/train/labels", (5.0, 5.0, 5.0)),
    "lucchi-test": ("lucchi++/test/labels", (5.0, 5.0, 5.0)),
}
KINDS = ("merge", "split", "miss")
PLANTED_SHARE, LOOKED_SHARE = 0.08, 0.10
NEAR_NM = 100.0


def truth_of(path, size, dimensions, part):
    """Objects of a binary truth: its components above a ball, or a disc, of 100 nm."""
    return objects_of(with_skipped(open_volume(path).numpy() > 0)[part], size, dimensions)


def objects_of(mask, size, dimensions):
    labels = connected_instances(mask, dimensions=dimensions)
    if dimensions == 2:
        return remove_small_objects(labels, int(np.pi / 4 * 100**2 / np.prod(size[1:])))
    return remove_small_objects(labels, int(np.pi / 6 * 100**3 / np.prod(size)))


def with_skipped(mask):
    """Fill slices that were not annotated (VNC's z 1 and 7): half way between both neighbours."""
    mask = mask.copy()
    for z in np.flatnonzero(~mask.any(axis=(1, 2))):
        if 0 < z < len(mask) - 1:
            mask[z] = sum(signed_distance(mask[n]) for n in (z - 1, z + 1)) > 0
    return mask


def signed_distance(plane):
    return ndimage.distance_transform_edt(plane) - ndimage.distance_transform_edt(~plane)


def suspicions_of(labels, probability, size, image=None):
    seen = np.rint(probability * 255).astype(np.uint8)
    return find_suspicions(make_scene(labels, seen, size, image))


def is_known(suspicion, known, size):
    """Whether an entry of the unplanted labels' list lies within 100 nm of it."""
    return any(
        suspicion.kind == entry.suspicion.kind
        and all(
            abs(a - b) <= max(1, NEAR_NM / edge)
            for a, b, edge in zip(suspicion.place_px, entry.suspicion.place_px, size, strict=True)
        )
        for entry in known
    )


def share(hits):
    return f"{sum(hits)}/{len(hits)} = {sum(hits) / max(1, len(hits)):.2f}"


def examine(labels, probability, image, size, seeds, planted_share, rows):
    """Plant, make the list, find the planted errors in it; once for each seed."""
    objects = int(np.count_nonzero(np.bincount(labels.ravel())[1:]))
    looked = max(1, round(LOOKED_SHARE * objects))
    total = min(looked, max(1, round(planted_share * objects)))
    found = {"as it is": defaultdict(list), "known set aside": defaultdict(list)}
    others = {variant: Counter() for variant in found}
    seconds = []
    for seed in seeds:
        generator = np.random.default_rng(seed)
        believed = probability
        if believed is None:
            believed = believed_probability(labels > 0, size, generator)
        known = rank(suspicions_of(labels, believed, size, image))[:looked]
        counts = {kind: (total + (i + seed) % 3) // 3 for i, kind in enumerate(KINDS)}
        made = plant_errors(labels, believed, size, generator, counts)
        begun = time.process_time()
        suspicions = suspicions_of(made.labels, made.probability, size, image)
        seconds.append(time.process_time() - begun)
        rest = [one for one in suspicions if not is_known(one, known, size)]

        def right(one, made=made):
            return any(points_to(one, error, size, labels.shape) for error in made.errors)

        rows += [(one.kind, dict(one.evidence), right(one)) for one in rest]
        for variant, listed in (("as it is", suspicions), ("known set aside", rest)):
            entries = rank(listed)
            ranks = ranks_of(made.errors, entries, size, labels.shape)
            for error, at in zip(made.errors, ranks, strict=True):
                how = error.how if error.kind == "split" else ""
                found[variant][error.kind, how].append(at is not None and at <= looked)
            front = [entry.suspicion for entry in entries[:looked]]
            others[variant].update(one.kind for one in front if not right(one))
    record = {"objects": objects, "looked_at": looked, "planted": total, "seeds": len(seeds)}
    for variant, hits in found.items():
        record[variant] = {"recall": share(list(chain(*hits.values())))}
        for kind in KINDS:
            of_kind = [values for (k, _), values in hits.items() if k == kind]
            record[variant][kind] = share(list(chain(*of_kind)))
        cuts = {how: share(values) for (kind, how), values in hits.items() if kind == "split"}
        record[variant] |= {"split by": cuts, "others in front": dict(others[variant])}
    return record | {"median_cpu_s": round(float(np.median(seconds)), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=["cdeep3m"], choices=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--dimensions", type=int, default=3, choices=(2, 3))
    parser.add_argument("--every", type=int, default=1, help="every n-th slice, for --dimensions 2")
    parser.add_argument("--slices", type=int, nargs=2, help="the first and the last")
    parser.add_argument("--probability", type=Path, help="a model's, of these slices, 8 bits")
    parser.add_argument("--own", action="store_true", help="plant in the model's own objects")
    parser.add_argument("--share", type=float, default=PLANTED_SHARE, help="of objects, planted")
    parser.add_argument("--blind", action="store_true", help="do not look at the image")
    parser.add_argument("--rows", type=Path, help="write evidence and truth of every suspicion")
    options = parser.parse_args()
    root = Path(os.environ.get("CHONDRIA_DATA", "../shared/data"))
    rows: list[tuple] = []
    for name in options.sets:
        path, (thick, *pixel) = SETS[name]
        size = (thick * options.every, *pixel)
        first, last = options.slices or (0, None)
        part = slice(first, last if last is None else last + 1, options.every)
        labels, seen = truth_of(root / path, size, options.dimensions, part), None
        if options.probability:
            seen = open_volume(options.probability).numpy()[:: options.every] / np.float32(255)
        if options.own:
            labels = objects_of(seen > 0.5, size, options.dimensions)
        pictures = root / path.replace("labels", "images")
        image = None if options.blind else open_volume(pictures).numpy()[part]
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        found = examine(labels, seen, image, size, seeds, options.share, rows)
        record = {"set": name, "image": image is not None} | found
        print(json.dumps(record), flush=True)
    if options.rows:
        options.rows.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
