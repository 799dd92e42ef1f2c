"""The job of `chondria train`: a recipe in, a run folder with a model out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from chondria.config.recipe import Recipe, recipe_yaml
from chondria.data.augment import Augmentation
from chondria.data.patches import PatchSampler
from chondria.data.training_volume import TrainingVolume
from chondria.errors import SettingsError
from chondria.experiments.folder_lock import sole_use
from chondria.experiments.run_folder import environment, open_run_folder, write_json
from chondria.experiments.supervoxel_training import train_supervoxels
from chondria.experiments.training_data import TrainingData
from chondria.experiments.training_patches import build_sampler
from chondria.experiments.training_results import (
    model_card,
    with_best_threshold,
    write_results,
)
from chondria.experiments.training_setup import (
    initial_network,
    load_recipe_data,
    recipe_augmentation,
    training_plan,
)
from chondria.experiments.training_trust import learned_trust
from chondria.experiments.validation_slices import gather_validation
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.io.atomic import check_disk_space
from chondria.models import Model, ModelCard
from chondria.networks.network import Network
from chondria.networks.quantisation import measure_ranges
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions
from chondria.training.train import Observer, train
from chondria.training.validation import threshold_ious, validation_map

__all__ = ["TrainingObserver", "TrainingRun", "Watch", "calibrate", "train_recipe"]

# Gives volumes to watch, of a recipe, what it learns from, and the data root.
Watch = Callable[[Recipe, TrainingData, Path], Sequence[TrainingVolume]]

# Weights, best weights and two moments, in the old checkpoint and the new one beside it.
CHECKPOINT_COPIES = 8
CALIBRATION_BATCHES = 16


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training left behind."""

    folder: Path
    model: Model
    history: list[dict[str, float]]


class TrainingObserver(Observer, Protocol):
    """Watches the loop, and hears what happens around it."""

    def say(self, message: str) -> None:
        """Something began."""

    def on_start(self, steps: int) -> None:
        """Training begins, of so many steps."""


def train_recipe(
    recipe: Recipe,
    folder: str | Path,
    *,
    data_root: str | Path | None = None,
    device: str = "auto",
    resume: bool = False,
    observer: TrainingObserver | None = None,
    watch: Watch | None = None,
) -> TrainingRun:
    """Train a model as a recipe says.

    Parameters
    ----------
    recipe : Recipe
        Data, network and training. Of ``network.name: supervoxels`` the augmentation and the
        training settings have no meaning, and its run has no checkpoint: it starts over.
    folder : str or Path
        A new folder: recipe.yaml, run.json, history.csv, curves.svg, checkpoint.pt,
        model.safetensors, the validation slices with their prediction, and report.html.
    data_root : str or Path, optional
        Where the sets' paths start; by default the recipe's own root.
    device : str
        See `chondria.inference.device.choose_device`.
    resume : bool
        Go on from the folder's checkpoint. The recipe must be the same.
    observer : TrainingObserver, optional
        Told of every step and validation.
    watch : callable, optional
        Gives volumes that every validation scores too, see `chondria.training.train.train`.

    Returns
    -------
    TrainingRun
        The folder and the best model.

    Raises
    ------
    ChondriaError
        If data or settings cannot be used, or the folder holds another run. Nothing is left of a
        run that fails before its first step.
    """
    with sole_use(folder) as run:
        if recipe.network.name == SUPERVOXELS:
            return _train_supervoxels(recipe, run, data_root, resume, observer)
        where = choose_device(device)
        return _train_network(recipe, run, where, data_root, resume, observer, watch)


def _train_network(
    recipe: Recipe,
    folder: Path,
    where: torch.device,
    data_root: str | Path | None,
    resume: bool,
    observer: TrainingObserver | None,
    watch: Watch | None,
) -> TrainingRun:
    say: Callable[[str], None] = observer.say if observer else lambda _: None
    precision = choose_precision(recipe.training.precision, where)
    with open_run_folder(folder, recipe_yaml(recipe), resume) as run:
        torch.manual_seed(recipe.seed)
        network = initial_network(recipe).to(where)
        augmentation = recipe_augmentation(recipe)
        check_disk_space(run, CHECKPOINT_COPIES * _weight_bytes(network))
        say(f"training on {describe_device(where)} in {precision}")
        root = Path(data_root or recipe.data.root)
        data = load_recipe_data(recipe, root, say)
        record = environment() | {"device": describe_device(where), "precision": precision}
        record |= {"seed": recipe.seed, "data": [card for _, card in data]}
        volumes = [volume.to(where) for volume, _ in data]
        sampler = build_sampler(recipe, volumes, augmentation, network.stride_px)
        plan = training_plan(recipe, precision, sampler)
        write_json(run / "run.json", record)
        watched = [volume.to(where) for volume in watch(recipe, data, root)] if watch else []

    if observer:
        observer.on_start(plan.steps)
    progress = train(network, sampler, plan, run / "checkpoint.pt", observer, watched)
    card = _chosen(recipe, model_card(recipe, data, progress), network, volumes, precision, say)
    say("calibrating")
    card = replace(card, calibration=calibrate(network, sampler, plan.steps))
    seen = gather_validation(volumes, card, partial(_predict, network, card, precision))
    card = replace(card, trust=learned_trust(seen, card))
    model = Model(network, card, str(run / "model.safetensors"))
    say("writing the report")
    write_results(run, model, progress, record, seen)
    return TrainingRun(run, model, progress.history)


def _chosen(
    recipe: Recipe,
    card: ModelCard,
    network: Network,
    volumes: Sequence[TrainingVolume],
    precision: str,
    say: Callable[[str], None],
) -> ModelCard:
    """Search the threshold, where the recipe asks for it."""
    if not recipe.training.search_threshold:
        return card
    say("searching the threshold")
    found = threshold_ious(network, volumes, network.stride_px, precision, card.patch_slices)
    return with_best_threshold(card, found)


def _predict(
    network: Network, card: ModelCard, precision: str, volume: TrainingVolume
) -> NDArray[np.uint8]:
    return validation_map(network, volume, network.stride_px, precision, card.patch_slices)


def _train_supervoxels(
    recipe: Recipe,
    folder: Path,
    data_root: str | Path | None,
    resume: bool,
    observer: TrainingObserver | None,
) -> TrainingRun:
    """Train what is no network, on the processor; leaves the same run folder."""
    say: Callable[[str], None] = observer.say if observer else lambda _: None
    options = SupervoxelOptions.of(recipe.network.options)
    if recipe.start_from is not None:
        raise SettingsError(
            f"Found start_from '{recipe.start_from}' for supervoxels; trees are always grown anew: "
            "leave it out."
        )
    with open_run_folder(folder, recipe_yaml(recipe), resume) as run:
        data = load_recipe_data(recipe, Path(data_root or recipe.data.root), say)
        record = environment() | {"seed": recipe.seed, "data": [card for _, card in data]}
        write_json(run / "run.json", record)
        classifier, progress, maps = train_supervoxels(
            data, recipe.pixel_size_nm, options, recipe.seed, say
        )
    if observer:
        observer.on_start(progress.step)
        for row in progress.history:
            observer.on_validation(row)
    card = model_card(recipe, data, progress)
    painted = iter(maps)
    seen = gather_validation([volume for volume, _ in data], card, lambda _: next(painted))
    model = Model(classifier, card, str(run / "model.safetensors"))
    write_results(run, model, progress, record, seen)
    return TrainingRun(run, model, progress.history)


def calibrate(
    network: Network, sampler: PatchSampler, most: int = CALIBRATION_BATCHES
) -> dict[str, tuple[float, float]]:
    """Find what a network's convolutions see of training slices as they are.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    sampler : PatchSampler
        Patches of the same size are drawn from its volumes, without augmentation, from a
        generator of their own.
    most : int
        Batches, if fewer than `CALIBRATION_BATCHES` will do: those that it has learned from.

    Returns
    -------
    dict
        See `chondria.networks.quantisation.measure_ranges`; empty for a 3-D network, which is
        never computed in integers.
    """
    if network.dimensions == 3:
        return {}
    plain = PatchSampler(sampler.volumes, sampler.patch_shape, sampler.batch, Augmentation())
    return measure_ranges(network, (plain.draw()[0] for _ in range(min(most, CALIBRATION_BATCHES))))


def _weight_bytes(network: torch.nn.Module) -> int:
    return sum(weight.nbytes for weight in network.state_dict().values())
