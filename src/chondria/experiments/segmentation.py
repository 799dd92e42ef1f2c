"""The job of `chondria segment`: images in, a run folder with measured objects out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from chondria.experiments.measuring import write_summary
from chondria.experiments.reporting import write_report
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.experiments.segmentation_settings import SegmentationSettings
from chondria.experiments.trust import write_trust
from chondria.experiments.volume_segmentation import (
    Segmentation,
    segment_volume,
    timed,
)
from chondria.inference.device import describe_device
from chondria.io import data_hash, format_suffix, save_volume
from chondria.io.atomic import check_disk_space
from chondria.io.formats import check_holds
from chondria.io.header import Grid
from chondria.models import Model
from chondria.morphometrics.stereology import summarise_volume
from chondria.morphometrics.table import write_objects_csv
from chondria.report.overview import draw_overview
from chondria.volume import Volume

__all__ = ["segment"]

# Of many slices in files of their own, the first are named.
NAMED_FILES = 3


def segment(
    model: Model,
    volume: Volume,
    folder: str | Path,
    settings: SegmentationSettings | None = None,
    *,
    format: str = "tiff",
    progress: Callable[[int, int], None] | None = None,
    where: str | Sequence[Path] = "the image",
) -> Segmentation:
    """Segment a volume and write a run folder.

    The folder holds ``labels.*``, ``probability.*`` (8 bits, 255 is certainty), ``objects.csv``,
    ``objects.volume.json`` (the volume as a whole), ``overview.png``, ``run.json`` and
    ``report.html``; ``boundary.*`` where objects were separated by a model that finds outlines, and
    ``calibration.json`` and ``errors.json`` where its card says how far to trust it. Should
    anything fail, a folder made here is removed again.

    Parameters
    ----------
    model, volume, settings, progress
        See `segment_volume`.
    folder : str or Path
        A new or empty folder.
    format : str
        A key of `chondria.io.FORMATS`, of labels and probabilities.
    where : str or sequence of Path
        What to call the image; or the files that it was read from, where its report finds it when
        it is drawn again.

    Returns
    -------
    Segmentation
        What was written.

    Raises
    ------
    OutputExistsError
        If the folder holds another run.
    ChondriaError
        If the image or a setting cannot be used, or the disk is too small.
    """
    suffix = format_suffix(format)
    chosen = (settings or SegmentationSettings()).of(model.card)
    for dtype in (np.uint8, np.uint16):
        check_holds(format, Grid.of(volume.with_data(np.broadcast_to(dtype(0), volume.shape))))
    with new_run_folder(folder) as run:
        check_disk_space(run, 6 * math.prod(volume.shape))
        source = _source(where)
        record = environment() | {"job": "segment"} | source | _provenance(model, volume)
        name = source["image"]
        result = segment_volume(model, volume, settings, progress=progress, where=name)
        with timed(result.seconds, "write"):
            save_volume(result.probability, run / f"probability{suffix}", format)
            if result.boundary is not None:
                save_volume(result.boundary, run / f"boundary{suffix}", format)
            save_volume(result.labels, run / f"labels{suffix}", format)
            write_objects_csv(result.objects, run / "objects.csv")
            if chosen.measures == "all" and volume.voxel_size_nm is not None:
                whole = summarise_volume(result.labels, result.objects)
                write_summary(run / "objects.csv", result.objects, whole, {"job": "segment"})
            title = f"{len(result.objects)} mitochondria found by {model.card.name}"
            draw_overview(volume, result.labels.data, run / "overview.png", title=title)
            found = (result.probability.numpy(), result.labels.numpy(), result.objects)
            write_trust(run, model.card, volume, found, chosen)
        with timed(result.seconds, "hash"):
            record["image_sha256"] = data_hash(volume)
        record |= _how(chosen, result) | {
            "objects": len(result.objects),
            "seconds": {stage: round(value, 3) for stage, value in result.seconds.items()},
        }
        write_json(run / "run.json", record)
        with timed(result.seconds, "report"):
            write_report(run, volume)
    return result


def _source(where: str | Sequence[Path]) -> dict[str, Any]:
    """Name the image, and its files where they are known."""
    if isinstance(where, str):
        return {"image": where}
    files = [str(Path(path).absolute()) for path in where]
    return {"image": ", ".join(map(str, where[:NAMED_FILES])), "image_files": files}


def _provenance(model: Model, volume: Volume) -> dict[str, Any]:
    return {
        "shape": volume.shape,
        "voxel_size_nm": volume.voxel_size_nm,
        "dtype": str(volume.dtype),
        "model": {
            "name": model.card.name,
            "source": model.source,
            "network": model.card.network,
            "options": model.card.options,
            "pixel_size_nm": model.card.pixel_size_nm,
            "boundary_nm": model.card.boundary_nm,
            "weights_sha256": model.weights_sha256,
            "terms": model.card.terms,
            "citations": model.card.citations,
            "chondria": model.card.chondria,
        },
    }


def _how(settings: SegmentationSettings, result: Segmentation) -> dict[str, Any]:
    return {
        "device": describe_device(result.compute.device),
        "backend": result.compute.backend,
        "precision": result.compute.precision,
        "difference_from_torch_fp32": asdict(result.agreement),
        "settings": {name: getattr(settings, name) for name in settings.__slots__},
    }
