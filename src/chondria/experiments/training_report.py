"""The page of a training, from its run folder."""

from __future__ import annotations

from pathlib import Path

from chondria.experiments.page_file import write_page
from chondria.experiments.training_content import training_content
from chondria.experiments.training_reading import read_training
from chondria.report.training_page import draw_training

__all__ = ["write_training_report"]


def write_training_report(run: str | Path, output: str | Path | None = None) -> Path:
    """Write the page of a training.

    Parameters
    ----------
    run : str or Path
        A folder of `train`.
    output : str or Path, optional
        The HTML file; by default report.html in the folder.

    Returns
    -------
    Path
        The file; one that was there is replaced.

    Raises
    ------
    ChondriaError
        If the training is not finished, a file of it is damaged, or the page cannot be written.
    """
    return write_page(run, output, _page)


def _page(folder: Path) -> str:
    return draw_training(training_content(read_training(folder)))
