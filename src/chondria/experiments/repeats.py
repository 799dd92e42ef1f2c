"""Train one recipe with several seeds, and say how much the seed matters."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev

from chondria.config.recipe import Recipe, recipe_yaml
from chondria.experiments.folder_lock import sole_use
from chondria.experiments.processes import Post
from chondria.experiments.run_folder import open_run_folder
from chondria.experiments.seeds import run_watched, runs_at_once, seeded, train_or_keep
from chondria.experiments.training import TrainingObserver

__all__ = ["Repeats", "train_repeats"]


@dataclass(frozen=True, slots=True)
class Repeats:
    """What several runs left behind.

    Attributes
    ----------
    folder : Path
        Holds a run folder for each seed, and runs.csv.
    rows : list of dict
        Seed, steps of the best weights and their validation figures, of each run.
    """

    folder: Path
    rows: list[dict[str, float]]

    def summary(self) -> str:
        """Say mean, standard deviation and range of the validation IoU, with n."""
        values = [row["validation_iou"] for row in self.rows if "validation_iou" in row]
        if not values:
            return f"n = {len(self.rows)}; no validation slices"
        spread = f" \N{PLUS-MINUS SIGN} {stdev(values):.4f}" if len(values) > 1 else ""
        said = f"validation IoU {mean(values):.4f}{spread} (n = {len(values)}"
        return f"{said}, from {min(values):.4f} to {max(values):.4f})"


def train_repeats(
    recipe: Recipe,
    folder: str | Path,
    runs: int,
    *,
    at_once: int | None = None,
    data_root: str | Path | None = None,
    device: str = "auto",
    resume: bool = False,
    watch: Callable[[str], TrainingObserver] | None = None,
) -> Repeats:
    """Train a recipe with its seed and those that follow, several runs at the same time.

    Each run is a process of its own, so that it does exactly what it would do alone.

    Parameters
    ----------
    recipe : Recipe
        Data, network and training.
    folder : str or Path
        A new folder; a run folder ``seed-N`` for each run and runs.csv are written there.
    runs : int
        How many seeds.
    at_once : int, optional
        How many runs share the device; by default all on a GPU, and one for every core on a CPU.
    data_root, device
        See `chondria.experiments.training.train_recipe`.
    resume : bool
        Go on with an interrupted job: whole runs are kept, others go on from their checkpoints.
    watch : callable
        Gives an observer for the run of a name.

    Returns
    -------
    Repeats
        The folder and one row for each run.

    Raises
    ------
    ChondriaError
        If a run fails; the runs beside it are finished first. `resume` goes on from there.
    """
    width = runs_at_once(runs, at_once, device)
    recipes = seeded(recipe, runs)
    with sole_use(folder) as parent:
        with open_run_folder(parent, recipe_yaml(recipe), resume):
            pass
        jobs = {
            name: partial(_train_one, one, parent / name, data_root, device)
            for name, one in recipes.items()
        }
        figures = run_watched(jobs, width, watch)
        rows = [{"seed": float(recipes[name].seed)} | figures[name] for name in jobs]
        _write_rows(parent / "runs.csv", rows)
        return Repeats(parent, rows)


def _train_one(
    recipe: Recipe, folder: Path, data_root: str | Path | None, device: str, post: Post
) -> dict[str, float]:
    """Give the figures of a run's best weights."""
    return train_or_keep(recipe, folder, data_root, device, post).card.validation


def _write_rows(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
