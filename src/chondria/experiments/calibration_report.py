"""The page of a calibration, from its run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chondria.errors import InputNotFoundError
from chondria.experiments.page_file import write_page
from chondria.experiments.report_facts import SOFTWARE, fact_table, grouped_facts
from chondria.experiments.run_reading import read_json, read_table
from chondria.experiments.training_content import model_facts, postprocessing_facts
from chondria.models import load_model
from chondria.report.content import Figure
from chondria.report.methods import lengths
from chondria.report.training_page import TrainingContent, draw_training

__all__ = ["write_calibration_report"]

FILES = ("run.json", "calibration.json", "errors.json", "candidates.csv", "model.safetensors")
GROUPS = {"Image": ("image_sha256", "shape", "voxel_size_nm"), "Software": SOFTWARE}


def write_calibration_report(run: str | Path, output: str | Path | None = None) -> Path:
    """Write the page of a calibration: that of a training, as far as there was one.

    Parameters
    ----------
    run : str or Path
        A folder of `calibrate`.
    output : str or Path, optional
        The HTML file; by default report.html in the folder.

    Returns
    -------
    Path
        The file; one that was there is replaced.

    Raises
    ------
    ChondriaError
        If the calibration is not finished, a file of it is damaged, or the page cannot be written.
    """
    return write_page(run, output, _page)


def _page(folder: Path) -> str:
    for name in FILES:
        if not (folder / name).is_file():
            raise InputNotFoundError(
                f"There is no {name} in '{folder}', so it is no finished calibration; calibrate "
                "anew into another folder."
            )
    return draw_training(_content(folder))


def _content(folder: Path) -> TrainingContent:
    record, model = read_json(folder / "run.json"), load_model(folder / "model.safetensors")
    calibration = read_json(folder / "calibration.json")
    said = record.get("model", {})
    facts = grouped_facts(record, GROUPS) | {
        "Calibrated model": fact_table(said),
        "Settings": fact_table(record.get("settings", {})),
    }
    return TrainingContent(
        title=f"Calibration of {model.card.name}",
        subtitle=_subtitle(record),
        figures=[*_figures(calibration), Figure(f"{model.card.threshold:g}", "", "threshold")],
        postprocessing=postprocessing_facts(model.card),
        threshold_note="The calibration holds for these; the new model keeps them.",
        calibration=calibration,
        errors=read_json(folder / "errors.json"),
        candidates=read_table(folder / "candidates.csv"),
        model=model_facts(model),
        facts={name: table for name, table in facts.items() if table.rows},
    )


def _subtitle(record: dict[str, Any]) -> str:
    shape, size = record.get("shape"), record.get("voxel_size_nm")
    parts = [f"on {' × '.join(map(str, shape))} voxels (z, y, x)"] if shape else []
    parts += [f"of {lengths(size)} nm"] if size else []
    return f"{' '.join(parts)}, with their truth · {str(record.get('started', ''))[:10]}"


def _figures(calibration: dict[str, Any]) -> Iterator[Figure]:
    """Give the calibration error of each kind of cases, after and before."""
    found: dict[str, dict[str, float | None]] = {}
    for curve in calibration.get("curves", ()):
        error = curve.get("expected_calibration_error")
        found.setdefault(curve["name"], {})[curve["stage"]] = error
    for name, errors in found.items():
        before, after = errors.get("before"), errors.get("after")
        if before is not None and after is not None:
            yield Figure(f"{after:.4f}", f"from {before:.4f}", f"calibration error of {name}")
