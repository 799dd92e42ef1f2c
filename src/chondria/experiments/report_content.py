"""From the files of a run to what its page shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from chondria.errors import ChondriaError
from chondria.experiments.report_facts import SOFTWARE, fact_table, grouped_facts
from chondria.experiments.run_reading import RunContents
from chondria.io import open_volume
from chondria.report.content import Figure, PageContent, PlainTable, ShownLayer, ShownVolume
from chondria.report.markup import said
from chondria.report.methods import write_methods
from chondria.report.slices import LabelLayer, encode_slices
from chondria.volume import Volume

__all__ = ["LARGEST_BYTES", "image_name", "key_figures", "page_content"]

LARGEST_BYTES = 24_500_000
# Page, style and scripts, and what else is no slice and no table.
SPARE_BYTES = 300_000
MOST_OBJECTS = 20_000
NUMBER_BYTES = 13
SETTINGS_GROUPS = {
    "Image": ("image", "image_sha256", "shape", "voxel_size_nm", "dtype"),
    "Computation": ("device", "backend", "precision", "difference_from_torch_fp32", "seconds"),
    "Software": SOFTWARE,
}


def page_content(
    contents: RunContents, image: Volume | None, notes: Sequence[str] = ()
) -> PageContent:
    """Gather what the page of a run shows.

    Parameters
    ----------
    contents : RunContents
        The run.
    image : Volume or None, (Z, Y, X)
        What was segmented.
    notes : sequence of str
        What the reader must know first.

    Returns
    -------
    PageContent
        With slices that leave the page below `LARGEST_BYTES`.
    """
    record, every = contents.record, contents.objects
    objects, cut_note = _largest(every)
    layers = _layers(contents, objects)
    room = LARGEST_BYTES - SPARE_BYTES - NUMBER_BYTES * len(objects.rows) * len(objects.names)
    slices = encode_slices(
        None if image is None else image.data,
        None if contents.probability is None else contents.probability.data,
        {shown.key: shown.layer for shown in layers},
        max(room, 0),
    )
    cut = every.column("touches_border").count(True) if "touches_border" in every.names else 0
    methods = write_methods(
        record,
        objects=len(every.rows),
        cut=cut,
        scored=bool(contents.metrics),
        calibrated=bool(contents.calibration),
    )
    rows = contents.metrics.get("rows")
    return PageContent(
        title=f"{_counted(len(every.rows))} in {image_name(record)}",
        subtitle=_subtitle(contents),
        objects=objects,
        figures=key_figures(contents),
        notes=[*_voxel_note(contents), *cut_note, *notes],
        volume=ShownVolume(
            slices, layers, contents.labels.voxel_size_nm, depth=contents.labels.shape[0]
        ),
        metrics=PlainTable.of(rows) if rows else None,
        metrics_note=f"Against {_short(contents.metrics.get('truth', ''))}.",
        calibration=contents.calibration,
        errors=contents.errors,
        worklist=contents.worklist,
        methods=methods.paragraphs,
        references=methods.references,
        facts=_facts(record),
    )


def key_figures(contents: RunContents) -> list[Figure]:
    """Give the first numbers of a run: count, density, sizes, and its score where it has one."""
    objects = contents.objects
    figures = [Figure(str(len(objects.rows)), "", "mitochondria")]
    figures += _of_the_volume(contents)
    for name, unit, what in (
        ("volume_um3", "µm³", "median volume"),
        ("area_um2", "µm²", "median area"),
    ):
        if name in objects.names and objects.rows:
            values = [float(v) for v in objects.column(name) if v is not None]
            figures.append(Figure(said(float(median(values))) if values else "–", unit, what))
    if "touches_border" in objects.names:
        cut = objects.column("touches_border").count(True)
        figures.append(Figure(str(cut), "", "cut by the border"))
    scores = {row["metric"]: row["value"] for row in contents.metrics.get("rows", ())}
    for name, what in (("iou", "IoU with the truth"), ("f1_50", "F1 of objects at IoU 0.5")):
        if scores.get(name) is not None:
            figures.append(Figure(f"{scores[name]:.3f}", "", what))
    return figures


def _of_the_volume(contents: RunContents) -> list[Figure]:
    """Density by the counting frame, as `chondria measure` has it, and the share of the volume."""
    known, labels, objects = contents.summary, contents.labels, contents.objects
    figures = []
    for kind, unit in (("density_per_um3", "per µm³"), ("density_per_um2", "per µm²")):
        if known.get(kind) is not None:
            figures.append(Figure(said(known[kind]), unit, "density (counting frame)"))
    voxels = [int(v) for v in objects.column("voxels")] if "voxels" in objects.names else []
    share = 100 * sum(voxels) / math.prod(labels.shape)
    kind = "volume fraction" if labels.shape[0] > 1 else "area fraction"
    error = known.get(f"{kind.replace(' ', '_')}_se")
    unit = "%" if error is None else f"% ± {100 * error:.2g}"
    return [*figures, Figure(said(float(share)), unit, kind)]


def image_name(record: dict[str, Any]) -> str:
    """Give the end of the path of a run's image: folders are often called "images"."""
    parts = Path(str(record.get("image", "an image"))).parts
    generic = parts and Path(parts[-1]).stem.lower() in ("image", "images", "raw", "em")
    return "/".join(parts[-2:] if generic else parts[-1:])


def _counted(objects: int) -> str:
    return "One mitochondrion" if objects == 1 else f"{objects or 'No'} mitochondria"


def _subtitle(contents: RunContents) -> str:
    record, labels = contents.record, contents.labels
    parts = [f"{' × '.join(map(str, labels.shape))} voxels (z, y, x)"]
    if labels.voxel_size_nm:
        lengths = [n * nm / 1000 for n, nm in zip(labels.shape, labels.voxel_size_nm, strict=True)]
        parts.append(f"of {' × '.join(f'{nm:g}' for nm in labels.voxel_size_nm)} nm")
        parts.append(f"= {' × '.join(f'{length:.3g}' for length in lengths)} µm")
    where = " ".join(parts)
    model = record.get("model", {}).get("name")
    said_model = f"segmented by {model}" if model else ""
    day = str(record.get("started", ""))[:10]
    return " · ".join(part for part in (where, said_model, day) if part)


def _voxel_note(contents: RunContents) -> list[str]:
    if contents.labels.voxel_size_nm is not None:
        return []
    return [
        "Nobody stated a voxel size, so every measure is in pixels; give --voxel-size Z,Y,X in nm."
    ]


def _largest(objects: PlainTable) -> tuple[PlainTable, list[str]]:
    """Keep the largest objects where there are more than a page can hold."""
    if len(objects.rows) <= MOST_OBJECTS:
        return objects, []
    size = list(objects.names).index("voxels")
    kept = sorted(objects.rows, key=lambda row: -int(row[size]))[:MOST_OBJECTS]
    ident = list(objects.names).index("id")
    note = (
        f"The page lists the {MOST_OBJECTS} largest of {len(objects.rows)} objects; objects.csv "
        "has all."
    )
    return PlainTable(objects.names, sorted(kept, key=lambda row: int(row[ident]))), [note]


def _layers(contents: RunContents, objects: PlainTable) -> list[ShownLayer]:
    ids = [int(number) for number in objects.column("id")]
    found = LabelLayer(contents.labels.data, ids)
    layers = [ShownLayer("labels", "Found", found, kind="objects")]
    truth = contents.metrics.get("truth")
    if truth:
        try:
            volume = open_volume(truth)
        except (ChondriaError, OSError):
            return layers  # the scores say against what; its outlines are not there any more
        if volume.shape == contents.labels.shape:
            layers.append(ShownLayer("truth", "Truth", LabelLayer(volume.data), letter="T"))
    return layers


def _facts(record: dict[str, Any]) -> dict[str, PlainTable]:
    groups = grouped_facts(record, SETTINGS_GROUPS)
    model = {k: v for k, v in record.get("model", {}).items() if k != "citations"}
    settings = record.get("settings", {})
    ordered = {
        "Image": groups["Image"],
        "Model": fact_table(model),
        "Settings": fact_table(settings),
    } | groups
    return {group: table for group, table in ordered.items() if table.rows}


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-2:])
