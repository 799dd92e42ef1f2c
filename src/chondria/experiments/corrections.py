"""The job of `chondria apply`: a run and decisions in, a run of corrected labels out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chondria.experiments.evaluation import find_labels
from chondria.experiments.reporting import write_report
from chondria.experiments.reviewed_run import open_run
from chondria.experiments.run_folder import environment, new_run_folder, write_json
from chondria.io import data_hash, format_suffix, save_volume, volume_format
from chondria.morphometrics.measures import measure_everything
from chondria.morphometrics.table import write_objects_csv
from chondria.review.corrections import correct_labels
from chondria.review.decisions import read_decisions
from chondria.volume import Volume

__all__ = ["apply_decisions"]


def apply_decisions(
    folder: str | Path,
    decisions: str | Path,
    output: str | Path,
    *,
    voxel_size_nm: Sequence[float] | None = None,
) -> dict[str, int]:
    """Correct a run's labels by what was decided; the run itself stays as it is.

    The new folder is a run folder too, which can be reviewed again: ``labels.*``, ``probability.*``
    as it was, ``mask.*`` (0 and 255, to learn from), ``objects.csv``, ``decisions.csv`` as it was
    given, ``run.json`` and ``report.html``.

    Parameters
    ----------
    folder : str or Path
        A run folder of `chondria segment` or `chondria apply`.
    decisions : str or Path
        See `chondria.review.decisions.read_decisions`.
    output : str or Path
        A new or empty folder.
    voxel_size_nm : sequence of float, optional
        (z, y, x) in nm; overrules what the run says.

    Returns
    -------
    dict of str to int
        How many decisions of each kind were applied.

    Raises
    ------
    OutputExistsError
        If the folder holds files.
    ChondriaError
        If the run or a decision cannot be used.
    """
    run = open_run(folder, voxel_size_nm)
    decided = read_decisions(decisions)
    format = volume_format(find_labels(run.folder))
    suffix = format_suffix(format)
    with new_run_folder(output) as new:
        before = run.labels.numpy()
        after, counts = correct_labels(before, decided, run.probability.numpy(), run.voxel_size_nm)
        labels = Volume(after, run.voxel_size_nm, run.labels.origin_nm)
        mask = labels.with_data(np.where(after != 0, np.uint8(255), np.uint8(0)))
        objects = measure_everything(labels)
        for name, volume in (("labels", labels), ("mask", mask), ("probability", run.probability)):
            save_volume(volume, new / f"{name}{suffix}", format)
        write_objects_csv(objects, new / "objects.csv")
        (new / "decisions.csv").write_bytes(Path(decisions).read_bytes())
        kept = ("image", "image_files", "image_sha256", "shape", "model", "settings")
        record = environment() | {
            "job": "apply",
            "run": str(run.folder),
            "labels_sha256": data_hash(run.labels),
            "decisions": counts,
            "objects": len(objects),
            "changed_voxels": int(np.count_nonzero(before != after)),
            "voxel_size_nm": run.voxel_size_nm,
        }
        record |= {name: run.record[name] for name in kept if name in run.record}
        write_json(new / "run.json", record)
        write_report(new)
    return counts
