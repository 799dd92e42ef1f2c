"""The job of `chondria train`: a recipe in, a run folder with a model out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from chondria.config.recipe import Recipe, recipe_yaml
from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.patches import PatchSampler
from chondria.data.splits import window_starts
from chondria.data.tiles import EpochPlaces
from chondria.data.training_volume import TrainingVolume
from chondria.errors import ModelError, SettingsError
from chondria.experiments.folder_lock import sole_use
from chondria.experiments.run_folder import environment, open_run_folder, write_json
from chondria.experiments.supervoxel_training import train_supervoxels
from chondria.experiments.training_data import TrainingData, load_training_data
from chondria.experiments.training_patches import build_sampler
from chondria.experiments.training_results import (
    model_card,
    with_best_threshold,
    write_results,
)
from chondria.experiments.training_trust import learned_trust
from chondria.experiments.validation_slices import gather_validation
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.io.atomic import check_disk_space
from chondria.models import Model, ModelCard, load_model
from chondria.networks.catalog import build_network
from chondria.networks.network import Network
from chondria.networks.quantisation import measure_ranges
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions
from chondria.training.plan import TrainingPlan
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
        network = _initial_network(recipe).to(where)
        _check_patches(recipe, network)
        check_disk_space(run, CHECKPOINT_COPIES * _weight_bytes(network))
        augmentation = _augmentation(recipe)
        say(f"training on {describe_device(where)} in {precision}")
        root = Path(data_root or recipe.data.root)
        data = _load_data(recipe, root, say)
        for volume, _ in data:
            window_starts(volume.split.train, recipe.training.patch_slices, volume.name)
        record = environment() | {"device": describe_device(where), "precision": precision}
        record |= {"seed": recipe.seed, "data": [card for _, card in data]}
        volumes = [volume.to(where) for volume, _ in data]
        sampler = build_sampler(recipe, volumes, augmentation, network.stride_px)
        plan = _plan(recipe, precision, sampler)
        _check_threshold_search(recipe, volumes)
        write_json(run / "run.json", record)
        watched = [volume.to(where) for volume in watch(recipe, data, root)] if watch else []

    if observer:
        observer.on_start(plan.steps)
    progress = train(network, sampler, plan, run / "checkpoint.pt", observer, watched)
    card = model_card(recipe, data, progress)
    if recipe.training.search_threshold:
        say("searching the threshold")
        found = threshold_ious(
            network, volumes, network.stride_px, precision, recipe.training.patch_slices
        )
        card = with_best_threshold(card, found)
    say("calibrating")
    card = replace(card, calibration=calibrate(network, sampler, plan.steps))
    seen = gather_validation(volumes, card, partial(_predict, network, card, precision))
    card = replace(card, trust=learned_trust(seen, card))
    model = Model(network, card, str(run / "model.safetensors"))
    say("writing the report")
    write_results(run, model, progress, record, seen)
    return TrainingRun(run, model, progress.history)


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
        data = _load_data(recipe, Path(data_root or recipe.data.root), say)
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


def _load_data(recipe: Recipe, root: Path, say: Callable[[str], None]) -> TrainingData:
    """Load the recipe's data; there must be some."""
    data = load_training_data(recipe, root, say)
    if not data:
        raise SettingsError("Found no data in the recipe; give it data.sets or data.phantoms.")
    return data


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


def _initial_network(recipe: Recipe) -> Network:
    """Build the recipe's network, with the weights of another model where it starts from one."""
    options = recipe.network.all_options
    network = build_network(recipe.network.name, **options)
    if recipe.start_from is None:
        return network
    start = load_model(recipe.start_from)
    same = (start.card.network, start.card.options)
    if same != (recipe.network.name, options):
        raise ModelError(
            f"Found the network {same[0]} {same[1]} in '{recipe.start_from}', but the recipe asks "
            f"for {recipe.network.name} {options}; they must be the same."
        )
    network.load_state_dict(start.network.state_dict())
    return network


def _check_patches(recipe: Recipe, network: Network) -> None:
    """Refuse patches that are not of the network's dimensions, or have no outlines to learn."""
    name, found = recipe.network.name, recipe.training.patch_slices
    if network.dimensions == 2 and found > 1:
        raise SettingsError(
            f"Found training.patch_slices {found} for the network '{name}', which is "
            "two-dimensional; set patch_slices to 1, or choose a 3-D network such as unet3d."
        )
    if recipe.network.boundary_nm and recipe.training.patches == "pure":
        raise SettingsError(
            "Found network.boundary_nm with training.patches 'pure', which are of one class and "
            "have no outlines; choose random, tiles or whole."
        )
    step = network.stride_slices
    if network.dimensions == 3 and (found == 1 or found % step):
        multiple = f"a multiple of {step}" if step > 1 else "more than 1"
        raise SettingsError(
            f"Found training.patch_slices {found} for the network '{name}', which is "
            f"three-dimensional; set patch_slices to {multiple}, or choose a 2-D network."
        )


def _augmentation(recipe: Recipe) -> Augmentation:
    settings = recipe.augmentation
    changes: dict[str, Any] = dict(settings.change)
    allowed = Augmentation.__dataclass_fields__
    for name in changes:
        if name not in allowed:
            raise SettingsError(
                f"There is no augmentation '{name}'; allowed are: {', '.join(allowed)}."
            )
    return replace(AUGMENTATIONS[settings.set], **changes)


def _plan(recipe: Recipe, precision: str, sampler: PatchSampler) -> TrainingPlan:
    """Make the plan; epochs become steps."""
    values = recipe.training.model_dump()
    learned = recipe.network
    values["boundary_weight"] = learned.boundary_weight if learned.boundary_nm else 0.0
    if recipe.training.epochs and isinstance(sampler.places, EpochPlaces):
        an_epoch = sampler.places.batches
        values["steps"] = recipe.training.epochs * an_epoch
        values["validate_every"] = recipe.training.validate_every or an_epoch
    known = {name: values[name] for name in TrainingPlan.__slots__ if name in values}
    return TrainingPlan(**(known | {"precision": precision, "seed": recipe.seed}))


def _check_threshold_search(recipe: Recipe, volumes: Sequence[TrainingVolume]) -> None:
    if recipe.training.search_threshold and not any(len(v.split.validation) for v in volumes):
        raise SettingsError(
            "Found training.search_threshold, but no validation slices to choose the threshold on; "
            "give a data set validation_slices, or leave the search out."
        )
