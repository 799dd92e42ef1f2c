"""From the files of several runs to the page that compares them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

from chondria.experiments.report_content import (
    LARGEST_BYTES,
    SPARE_BYTES,
    image_name,
    key_figures,
)
from chondria.experiments.run_reading import RunContents
from chondria.report.comparison import ComparisonContent, draw_comparison
from chondria.report.content import PlainTable, ShownLayer, ShownVolume
from chondria.report.slices import LabelLayer, encode_slices
from chondria.volume import Volume

__all__ = ["compare_page"]

COMPARED = (
    "volume_um3",
    "area_um2",
    "skeleton_length_um",
    "sphericity",
    "circularity",
    "aspect_ratio",
    "mean_probability",
    "voxels",
)
MOST_MEASURES = 6
ALIKE = ("seconds", "command", "started", "objects", "packages", "difference_from_torch_fp32")


def compare_page(contents: Sequence[RunContents], image: Volume | None, note: str = "") -> str:
    """Write the page of several runs.

    Parameters
    ----------
    contents : sequence of RunContents
        Two or more.
    image : Volume or None, (Z, Y, X)
        What the first was made of; slices are shown where all runs are of one image.
    note : str
        Why there is no image.

    Returns
    -------
    str
        HTML.
    """
    names = _names(contents)
    one_image = _same_image(contents)
    notes = [note] if note and one_image else []
    if not one_image:
        notes.append("The runs are of different images, so their slices are not laid over another.")
    return draw_comparison(
        ComparisonContent(
            title=f"{len(contents)} runs compared",
            subtitle=" · ".join(names),
            notes=notes,
            figures=_figures(names, contents),
            differences=_differences(names, contents),
            scores=_scores(names, contents),
            measures=_measures(names, contents),
            volume=_slices(names, contents, image) if one_image else None,
        )
    )


def _slices(
    names: Sequence[str], contents: Sequence[RunContents], image: Volume | None
) -> ShownVolume:
    """Lay the outlines of all runs over their image; the first nine have a key of their own."""
    letters = chain("123456789", repeat(""))
    layers = [
        ShownLayer(f"run{place}", name, LabelLayer(run.labels.data), letter=letter)
        for place, (name, run, letter) in enumerate(zip(names, contents, letters, strict=False))
    ]
    source = None if image is None else image.data
    by_key = {shown.key: shown.layer for shown in layers}
    slices = encode_slices(source, None, by_key, LARGEST_BYTES - SPARE_BYTES)
    of = contents[0].labels
    return ShownVolume(slices, layers, of.voxel_size_nm, depth=of.shape[0])


def _names(contents: Sequence[RunContents]) -> list[str]:
    """Name runs by their folders, by as many parts of the path as tell them apart."""
    folders = [run.folder.resolve() for run in contents]
    for parts in range(1, max(len(folder.parts) for folder in folders) + 1):
        names = ["/".join(folder.parts[-parts:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [f"{place}: {folder}" for place, folder in enumerate(folders, start=1)]


def _same_image(contents: Sequence[RunContents]) -> bool:
    hashes = {run.record.get("image_sha256") for run in contents}
    return len(hashes) == 1 and len({run.labels.shape for run in contents}) == 1


def _figures(names: Sequence[str], contents: Sequence[RunContents]) -> PlainTable:
    found = [{f"{f.what} {f.unit}".strip(): f.value for f in key_figures(run)} for run in contents]
    rows: dict[str, list[Any]] = {"image": [image_name(run.record) for run in contents]}
    for what in dict.fromkeys(name for run in found for name in run):
        rows[what] = [run.get(what) for run in found]
    return _beside("figure", names, rows)


def _differences(names: Sequence[str], contents: Sequence[RunContents]) -> PlainTable:
    """List what is not the same in the records of all runs."""
    flat = [_flat({k: v for k, v in run.record.items() if k not in ALIKE}) for run in contents]
    rows = {}
    for key in dict.fromkeys(key for record in flat for key in record):
        values = [record.get(key) for record in flat]
        if any(value != values[0] for value in values):
            rows[key.replace("_", " ")] = values
    return _beside("setting", names, rows)


def _scores(names: Sequence[str], contents: Sequence[RunContents]) -> PlainTable:
    found = [{r["metric"]: r["value"] for r in run.metrics.get("rows", ())} for run in contents]
    metrics = dict.fromkeys(metric for scores in found for metric in scores)
    return _beside("metric", names, {m: [scores.get(m) for scores in found] for m in metrics})


def _measures(
    names: Sequence[str], contents: Sequence[RunContents]
) -> dict[str, dict[str, list[float]]]:
    shared = [
        measure for measure in COMPARED if all(measure in run.objects.names for run in contents)
    ]
    return {
        measure: {
            name: [float(v) for v in run.objects.column(measure) if v is not None]
            for name, run in zip(names, contents, strict=True)
        }
        for measure in shared[:MOST_MEASURES]
    }


def _beside(first: str, names: Sequence[str], rows: dict[str, list[Any]]) -> PlainTable:
    return PlainTable([first, *names], [[name, *values] for name, values in rows.items()])


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name} ")
        else:
            found[f"{prefix}{name}"] = value
    return found
