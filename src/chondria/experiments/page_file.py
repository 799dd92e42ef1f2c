"""Where the page of a run is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chondria.experiments.run_folder import PAGE, check_writable
from chondria.io.atomic import write_text_atomically

__all__ = ["write_page"]


def write_page(run: str | Path, output: str | Path | None, draw: Callable[[Path], str]) -> Path:
    """Write the page of a run: report.html in its folder, or the file that is named.

    Parameters
    ----------
    run : str or Path
        The folder.
    output : str or Path or None
        The HTML file, where it is another one.
    draw : callable
        Gives the page of a folder.

    Returns
    -------
    Path
        The file; one that was there is replaced.

    Raises
    ------
    ChondriaError
        If the file cannot be written; nothing was drawn then. Or what `draw` raises.
    """
    path = Path(run) / PAGE if output is None else Path(output)
    # Of a run that is none, whoever reads it says so.
    if output is not None or path.parent.is_dir():
        check_writable(path)
    write_text_atomically(path, draw(Path(run)))
    return path
