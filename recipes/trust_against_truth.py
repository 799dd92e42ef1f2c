"""Hold what a calibrated model says of its trust against the truth of a volume it never saw.

python recipes/trust_against_truth.py RUN TRUTH IMAGES --model MODEL --voxel-size Z,Y,X -o FOLDER

RUN is a run folder of `chondria segment` with MODEL, which `chondria calibrate` wrote. Prints a
table of every measure and the calibration errors; draws the reliability of pixels and objects.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from chondria.cli.options import parse_voxel_size
from chondria.evaluation.objects import as_mask, connected_objects
from chondria.experiments.run_folder import write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import assess_objects
from chondria.experiments.trust_evidence import are_true, candidate_settings, gather_evidence
from chondria.experiments.trust_reports import error_report, measured
from chondria.experiments.volume_segmentation import label_objects
from chondria.io import open_volume
from chondria.models import load_model
from chondria.morphometrics.measures import measure_everything
from chondria.report.drawing import save_drawings
from chondria.report.reliability import reliability_diagrams
from chondria.trust.level_counts import level_counts
from chondria.trust.record import OBJECT_BINS, TrustRecord, pixel_reliability
from chondria.trust.reliability import Reliability, reliability
from chondria.trust.temperature import PixelCalibration


def main() -> None:
    """Print the tables, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--voxel-size", required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    card = load_model(arguments.model).card
    record = TrustRecord.from_dict(card.trust)
    size = parse_voxel_size(arguments.voxel_size)
    image = open_volume(arguments.images, size)
    image = image.with_data(image.numpy())
    truth = image.with_data(connected_objects(as_mask(open_volume(arguments.truth).numpy())))
    levels = open_volume(found_in(arguments.run, "probability")).numpy()
    settings = SegmentationSettings().of(card)
    arguments.output.mkdir(parents=True, exist_ok=True)

    labels, objects = label_objects(levels, image, settings)
    stored = open_volume(found_in(arguments.run, "labels")).numpy()
    assert np.array_equal(labels.numpy(), stored), "the run was made with other settings"
    maps = (levels, stored, objects)
    true = measured(measure_everything(truth), image)
    said = error_report(record, image, maps, settings)
    print(
        "| measure | truth | found | corrected | 95 % interval | holds |\n|---|---|---|---|---|---|"
    )
    for row in said["rows"]:
        value = true[row["measure"]]
        holds = "yes" if row["low"] <= value <= row["high"] else "NO"
        numbers = [f"{x:.4g}" for x in (value, row["measured"], row["corrected"])]
        interval = f"{row['low']:.4g} to {row['high']:.4g}"
        print(f"| {row['measure']} | {' | '.join(numbers)} | {interval} | {holds} |")
    print("expected volume fraction", f"{said['expected_volume_fraction']:.5f}")
    print(*said["warnings"], sep="\n")

    counts = level_counts(levels, truth.numpy())
    pixels = [pixel_reliability(counts, c) for c in (PixelCalibration(), record.pixels)]
    curves = both_curves("voxels", *pixels)
    print_ece("voxels", *pixels)
    for kept in (settings, candidate_settings(settings)):
        found, table = label_objects(levels, image, kept)
        table = assess_objects(replace(card), table, found, levels, {})
        right = are_true(found.numpy(), table, truth.numpy())
        name = "objects" if kept is settings else "candidates"
        columns = (table["mean_probability"], table["probability_true"])
        both = [reliability(p, right, bins=OBJECT_BINS) for p in columns]
        print_ece(f"{name} ({len(table)}, of which {int(right.sum())} true)", *both)
        curves += both_curves(name, *both)
    evidence = gather_evidence("test", image, maps, (found.numpy(), table), truth)
    print(evidence.errors[1].sentence())
    save_drawings(reliability_diagrams(curves), arguments.output / "reliability.svg")
    write_json(arguments.output / "curves.json", {"curves": curves})


def found_in(run: Path, name: str) -> Path:
    """The map of a run folder, beside which a sidecar may lie."""
    return next(path for path in run.glob(f"{name}*") if path.suffix != ".json")


def both_curves(name: str, before: Reliability, after: Reliability) -> list[dict[str, Any]]:
    """Reliability of one kind of cases as calibration.json has it."""
    stages = {"before": before, "after": after}
    return [{"name": name, "stage": stage} | asdict(curve) for stage, curve in stages.items()]


def print_ece(name: str, before: Reliability, after: Reliability) -> None:
    """Print the calibration error and the Brier score, before and after."""
    for what in ("expected_calibration_error", "brier"):
        print(f"{name}: {what} {getattr(before, what):.4f} -> {getattr(after, what):.4f}")


if __name__ == "__main__":
    main()
