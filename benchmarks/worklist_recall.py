"""Errors planted in label maps: what share of them stands among the first of the worklist.

Merges, splits and misses are planted in 8 % of the objects; the worklist's first entries, as many as
10 % of the objects, are looked at. "Known set aside" leaves out what the first 10 % of the unplanted
labels' own worklist points to, as if that had been reviewed before.

    python benchmarks/worklist_recall.py --sets cdeep3m vnc --seeds 5
    python benchmarks/worklist_recall.py --sets lucchi --dimensions 2 --every 16
    python benchmarks/worklist_recall.py --sets vnc --run RUN    a model's labels and probabilities
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from chondria.experiments.evaluation import find_labels
from chondria.experiments.reviewed_run import find_probability
from chondria.io import open_volume
from chondria.postprocessing.instances import connected_instances, remove_small_objects
from chondria.review.planting import believed_probability, plant_errors
from chondria.review.recall import points_to, ranks_of
from chondria.review.scene import make_scene
from chondria.review.worklist import find_suspicions, rank

SETS = {
    "lucchi-test": ("lucchi++/test/labels", (5.0, 5.0, 5.0)),
    "cdeep3m": ("cdeep3m/train/labels", (40.0, 5.9, 5.9)),
    "vnc": ("vnc/train/labels", (50.0, 4.6, 4.6)),
    "lucchi": ("lucchi++/train/labels", (5.0, 5.0, 5.0)),
}
KINDS = ("merge", "split", "miss")
PLANTED_SHARE, LOOKED_SHARE = 0.08, 0.10


def truth_of(path, size, dimensions, part=slice(None)):
    """Objects of a binary truth: its components above a ball, or a disc, of 100 nm."""
    mask = open_volume(path).numpy()[part] > 0
    labels = connected_instances(mask, dimensions=dimensions)
    voxel = np.prod(size[1:]) if dimensions == 2 else np.prod(size)
    smallest = np.pi / 4 * 100**2 if dimensions == 2 else np.pi / 6 * 100**3
    return remove_small_objects(labels, int(smallest / voxel))


def run_of(folder, dimensions, part):
    """Objects of a model's own segmentation, and its probabilities."""
    labels = open_volume(find_labels(folder)).numpy()[part]
    if dimensions == 2:
        labels = connected_instances(labels > 0, dimensions=2)
    return labels, open_volume(find_probability(folder)).numpy()[part].astype(np.float32) / 255


def looked_at(labels):
    """Number of entries that are looked at, and number of errors to be planted."""
    objects = np.count_nonzero(np.bincount(labels.ravel())[1:])
    looked = max(1, round(LOOKED_SHARE * objects))
    return looked, min(looked, max(1, round(PLANTED_SHARE * objects)))


def suspicions_of(labels, probability, size):
    bytes8 = np.rint(probability * 255).astype(np.uint8)
    return find_suspicions(make_scene(labels, bytes8, size))


def is_known(suspicion, known, size):
    """Whether an entry of the unplanted truth's list lies within 100 nm of it."""
    return any(
        suspicion.kind == entry.suspicion.kind
        and all(
            abs(a - b) <= max(1, 100 / edge)
            for a, b, edge in zip(suspicion.place_px, entry.suspicion.place_px, size, strict=True)
        )
        for entry in known
    )


def examine(name, labels, probability, size, seeds, rows=None):
    """Plant, make the list, find the planted errors in it; once for each seed."""
    looked, total = looked_at(labels)
    found = {"as it is": defaultdict(list), "known set aside": defaultdict(list)}
    false = {variant: defaultdict(int) for variant in found}
    seconds = []
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        believed = probability
        if probability is None:
            believed = believed_probability(labels > 0, size, generator)
        known = rank(suspicions_of(labels, believed, size))[:looked]
        counts = {kind: (total + (i + seed) % 3) // 3 for i, kind in enumerate(KINDS)}
        made = plant_errors(labels, believed, size, generator, counts)
        begun = time.perf_counter()
        suspicions = suspicions_of(made.labels, made.probability, size)
        seconds.append(time.perf_counter() - begun)
        rest = [s for s in suspicions if not is_known(s, known, size)]
        if rows is not None:
            for s in rest:
                rows.append(
                    (
                        s.kind,
                        s.evidence,
                        any(points_to(s, e, size, labels.shape) for e in made.errors),
                    )
                )
        for variant, listed in (("as it is", suspicions), ("known set aside", rest)):
            entries = rank(listed)
            ranks = ranks_of(made.errors, entries, size, labels.shape)
            for error, at in zip(made.errors, ranks, strict=True):
                how = error.how if error.kind == "split" else ""
                found[variant][error.kind, how].append(at is not None and at <= looked)
            for entry in entries[:looked]:
                if not any(points_to(entry.suspicion, e, size, labels.shape) for e in made.errors):
                    false[variant][entry.suspicion.kind] += 1
                    if os.environ.get("SHOW") == variant:
                        print(
                            "  false",
                            seed,
                            entry.rank,
                            f"{entry.score:.2f}",
                            entry.suspicion.kind,
                            {k: round(v, 2) for k, v in entry.suspicion.evidence.items()},
                            entry.suspicion.place_px,
                        )
    record = {
        "set": name,
        "objects": int(np.count_nonzero(np.bincount(labels.ravel())[1:])),
        "looked_at": looked,
        "planted": total,
        "seeds": seeds,
    }
    for variant, hits in found.items():
        record[variant] = {"recall": share(sum(hits.values(), []))}
        for kind in KINDS:
            record[variant][kind] = share(
                [h for (k, _), values in hits.items() if k == kind for h in values]
            )
        record[variant]["split by"] = {
            how: share(v) for (k, how), v in hits.items() if k == "split"
        }
        record[variant]["others in front"] = dict(false[variant])
    record["seconds"] = round(float(np.median(seconds)), 2)
    return record


def share(hits):
    return f"{sum(hits)}/{len(hits)} = {sum(hits) / max(1, len(hits)):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="*", default=["cdeep3m"], choices=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dimensions", type=int, default=3, choices=(2, 3))
    parser.add_argument("--every", type=int, default=1, help="every n-th slice, for --dimensions 2")
    parser.add_argument("--slices", help="first,last")
    parser.add_argument("--run", type=Path, help="plant in a run's labels and probabilities")
    parser.add_argument("--rows", type=Path, help="write evidence and truth of every suspicion")
    options = parser.parse_args()
    root = Path(os.environ.get("CHONDRIA_DATA", "../shared/data"))
    rows = [] if options.rows else None
    for name in options.sets:
        path, size = SETS[name]
        first, last = map(int, options.slices.split(",")) if options.slices else (0, None)
        part = slice(first, last + 1 if last is not None else None, options.every)
        if options.run:
            labels, seen = run_of(options.run, options.dimensions, part)
        else:
            labels, seen = truth_of(root / path, size, options.dimensions, part), None
        record = examine(name, labels, seen, size, options.seeds, rows)
        print(json.dumps(record), flush=True)
    if options.rows:
        options.rows.write_text(json.dumps(rows))


if __name__ == "__main__":
    sys.exit(main())
