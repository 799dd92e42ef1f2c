"""Train one recipe with several seeds, and say how much the seed matters."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from chondria.config import Recipe, recipe_yaml
from chondria.errors import SettingsError
from chondria.experiments.processes import Post, run_in_processes
from chondria.experiments.run_folder import open_run_folder
from chondria.experiments.training import TrainingObserver, train_recipe
from chondria.inference.device import choose_device
from chondria.models import load_model

__all__ = ["Repeats", "train_repeats"]

SECONDS_BETWEEN_STEPS = 0.2


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
        How many runs share the device; by default all of them on a GPU, which one run of small
        batches leaves idle for most of the time, and one for every core on a CPU.
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
    if runs < 1 or (at_once is not None and at_once < 1):
        raise SettingsError(f"Found {runs} runs, {at_once} at once; give at least one of each.")
    where = choose_device(device)
    width = at_once or (runs if where.type != "cpu" else torch.get_num_threads())
    seeds = range(recipe.seed, recipe.seed + runs)
    seeded = {f"seed-{seed}": recipe.model_copy(update={"seed": seed}) for seed in seeds}
    with open_run_folder(Path(folder), recipe_yaml(recipe), resume) as parent:
        pass
    jobs = {
        name: partial(_train_one, one, parent / name, data_root, device)
        for name, one in seeded.items()
    }
    observers = {name: watch(name) for name in jobs} if watch else {}
    figures = run_in_processes(jobs, min(width, runs), partial(_pass_on, observers))
    rows = [{"seed": float(seeded[name].seed)} | figures[name] for name in jobs]
    _write_rows(parent / "runs.csv", rows)
    return Repeats(parent, rows)


def _train_one(
    recipe: Recipe, folder: Path, data_root: str | Path | None, device: str, post: Post
) -> dict[str, float]:
    """Train, go on with or keep one run; returns the figures of its best weights."""
    stored = folder / "model.safetensors"
    if stored.exists():
        return load_model(stored).card.validation
    resume = (folder / "recipe.yaml").exists()
    run = train_recipe(
        recipe,
        folder,
        data_root=data_root,
        device=device,
        resume=resume,
        observer=_Messenger(post),
    )
    return run.model.card.validation


class _Messenger:
    """Posts what an observer should be told, the steps not oftener than one can see."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._last = 0.0

    def say(self, message: str) -> None:
        self._post(("say", message))

    def on_step(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last > SECONDS_BETWEEN_STEPS:
            self._last = now
            self._post(("on_step", step, loss))

    def on_validation(self, row: dict[str, float]) -> None:
        self._post(("on_validation", row))


def _pass_on(observers: Mapping[str, TrainingObserver], name: str, message: Any) -> None:
    method, *given = message
    if name in observers:
        getattr(observers[name], method)(*given)


def _write_rows(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
