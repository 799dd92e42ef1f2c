"""The job of `chondria report`: run folders in, one page of HTML out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chondria.errors import ChondriaError, InputNotFoundError, SettingsError, ShapeError
from chondria.evaluation.sheet import MetricSheet
from chondria.experiments.page_file import write_page
from chondria.experiments.report_comparison import compare_page
from chondria.experiments.report_content import page_content
from chondria.experiments.run_folder import check_writable, write_json
from chondria.experiments.run_image import open_run_image
from chondria.experiments.run_reading import RunContents, is_calibration, is_training, read_run
from chondria.io import open_volume
from chondria.io.atomic import write_text_atomically
from chondria.report.run_page import draw_run
from chondria.volume import Volume

__all__ = ["record_scores", "report", "write_report"]


def report(
    runs: Sequence[str | Path],
    output: str | Path | None = None,
    image: str | Path | None = None,
) -> Path:
    """Write the page of a run, or one that compares several.

    Parameters
    ----------
    runs : sequence of str or Path
        Folders of `segment`, or one of `train` or `calibrate`.
    output : str or Path, optional
        The HTML file; by default report.html in the folder of the only run.
    image : str or Path, optional
        The image that was segmented; by default where run.json says that it was.

    Returns
    -------
    Path
        The file; one that was there is replaced.

    Raises
    ------
    SettingsError
        If several runs are given and no output, or an image of a training.
    InputNotFoundError, FormatError, ShapeError
        If a folder is no run, a file is missing or damaged, or the image has another shape.
    """
    if not runs:
        raise InputNotFoundError("Found no run folder; give one of `chondria segment`, or several.")
    trainings = [str(run) for run in runs if is_training(run) or is_calibration(run)]
    if trainings and (len(runs) > 1 or image is not None):
        what = "an image" if len(runs) == 1 else f"{len(runs)} folders"
        raise SettingsError(
            f"Found {what} together with '{trainings[0]}', which is no segmentation; its page is "
            "drawn from its own folder: give that alone."
        )
    given = None if image is None else open_volume(image)
    if len(runs) == 1:
        return write_report(runs[0], given, output)
    if output is None:
        raise SettingsError(
            f"Found {len(runs)} run folders and no name for the page that compares them; give one "
            "with -o, for example comparison.html."
        )
    check_writable(Path(output))
    contents = [read_run(run) for run in runs]
    if given is not None:
        _check_shape(given, contents[0])
    shown, note = (given, "") if given is not None else _find_image(contents[0])
    write_text_atomically(Path(output), compare_page(contents, shown, note))
    return Path(output)


def write_report(
    run: str | Path, image: Volume | None = None, output: str | Path | None = None
) -> Path:
    """Write the page of one run.

    Parameters
    ----------
    run : str or Path
        A folder of `segment`, `train` or `calibrate`.
    image : Volume, (Z, Y, X), optional
        The image that was segmented; by default it is opened where run.json says. Only pages of
        segmentations have one.
    output : str or Path, optional
        The HTML file; by default report.html in the folder.

    Returns
    -------
    Path
        The file; one that was there is replaced.

    Raises
    ------
    ChondriaError
        As `report`.
    """
    if is_training(run):
        # Models need torch, which the page of a segmentation does without.
        from chondria.experiments.training_report import write_training_report

        return write_training_report(run, output)
    if is_calibration(run):
        from chondria.experiments.calibration_report import write_calibration_report

        return write_calibration_report(run, output)
    return write_page(run, output, partial(_page, image))


def _page(image: Volume | None, folder: Path) -> str:
    contents = read_run(folder)
    notes = []
    if image is None:
        image, note = _find_image(contents)
        notes = [note] if note else []
    else:
        _check_shape(image, contents)
    return draw_run(page_content(contents, image, notes))


def record_scores(
    run: str | Path, sheet: MetricSheet, truth: str | Path, *, truth_is_instances: bool = False
) -> Path:
    """Keep the scores of a run in its folder, as metrics.json; earlier ones are replaced.

    Parameters
    ----------
    run : str or Path
        A folder of `segment`.
    sheet : MetricSheet
        Its scores.
    truth : str or Path
        Against what; the page shows its outlines.
    truth_is_instances : bool
        Whether its values are identifiers of objects.

    Returns
    -------
    Path
        The file.
    """
    rows = [
        {"metric": r.name, "value": r.value, "averaged_over": r.averaged_over} for r in sheet.rows()
    ]
    path = Path(run) / "metrics.json"
    values: dict[str, Any] = {"truth": str(Path(truth).resolve())}
    write_json(path, values | {"truth_is_instances": truth_is_instances, "rows": rows})
    return path


def _find_image(contents: RunContents) -> tuple[Volume | None, str]:
    """Open the image that a run was made of; else None and a sentence that says why not."""
    try:
        return open_run_image(contents.record, contents.labels), ""
    except (ChondriaError, OSError) as error:
        return None, f"Slices are shown without their image. {error}"


def _check_shape(image: Volume, contents: RunContents) -> None:
    if image.shape != contents.labels.shape:
        raise ShapeError(
            f"Found an image of shape {image.shape} for the run '{contents.folder}', whose labels "
            f"have {contents.labels.shape} (Z, Y, X); give the image that was segmented."
        )
