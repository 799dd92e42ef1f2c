"""Runs of one recipe with several seeds, each in a process of its own, watched from here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from chondria.config.recipe import Recipe, load_recipe
from chondria.errors import OutputExistsError, SettingsError
from chondria.experiments.processes import Job, Post, run_here, run_in_processes
from chondria.experiments.training import TrainingObserver, Watch, train_recipe
from chondria.inference.device import choose_device
from chondria.models import Model, load_model

__all__ = [
    "check_same_recipe",
    "load_scores",
    "run_watched",
    "runs_at_once",
    "score_files",
    "seeded",
    "train_or_keep",
]

SECONDS_BETWEEN_STEPS = 0.2


def seeded(recipe: Recipe, runs: int) -> dict[str, Recipe]:
    """Give the recipe with its seed and those that follow, by the names of their folders."""
    seeds = range(recipe.seed, recipe.seed + runs)
    return {f"seed-{seed}": recipe.model_copy(update={"seed": seed}) for seed in seeds}


def score_files(folder: Path) -> list[Path]:
    """Find the scores of every run of a recipe, in the order of their seeds."""
    found = folder.glob("seed-*/scores.json")
    return sorted(found, key=lambda path: int(path.parent.name.removeprefix("seed-")))


def load_scores(folder: Path) -> list[dict[str, Any]]:
    """Read the scores of every run of a recipe, in the order of their seeds."""
    return [json.loads(path.read_text()) for path in score_files(folder)]


def runs_at_once(runs: int, at_once: int | None, device: str) -> int:
    """Decide how many runs share the device.

    By default all of them on a GPU, which one run of small batches leaves idle for most of the
    time, and one for every core on a CPU.

    Raises
    ------
    SettingsError
        If there are none.
    """
    if runs < 1 or (at_once is not None and at_once < 1):
        raise SettingsError(f"Found {runs} runs, {at_once} at once; give at least one of each.")
    where = choose_device(device)
    return min(runs, at_once or (runs if where.type != "cpu" else torch.get_num_threads()))


def run_watched(
    jobs: Mapping[str, Job],
    at_once: int,
    watch: Callable[[str], TrainingObserver] | None,
    *,
    here: bool = False,
) -> dict[str, Any]:
    """Run jobs in processes of their own, or here, each watched by an observer of its name."""
    observers = {name: watch(name) for name in jobs} if watch else {}
    hear = partial(_pass_on, observers)
    return run_here(jobs, hear) if here else run_in_processes(jobs, at_once, hear)


def check_same_recipe(recipe: Recipe, folder: Path) -> None:
    """Refuse a folder whose run was begun with another recipe.

    Raises
    ------
    OutputExistsError
        If so. Settings that came into being since count as left at their defaults.
    """
    stored = folder / "recipe.yaml"
    if stored.exists() and load_recipe(stored) != recipe:
        raise OutputExistsError(
            f"The run in '{folder}' was begun with another recipe (its recipe.yaml); give a new "
            "folder, or the recipe that it was begun with."
        )


def train_or_keep(
    recipe: Recipe,
    folder: Path,
    data_root: str | Path | None,
    device: str,
    post: Post,
    watch: Watch | None = None,
) -> Model:
    """Train a run, go on with it from its checkpoint, or keep what is whole."""
    stored = folder / "model.safetensors"
    if stored.exists():
        return load_model(stored)
    resume = (folder / "recipe.yaml").exists()
    train_recipe(
        recipe,
        folder,
        data_root=data_root,
        device=device,
        resume=resume,
        observer=_PostingObserver(post),
        watch=watch,
    )
    # As it was stored, in half precision: what is scored does not depend on an interruption.
    return load_model(stored)


class _PostingObserver:
    """Posts what an observer should be told, the steps not oftener than one can see."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._last = 0.0

    def say(self, message: str) -> None:
        self._post(("say", message))

    def on_start(self, steps: int) -> None:
        self._post(("on_start", steps))

    def on_step(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._last > SECONDS_BETWEEN_STEPS:
            self._last = now
            self._post(("on_step", step, loss))

    def on_validation(self, row: dict[str, float]) -> None:
        self._post(("on_validation", row))


def _pass_on(observers: Mapping[str, TrainingObserver], name: str, message: Any) -> None:
    """Tell the observer of a run what its process posted."""
    method, *given = message
    if name in observers:
        getattr(observers[name], method)(*given)
