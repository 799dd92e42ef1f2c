"""The job of `chondria train`: a recipe in, a run folder with a model out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from chondria.config.recipe import Recipe, recipe_yaml
from chondria.data.augment import AUGMENTATIONS, Augmentation
from chondria.data.patches import PatchSampler
from chondria.errors import ModelError, SettingsError
from chondria.experiments.run_folder import environment, open_run_folder, write_json
from chondria.experiments.supervoxel_training import train_supervoxels
from chondria.experiments.training_data import TrainingData, load_training_data
from chondria.inference.device import choose_device, choose_precision, describe_device
from chondria.io.atomic import check_disk_space
from chondria.models import Model, ModelCard, load_model, save_model
from chondria.networks.catalog import build_network
from chondria.networks.network import Network
from chondria.networks.quantisation import measure_ranges
from chondria.report.curves import draw_curves
from chondria.supervoxels.options import SUPERVOXELS, SupervoxelOptions
from chondria.training.checkpoint import Progress
from chondria.training.plan import TrainingPlan
from chondria.training.train import Observer, train

__all__ = ["TrainingObserver", "TrainingRun", "calibrate", "train_recipe"]

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
) -> TrainingRun:
    """Train a model as a recipe says.

    Parameters
    ----------
    recipe : Recipe
        Data, network and training. Of ``network.name: supervoxels`` the augmentation and the
        training settings have no meaning, and its run has no checkpoint: it starts over.
    folder : str or Path
        A new folder: recipe.yaml, run.json, history.csv, curves.png, checkpoint.pt and
        model.safetensors are written there.
    data_root : str or Path, optional
        Where the sets' paths start; by default the recipe's own root.
    device : str
        See `chondria.inference.device.choose_device`.
    resume : bool
        Go on from the folder's checkpoint. The recipe must be the same.
    observer : TrainingObserver, optional
        Told of every step and validation.

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
    if recipe.network.name == SUPERVOXELS:
        return _train_supervoxels(recipe, Path(folder), data_root, resume, observer)
    say: Callable[[str], None] = observer.say if observer else lambda _: None
    where = choose_device(device)
    precision = choose_precision(recipe.training.precision, where)
    with open_run_folder(Path(folder), recipe_yaml(recipe), resume) as run:
        torch.manual_seed(recipe.seed)
        network = _initial_network(recipe).to(where)
        check_disk_space(run, CHECKPOINT_COPIES * _weight_bytes(network))
        augmentation = _augmentation(recipe)
        say(f"training on {describe_device(where)} in {precision}")
        data = _load_data(recipe, data_root, say)
        record = environment() | {"device": describe_device(where), "precision": precision}
        record |= {"seed": recipe.seed, "data": [card for _, card in data]}
        write_json(run / "run.json", record)

    volumes = [volume.to(where) for volume, _ in data]
    training = recipe.training
    sampler = PatchSampler(volumes, training.patch_px, training.batch, augmentation, recipe.seed)
    plan = _plan(recipe, precision)
    if observer:
        observer.on_start(plan.steps)
    progress = train(network, sampler, plan, run / "checkpoint.pt", observer)
    say("calibrating")
    card = replace(_card(recipe, data, progress), calibration=calibrate(network, sampler))
    model = Model(network, card, str(run / "model.safetensors"))
    _write_results(run, model, progress, record)
    return TrainingRun(run, model, progress.history)


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
        data = _load_data(recipe, data_root, say)
        record = environment() | {"seed": recipe.seed, "data": [card for _, card in data]}
        write_json(run / "run.json", record)
        classifier, progress = train_supervoxels(
            data, recipe.pixel_size_nm, options, recipe.seed, say
        )
    if observer:
        observer.on_start(progress.step)
        for row in progress.history:
            observer.on_validation(row)
    model = Model(classifier, _card(recipe, data, progress), str(run / "model.safetensors"))
    _write_results(run, model, progress, record)
    return TrainingRun(run, model, progress.history)


def _load_data(
    recipe: Recipe, data_root: str | Path | None, say: Callable[[str], None]
) -> TrainingData:
    """Load the recipe's data; there must be some."""
    data = load_training_data(recipe, Path(data_root or recipe.data.root), say)
    if not data:
        raise SettingsError("Found no data in the recipe; give it data.sets or data.phantoms.")
    return data


def calibrate(network: Network, sampler: PatchSampler) -> dict[str, tuple[float, float]]:
    """Find what a network's convolutions see of training slices as they are.

    Parameters
    ----------
    network : Network
        In evaluation mode.
    sampler : PatchSampler
        Patches of the same size are drawn from its volumes, without augmentation, from a
        generator of their own.

    Returns
    -------
    dict
        See `chondria.networks.quantisation.measure_ranges`.
    """
    plain = PatchSampler(sampler.volumes, sampler.patch_px, sampler.batch, Augmentation())
    return measure_ranges(network, (plain.draw()[0] for _ in range(CALIBRATION_BATCHES)))


def _weight_bytes(network: torch.nn.Module) -> int:
    return sum(weight.nbytes for weight in network.state_dict().values())


def _initial_network(recipe: Recipe) -> Network:
    """Build the recipe's network, with the weights of another model where it starts from one."""
    network = build_network(recipe.network.name, **recipe.network.options)
    if recipe.start_from is None:
        return network
    start = load_model(recipe.start_from)
    same = (start.card.network, start.card.options)
    if same != (recipe.network.name, recipe.network.options):
        raise ModelError(
            f"Found the network {same[0]} {same[1]} in '{recipe.start_from}', but the recipe asks "
            f"for {recipe.network.name} {recipe.network.options}; they must be the same."
        )
    network.load_state_dict(start.network.state_dict())
    return network


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


def _plan(recipe: Recipe, precision: str) -> TrainingPlan:
    values = recipe.training.model_dump(exclude={"patch_px", "batch"})
    return TrainingPlan(**(values | {"precision": precision, "seed": recipe.seed}))


def _card(recipe: Recipe, data: TrainingData, progress: Progress) -> ModelCard:
    at_best = next((row for row in progress.history if row["step"] == progress.best_step), {})
    figures = {key: value for key, value in at_best.items() if "iou" in key or "loss" in key}
    post = recipe.postprocessing
    return ModelCard(
        name=recipe.name,
        description=recipe.description,
        network=recipe.network.name,
        options=dict(recipe.network.options),
        pixel_size_nm=recipe.pixel_size_nm,
        normalisation=recipe.normalisation,
        threshold=post.threshold,
        z_median_nm=post.z_median_nm,
        smallest_diameter_nm=post.smallest_diameter_nm,
        largest_doubt=post.largest_doubt,
        data=[card for _, card in data],
        terms=recipe.terms,
        citations=list(recipe.citations),
        validation=figures | {"step": float(progress.best_step)},
    )


def _write_results(folder: Path, model: Model, progress: Progress, record: dict[str, Any]) -> None:
    save_model(model, folder / "model.safetensors")
    with (folder / "history.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(progress.history[-1]))
        writer.writeheader()
        writer.writerows(progress.history)
    draw_curves(progress.history, folder / "curves.png")
    record |= {"steps": progress.step, "best_step": progress.best_step}
    record |= {"best_score": progress.best_score, "validation": model.card.validation}
    write_json(folder / "run.json", record)
